import type { AssetDeclaration, CodedError, IngestReport } from '../kernel/index.js';

export type Row = Readonly<Record<string, unknown>>;

/** A table and what to do where a key is already there. */
export type WriteTarget = Pick<AssetDeclaration, 'table' | 'columns' | 'key' | 'onConflict' | 'ignore' | 'merge'>;

export interface WriteResult {
  /** Rows inserted or updated. */
  readonly written: number;
  readonly conflicts: readonly {
    /** Index into the rows given. */
    readonly index: number;
    /** The record that was there first, where the table names it. */
    readonly digest: string | null;
    readonly ordinal: number | null;
    /** Reason of a merge; null where contents differ. */
    readonly fault: CodedError | null;
  }[];
}

export interface Transaction {
  /** Instants come as ISO text, bigint as number, bytea as Buffer. */
  query<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Later rows come after earlier ones: the first of a key is kept, the last taken, or all are folded, as the target says. */
  write(target: WriteTarget, rows: readonly Row[]): Promise<WriteResult>;
}

/** Raw files by digest, and transactions of the writer. The store gives it; cli joins the two. */
export interface PipelineStore {
  readonly objects: {
    put(
      input: AsyncIterable<Uint8Array>,
    ): Promise<{ readonly digest: string; readonly bytes: number; readonly chunksDigest: string | null }>;
    open(digest: string, options?: { readonly from?: number; readonly to?: number; readonly verify?: boolean }): AsyncIterable<Uint8Array>;
  };
  /** Commits when `work` resolves, else rolls back. `work` may run more than once. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** The record of what was loaded. Told once a file, after its last chunk; told again when the process ends before the file is closed. */
export interface Evidence {
  /** Returns the id of the lineage record. */
  ingested(load: {
    readonly report: Omit<IngestReport, 'lineageId'>;
    /** Tables that the file wrote to. */
    readonly datasets: readonly string[];
    readonly versions: Readonly<Record<string, number>>;
  }): Promise<string>;
}
