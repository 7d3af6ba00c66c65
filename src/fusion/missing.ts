import { CodedError, type FeatureAnswer, type Modality, type Scope } from '../kernel/index.js';

/** Reasons as a caller may see them (spec/fusion.md F7). */
export const MISSING_REASONS = ['UNAVAILABLE', 'ACCESS_DENIED', 'NOT_REQUESTED', 'STALE', 'NOT_COLLECTED', 'POLICY_DENIED'] as const;
export type MissingReason = (typeof MISSING_REASONS)[number];

/** What the run knows of one modality of the model, before any person is looked at. */
export type Supply =
  /** The caller left it out; it was not asked for. */
  | { readonly kind: 'NOT_REQUESTED' }
  /** Role or purpose bars it for everybody; nothing was read. */
  | { readonly kind: 'ACCESS_DENIED' }
  /** No product in this process yields its features. */
  | { readonly kind: 'UNAVAILABLE' }
  | {
      readonly kind: 'READ';
      readonly stale: ReadonlySet<string>;
      readonly withheld: ReadonlySet<string>;
      /** Values in the column order of the model; undefined where the person has no row. */
      readonly valuesOf: (patientId: string) => Float64Array | undefined;
    };

/** True for callers who may learn that data exist but are withheld: they account for consent and for whom answers were about. */
export function mayTellWithheld(scope: Scope): boolean {
  return scope.may('read', ['consent']) && scope.may('read', ['evidence.patients']);
}

/**
 * What the features of one modality supply to a model that knows it by these columns.
 * @throws CodedError CONFLICT when the view yields a column no more, or in another unit.
 */
export function readSupply(
  modality: Modality,
  answer: FeatureAnswer,
  columns: readonly { readonly name: string; readonly unit: string }[],
): Supply {
  if (answer.barred) return { kind: 'ACCESS_DENIED' };
  const { frame } = answer;
  const rows = new Map(frame.keys.map((key, row) => [key, row]));
  const byName = new Map(frame.columns.map((column) => [column.name, column]));
  // A frame without rows need not know its columns.
  const values = (frame.n === 0 ? [] : columns).map(({ name, unit }) => {
    const column = byName.get(name);
    if (column?.unit !== unit)
      throw new CodedError('CONFLICT', `The features of ${modality} are not those that the model was trained on; train it again.`);
    return column.values;
  });
  return {
    kind: 'READ',
    stale: new Set(answer.stale),
    withheld: new Set(answer.withheld),
    valuesOf(patientId) {
      const row = rows.get(patientId);
      return row === undefined ? undefined : Float64Array.from(values, (column) => column[row] ?? NaN);
    },
  };
}

/** Why a modality that was not used for a person was not. The model itself never learns it: to it, all of them are one absent bit (F5). */
export function missingReason(supply: Supply, patientId: string, mayTell: boolean): MissingReason {
  if (supply.kind !== 'READ') return supply.kind;
  // A date of rows that the caller may read tells nothing new; rows that are withheld never reach the list of the stale.
  if (supply.stale.has(patientId)) return 'STALE';
  if (!mayTell) return 'UNAVAILABLE';
  return supply.withheld.has(patientId) ? 'POLICY_DENIED' : 'NOT_COLLECTED';
}
