import type { Modality, SafeHarborLetter, Tag } from './classification.js';
import type { Action } from './policy.js';

/** A class that stands for a GraphQL type. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- type-graphql identifies types by their class
export type TypeClass = Function;
export type TypeThunk = () => TypeClass;

/** Types of columns, with the scalar and the text form that both executors give them. */
export type SqlType = 'uuid' | 'text' | 'int' | 'bigint' | 'float8' | 'bool' | 'date' | 'timestamptz' | 'text[]' | 'json' | 'bytea';

interface Declared {
  readonly tags: readonly Tag[];
  readonly safeHarbor: SafeHarborLetter;
  readonly description: string;
}

/** One column of the table of its type. */
export interface ColumnField extends Declared {
  readonly kind: 'column';
  readonly column: string;
  readonly type: SqlType;
  /** The column is NOT NULL and its tags are those of the row, so the field may be non-null. */
  readonly required?: boolean;
  readonly scalar?: 'ID' | 'Int' | 'Float' | 'String' | 'Boolean' | 'DateTime' | 'LocalDate' | 'JSON' | 'StringList';
  /** The column that holds the text with identifiers removed; the REDACT mask serves it. */
  readonly redacted?: string;
  /** Closed set of values; becomes a GraphQL enum. */
  readonly values?: readonly string[];
  readonly enumName?: string;
  /** What kind of identifier it is where the Safe Harbor letter alone does not choose the mask. */
  readonly identifier?: 'zip' | 'street' | 'birth' | 'age';
}

/** A pure function of columns of the same row, in two forms that a test holds equal. It inherits the tags of its columns. */
export interface ComputedField extends Declared {
  readonly kind: 'computed';
  /** Columns that it reads. */
  readonly from: readonly { readonly column: string; readonly type: SqlType }[];
  readonly type: SqlType;
  /** SQL over `$column` names, each written as `{column}`. */
  readonly sql: string;
  readonly js: (row: Readonly<Record<string, unknown>>) => unknown;
  readonly scalar?: ColumnField['scalar'];
}

/** Pairs of columns that join a row to its children or to the row that it refers to: [ours, theirs]. */
export type JoinPairs = readonly (readonly [string, string])[];

export type FilterOperator = 'eq' | 'in' | 'gte' | 'lte' | 'lt' | 'overlaps' | 'search' | 'contains';

/** One argument of a collection. A filter on a column that the caller may not read in the clear is refused. */
export interface Filter {
  readonly argument: string;
  readonly description: string;
  readonly type: 'ID' | 'Int' | 'Float' | 'String' | 'Boolean' | 'DateTime' | 'LocalDate' | 'IDList' | 'StringList';
  readonly required?: boolean;
  readonly column: string;
  readonly operator: FilterOperator;
  /** Tags of the column where no field serves it. */
  readonly tags?: readonly Tag[];
  /** Column that a caller searches who may read the text only redacted (operator 'search'). */
  readonly redacted?: string;
  /** A further condition on a derived column (a bucket), so that the primary key serves the filter. */
  readonly derive?: { readonly column: string; readonly values: (args: Readonly<Record<string, unknown>>) => readonly unknown[] };
}

export interface Order {
  /** Name of the enum value, for example STARTED_AT_DESC. */
  readonly name: string;
  readonly column: string;
  readonly type: SqlType;
  readonly descending?: boolean;
  /** Tags of the column where no field serves it. */
  readonly tags?: readonly Tag[];
}

/** One row of another table, or null: by columns of this row, or by arguments at the root. */
export interface ReferenceField extends Declared {
  readonly kind: 'reference';
  readonly to: TypeThunk;
  readonly on: JoinPairs;
  readonly filters?: readonly Filter[];
}

/** A page of rows of another table: a Relay connection with keyset cursors. Orders name columns that are NOT NULL. */
export interface CollectionField extends Declared {
  readonly kind: 'collection';
  readonly of: TypeThunk;
  readonly on: JoinPairs;
  readonly filters: readonly Filter[];
  /** The first is the default; without any, rows come in key order. */
  readonly orders?: readonly Order[];
}

/** A number over rows of another table that merges over shards: count, sum, min or max. */
export interface AggregateField extends Declared {
  readonly kind: 'aggregate';
  readonly of: TypeThunk;
  readonly on: JoinPairs;
  readonly filters: readonly Filter[];
  readonly measure: { readonly op: 'count' } | { readonly op: 'sum' | 'min' | 'max'; readonly column: string; readonly type: SqlType };
}

/** What a reader asks of the store: rows of one entity under the row rules of the caller, in batches. */
export interface RowSource {
  /**
   * Rows of `of` whose columns equal the given values (arrays: any of them). Only rows come back for which ONE grant covers
   * all tags of the reader field and of the columns named here; every read enters the lineage of the request.
   * bytea columns come as Buffer, timestamptz and date as ISO text, bigint as number.
   */
  rows<T = Record<string, unknown>>(request: {
    readonly of: TypeThunk;
    readonly columns: readonly string[];
    readonly where: Readonly<Record<string, string | number | boolean | readonly string[] | readonly number[]>>;
    /** Half-open or closed bounds on further columns. */
    readonly between?: Readonly<Record<string, { readonly from?: string | number; readonly to?: string | number }>>;
    readonly order?: readonly string[];
    readonly limit?: number;
  }): Promise<T[]>;
  /** The present of the request in milliseconds since 1970. */
  readonly now: number;
  /** Addresses for the caller of files behind rows that `rows` gave, in their order; null for a file that holds more than one record. */
  fileLinks?(
    files: readonly FileRef[],
  ): Promise<readonly ({ readonly url: string; readonly expiresAt: string; readonly mediaType: string; readonly bytes: number } | null)[]>;
  /** Adds persons whose data stand behind the answer where rows of `rows` do not name them. */
  touched(patientIds: Iterable<string>): void;
}

/** Files behind the rows of a table: where their digests stand, and what their name in the catalogue is. */
export interface FileAsset {
  /** For example 'imaging.instance_file'. */
  readonly asset: string;
  readonly of: TypeThunk;
  /** Column that identifies the row, a uuid. */
  readonly id: string;
  readonly patient: string;
  /** Column with the sha256 of the file. */
  readonly digest: string;
  /** Only rows with these values have a file that may be fetched. */
  readonly only?: Readonly<Record<string, boolean>>;
}

/** One file behind one row. */
export interface FileRef {
  readonly asset: string;
  readonly patient: string;
  /** Identifier of the row. */
  readonly key: string;
  readonly digest: string;
}

/** A batched decode of packed or remote data. Its type is a value type; its parents are rows with the columns of `parent`. */
export interface ReaderField extends Declared {
  readonly kind: 'reader';
  readonly returns: TypeThunk;
  readonly list: boolean;
  /** Columns of the parent row that the reader needs; empty at the root. */
  readonly parent: readonly string[];
  /** Coordinates 'dataset.column' that it reads, for lineage. */
  readonly reads: readonly { readonly of: TypeThunk; readonly columns: readonly string[] }[];
  readonly arguments: readonly Omit<Filter, 'column' | 'operator' | 'derive'>[];
  /** The field leads to a file: the action `file` decides it, here and again whenever the file is fetched. */
  readonly file?: FileAsset;
  /** One result per parent, in their order. */
  readonly load: (
    source: RowSource,
    parents: readonly Readonly<Record<string, unknown>>[],
    args: Readonly<Record<string, unknown>>,
  ) => Promise<readonly unknown[]>;
}

/** A plain property of a value type that a reader, mutation or hand-written query returns. */
export interface ValueField extends Declared {
  readonly kind: 'value';
}

/** Part of a connection: structure without data. */
export interface StructureField extends Declared {
  readonly kind: 'structure';
  /** What the caller must be able to do with the rows of the list; nothing where it is left out. */
  readonly needs?: { readonly of: TypeThunk; readonly action: 'read' | 'count' };
}

/** Hand-written: mutations, subscriptions and the few queries about the mesh itself. */
export interface OperationField {
  readonly kind: 'operation';
  readonly tags: readonly Tag[];
  readonly action: Action;
}

export type FieldDeclaration =
  | ColumnField
  | ComputedField
  | ReferenceField
  | CollectionField
  | AggregateField
  | ReaderField
  | ValueField
  | StructureField
  | OperationField;

/** A type with a table: what its rows are, and what policy and evidence need to know of them. */
export interface EntityDeclaration {
  readonly kind: 'entity';
  readonly table: string;
  /** Columns of the primary key; the patient leads where the row is about one. */
  readonly key: readonly string[];
  /** Tags that a caller must be able to see to learn that a row exists. */
  readonly tags: readonly Tag[];
  /** The modality whose consent the rows need; absent for rows that are not about a person. */
  readonly modality?: Modality;
  /** Column of the person; present exactly where `modality` is. Such a table also has site_id, sensitivity, label_bits and refs. */
  readonly patient?: string;
  /** Column of the clinical time, null where it is not known; without it no consent that is bounded by data period covers a row. */
  readonly occurred?: string;
  /** FHIR resource type of the rows, for SMART scopes; a token with such scopes reaches no rows without one. */
  readonly fhir?: string;
  /** Column that names the principal that a row belongs to (rows of evidence). */
  readonly principal?: string;
  readonly description: string;
}

/** A type without a table: connections, edges, results of readers and mutations. */
export interface ValueDeclaration {
  readonly kind: 'value-type';
  readonly description: string;
}

/** Parts of a Relay connection: structure without data of its own (tag root). */
export interface ConnectionPart {
  readonly kind: 'connection' | 'edge' | 'page-info';
  readonly description: string;
}

export type TypeDeclaration = EntityDeclaration | ValueDeclaration | ConnectionPart;

/** The key under which declarations sit in the extensions of the schema. */
export const DECLARATION = 'thalamus';
