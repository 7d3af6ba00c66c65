import { CodedError } from '../../kernel/error.js';
import { canonicalJson, contentHash } from '../train/canonical.js';
import type { LateModel } from './late-model.js';

/** A model at rest: plain JSON and the sha256 (hex) of its canonical text. */
export interface StoredModel {
  readonly hash: string;
  readonly model: LateModel;
}

/** The model as plain JSON with its content hash; the same training gives the same hash (F16). */
export function serialiseLate(model: LateModel): StoredModel {
  return { hash: contentHash(model), model: JSON.parse(canonicalJson(model)) as LateModel };
}

/**
 * Reads a stored model back.
 * @throws CodedError CONFLICT when the content does not match its hash, BAD_INPUT when it is of another kind.
 */
export function deserialiseLate(stored: StoredModel): LateModel {
  if (contentHash(stored.model) !== stored.hash) throw new CodedError('CONFLICT', 'The model does not match its content hash.');
  const kind: string = stored.model.kind;
  if (kind !== 'late_poe') throw new CodedError('BAD_INPUT', "The model is not of the kind 'late_poe'.");
  return stored.model;
}
