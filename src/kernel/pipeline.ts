import type { ContentDigest } from './content-digest.js';
import type { CodedError } from './error.js';
import type { SqlType } from './field.js';
import type { Format } from './format.js';

/** One identifier of a person: who issued it, and its value. An empty issuer is never global. */
export interface IdentityKey {
  readonly issuer: string;
  readonly value: string;
}

/** Issuers that the product itself gives where a source states none. */
export const ISSUERS = {
  mrn: 'urn:thalamus:mrn',
  fhir: 'urn:thalamus:fhir-patient',
  sample: 'urn:thalamus:sample',
  dicom: 'urn:thalamus:dicom',
  device: 'urn:thalamus:device',
} as const;

export type LinkBasis = 'SAME_IDENTIFIER' | 'EXPLICIT_CROSSWALK' | 'SYNTHETIC' | 'MANUAL';

/** What one record of a file becomes. */
export type Staged =
  /** A row of an asset. Where the asset is about a person, patient_id and site_id are filled from the keys: the first that is known. */
  | {
      readonly kind: 'row';
      readonly asset: string;
      readonly row: Readonly<Record<string, unknown>>;
      readonly keys?: readonly IdentityKey[];
    }
  /** A person: found by any of the keys or registered; the keys are linked, and the row of the asset is written or updated. */
  | {
      readonly kind: 'register';
      readonly asset: string;
      readonly row: Readonly<Record<string, unknown>>;
      readonly keys: readonly IdentityKey[];
      readonly site: string | null;
    }
  /** Further keys of a person who is known by one of `anchors`. */
  | { readonly kind: 'link'; readonly anchors: readonly IdentityKey[]; readonly keys: readonly IdentityKey[]; readonly basis: LinkBasis };

export interface StageContext {
  /** sha256 of the file as received, lower-case hex. */
  readonly digest: string;
  /** Lower-case base name; opaque, never stored or logged. */
  readonly name: string;
  readonly assembly: string | undefined;
  readonly ordinal: number;
  readonly now: number;
  /** A new UUID v7. */
  newId(): string;
  /** State of one file, for formats whose header rules the records after it. */
  readonly memo: Map<string, unknown>;
}

/** A parser and how its records become rows. `stage` throws a CodedError to refuse a record. */
export interface FormatBinding<T = unknown> {
  readonly format: Format<T>;
  readonly stage: (record: T, context: StageContext) => Iterable<Staged>;
}

export const bindFormat = <T>(binding: FormatBinding<T>): FormatBinding => binding as unknown as FormatBinding;

export type ExpectationAction = 'warn' | 'drop' | 'quarantine' | 'fail';

/** A named predicate over a staged row. One that throws or gives no boolean counts as failed. */
export interface Expectation {
  readonly name: string;
  readonly description: string;
  readonly action: ExpectationAction;
  readonly holds: (row: Readonly<Record<string, unknown>>) => boolean;
}

/** A streaming table: each record of each file enters it once. */
export interface AssetDeclaration {
  readonly table: string;
  /** Columns that the pipeline writes, patient_id, site_id and sensitivity included where the asset is about a person. */
  readonly columns: Readonly<Record<string, SqlType>>;
  readonly key: readonly string[];
  /** Whether rows are about a person: 'required' quarantines a record whose person is unknown, 'later' keeps it unlinked. */
  readonly patient: 'none' | 'required' | 'later';
  /**
   * What happens when the key is there: `ignore-identical` keeps the first and quarantines other content (RECORD_CONFLICT),
   * `update` takes the new row, `merge` asks `merge`.
   */
  readonly onConflict: 'ignore-identical' | 'update' | 'merge';
  /** Columns left out of the comparison of content, and kept as first written by `update` (surrogate ids, times of arrival). */
  readonly ignore?: readonly string[];
  /** Joins what is stored with what arrives, per key, inside the transaction. */
  readonly merge?: (
    stored: Readonly<Record<string, unknown>> | null,
    incoming: Readonly<Record<string, unknown>>,
  ) => { readonly row: Readonly<Record<string, unknown>>; readonly conflict?: CodedError };
  readonly expectations: readonly Expectation[];
  /** Columns that prove others of their row: filled by the stage or the merge, asked before a row is decoded. */
  readonly digests?: readonly ContentDigest[];
  /** Statement that links unlinked rows once a key of `issuer` is linked: $1 patient_id, $2 site_id, $3 value. */
  readonly linked?: { readonly issuer: string; readonly sql: string };
}

/**
 * A table whose rows of a person follow from all rows of one asset about that person. Inside the transaction of each chunk the rows
 * of every person touched are replaced: the stored ones are deleted and those of `rows` written.
 */
export interface DerivedTable {
  readonly table: string;
  /** The asset whose touched persons are derived anew. */
  readonly from: string;
  /** Whether a newly registered person is touched too, even without a row of `from`. */
  readonly alsoOnRegister?: boolean;
  readonly columns: Readonly<Record<string, SqlType>>;
  readonly key: readonly string[];
  /** Pure. `stored` holds all rows of `from` about the person with the columns of the asset, this chunk's included. */
  readonly rows: (patientId: string, stored: readonly Readonly<Record<string, unknown>>[]) => readonly Readonly<Record<string, unknown>>[];
}

/** The transaction in which a person is erased. Instants come as ISO text, bytea as Buffer; nothing that is overwritten in it is kept. */
export interface ErasureTransaction {
  query<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
}

/**
 * Takes a person out of rows that hold many persons each, in the tables and in their twins of schema history. Runs before the person's own rows
 * are deleted, so it still finds them. Returns how many rows it changed or deleted, by table.
 */
export type Erase = (tx: ErasureTransaction, patientId: string) => Promise<Readonly<Record<string, number>>>;

export interface PipelineDeclaration {
  readonly formats: readonly FormatBinding[];
  /** In the order in which rows are written, so that keys exist before they are referred to. */
  readonly assets: readonly AssetDeclaration[];
  readonly derived?: readonly DerivedTable[];
  readonly erase?: Erase;
}

/** What became of one file. Totals only: no value of the data, no name. */
export interface IngestReport {
  readonly digest: string;
  readonly bytes: number;
  readonly product: string | null;
  readonly format: string | null;
  readonly status: 'ingested' | 'partly' | 'refused' | 'duplicate';
  readonly records: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly quarantined: number;
  readonly dropped: number;
  /** Why the file was refused, or the first reasons of its quarantine. */
  readonly faults: readonly { readonly code: string; readonly place: string; readonly reason: string; readonly count: number }[];
  readonly lineageId: string;
}
