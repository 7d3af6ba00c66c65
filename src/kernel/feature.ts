import type { Modality, Tag } from './classification.js';
import type { RowSource, TypeThunk } from './field.js';
import type { Frame } from './frame.js';

/** One column of a feature view. */
export interface Feature {
  readonly name: string;
  /** UCUM unit, '1' for a count or ratio. */
  readonly unit: string;
  readonly description: string;
}

/**
 * What a product hands to fusion: one row a person, one column a feature, NaN where the value is missing inside a present modality.
 * A person without a row has no such modality (NOT_COLLECTED). Nothing recorded after `asOf` is used.
 */
export interface FeatureView {
  readonly modality: Modality;
  /** Changes whenever a value could change for the same rows. */
  readonly version: string;
  readonly features: readonly Feature[];
  /** Everything that `compute` reads; a caller needs ONE grant with action 'feature' over the tags of all of it. */
  readonly reads: readonly { readonly of: TypeThunk; readonly columns: readonly string[] }[];
  readonly tags: readonly Tag[];
  /** Values whose newest source is older are STALE and are not used. */
  readonly maxAgeDays: number | null;
  readonly compute: (source: RowSource, patientIds: readonly string[], asOf: number) => Promise<FeatureRows>;
}

export interface FeatureRows {
  readonly frame: Frame;
  /** Persons whose newest source is older than maxAgeDays; they have no row in the frame. */
  readonly stale: readonly string[];
}

/**
 * An outcome that a model learns, as a product declares it: 1 where the person has it, 0 where the source would show it and does not.
 * A person about whom the caller may not know gets no label.
 */
export interface LabelView {
  /** For example 'condition'. */
  readonly name: string;
  readonly description: string;
  readonly reads: readonly { readonly of: TypeThunk; readonly columns: readonly string[] }[];
  readonly tags: readonly Tag[];
  /** `code` says which condition, event or result is meant. */
  readonly compute: (source: RowSource, patientIds: readonly string[], code: string) => Promise<ReadonlyMap<string, 0 | 1>>;
}
