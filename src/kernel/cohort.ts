import type { RowSource, TypeThunk } from './field.js';

/** One dimension of a cross table of persons: a column in the clear, and how its values are grouped. */
export interface CrossAxis {
  readonly name: string;
  readonly column: string;
  /** The group of a value of the column; '' where nothing is recorded. */
  readonly group: (value: unknown) => string;
}

/** Persons by up to three dimensions. Rows of `of` are one a person. */
export interface CrossTableRequest {
  readonly of: TypeThunk;
  readonly axes: readonly CrossAxis[];
  readonly where: Parameters<RowSource['rows']>[0]['where'];
  readonly between?: Parameters<RowSource['rows']>[0]['between'];
}

/** A number of persons, or that it is not told. */
export interface CrossCount {
  readonly count: number | null;
  readonly suppressed: boolean;
}

/** Every combination of the groups that occur, in the order of the groups; the margins of each dimension; and all together. */
export interface CrossTable {
  readonly cells: readonly (CrossCount & { readonly values: readonly string[] })[];
  readonly margins: readonly (CrossCount & { readonly axis: string; readonly value: string })[];
  readonly total: CrossCount;
}
