import type {
  AggregateField,
  ColumnField,
  ComputedField,
  EntityDeclaration,
  FileRef,
  Filter,
  JoinPairs,
  Order,
  ReaderField,
} from './field.js';
import type { Tag } from './classification.js';
import type { Mask, Predicate } from './policy.js';

/**
 * The source-neutral plan of one operation for one policy class: which rows and cells of which tables make which parts of the answer.
 * It holds decisions, never values: arguments are named by their index and bound when the plan runs.
 */
export type CellPlan =
  | { readonly kind: 'clear' }
  | { readonly kind: 'mask'; readonly mask: Mask }
  /** The first branch that holds wins; where none holds the cell is null. */
  | { readonly kind: 'case'; readonly branches: readonly { readonly when: Predicate; readonly mask: Mask | null }[] };

export interface FilterUse {
  readonly filter: Filter;
  /** The column, or its redacted twin where the caller may only search that. */
  readonly column: string;
  /** Rows on which the caller may read the column in the clear; null where that is every visible row. */
  readonly guard: Predicate | null;
}

/** Rows of one table: joined, ruled and filtered. */
export interface RowStep {
  readonly entity: EntityDeclaration;
  readonly on: JoinPairs;
  readonly rows: Predicate;
  readonly filters: readonly FilterUse[];
  /** Index of the arguments of the field. */
  readonly arguments: number;
}

export type ConnectionItem =
  | { readonly kind: 'typename'; readonly key: string; readonly value: string }
  | { readonly kind: 'cursor' | 'hasNextPage' | 'endCursor'; readonly key: string }
  | { readonly kind: 'node'; readonly key: string; readonly fields: readonly PlanField[] };

export type ConnectionPlan =
  | { readonly kind: 'typename'; readonly key: string; readonly value: string }
  | { readonly kind: 'edges' | 'pageInfo'; readonly key: string; readonly items: readonly ConnectionItem[] }
  | { readonly kind: 'totalCount' | 'exists'; readonly key: string };

export type ValueSelection = readonly (
  | { readonly kind: 'typename'; readonly key: string; readonly value: string }
  | { readonly kind: 'value'; readonly key: string; readonly name: string; readonly of: ValueSelection | null }
)[];

export interface ReaderPlan {
  readonly kind: 'reader';
  readonly key: string;
  readonly coordinate: string;
  readonly field: ReaderField;
  readonly arguments: number;
  readonly selection: ValueSelection;
  /** One grant must cover all of these on every row that is read: tags of the parent, of the reader, and of what is asked of it. */
  readonly tags: readonly Tag[];
}

export type PlanField =
  | { readonly kind: 'typename'; readonly key: string; readonly value: string }
  | { readonly kind: 'column'; readonly key: string; readonly field: ColumnField; readonly cell: CellPlan }
  | { readonly kind: 'computed'; readonly key: string; readonly field: ComputedField; readonly cell: CellPlan }
  | { readonly kind: 'reference'; readonly key: string; readonly step: RowStep; readonly fields: readonly PlanField[] }
  | {
      readonly kind: 'collection';
      readonly key: string;
      readonly step: RowStep;
      readonly order: Order | null;
      readonly hasAfter: boolean;
      readonly parts: readonly ConnectionPlan[];
      /** From how many persons on the count is told, after what was told before was looked at; 0 where it is told as it is. */
      readonly smallCellMin: number;
    }
  | {
      readonly kind: 'aggregate';
      readonly key: string;
      readonly step: RowStep;
      readonly measure: AggregateField['measure'];
      readonly smallCellMin: number;
    }
  | ReaderPlan;

/** How a coordinate of the answer depends on a column. */
export interface LineageEdge {
  readonly coordinate: string;
  /** dataset.column */
  readonly source: string;
  readonly type: 'DIRECT' | 'INDIRECT';
  readonly masking: boolean;
}

export interface PlanDecision {
  readonly coordinate: string;
  readonly verdict: 'allowed' | 'masked' | 'conditional';
  readonly ruleIds: readonly string[];
}

export interface Plan {
  readonly fields: readonly PlanField[];
  /** Everything that a run may read; a reader reads what it declares or less, and nothing where it has no parents. */
  readonly columns: readonly LineageEdge[];
  /** What the one statement of the plan reads, in every run of it. Readers tell what they read as they read it. */
  readonly statement: readonly LineageEdge[];
  readonly decisions: readonly PlanDecision[];
  /** Tables that are read; their versions enter the lineage of each run. */
  readonly datasets: readonly string[];
}

/** What a plan needs to run once. Values only pass as bound parameters. */
export interface PlanValues {
  readonly args: readonly Readonly<Record<string, unknown>>[];
  /** Sort key and row key of the cursor, by index of arguments. */
  readonly after: readonly (readonly unknown[] | null)[];
  /** Digest of the collection and its arguments, by index; a cursor holds it. */
  readonly cursorDigest: readonly string[];
  readonly sub: string;
  readonly sites: readonly string[];
  /** The subject and the references and codes that a consent may name as recipient. */
  readonly identities: readonly string[];
  /** The patient in context (SMART launch/patient). */
  readonly patient: string | null;
  readonly purpose: string;
  /** ISO instant of the request. */
  readonly now: string;
  /** Inner and outer pads of the HMAC key of HASH masks (RFC 2104), one key a purpose. */
  readonly maskPads: { readonly inner: Buffer; readonly outer: Buffer };
  /** Random word that marks where readers are spliced in. */
  readonly nonce: string;
  /** The address of a file for the caller; without it no address is given. */
  readonly fileLink?: (file: FileRef) => { readonly url: string; readonly expiresAt: string };
}
