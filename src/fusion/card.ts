import { LIMITS, type FeatureView, type LabelView } from '../kernel/index.js';
import type { LateEvaluation, LateModel, LateWarning, MaskReport } from './stages/late.js';

/** Metrics of one subset; all but its name are null where it rests on too few persons to be told. */
export interface CardMetrics {
  readonly modalities: readonly string[];
  readonly n: number | null;
  readonly events: number | null;
  readonly auroc: number | null;
  readonly aurocLow: number | null;
  readonly aurocHigh: number | null;
  readonly auprc: number | null;
  readonly brier: number | null;
  readonly ece: number | null;
  readonly calibrationSlope: number | null;
  readonly calibrationIntercept: number | null;
  readonly coverage: number | null;
}

export interface CardModality {
  readonly modality: string;
  readonly featuresVersion: string;
  readonly features: readonly { readonly name: string; readonly unit: string; readonly description: string }[];
  /** Share of the cohort without it; null where the count behind it is too small to be told. */
  readonly missingRate: number | null;
  /** Null where the modality had too few rows of both classes; the model does not use it then. */
  readonly droppedColumns: readonly { readonly column: string; readonly reason: string }[] | null;
}

/** An attribute that people write (45 CFR 170.315(b)(11)(iv)(B)); null until somebody did. */
export interface CardText {
  readonly row: string;
  readonly name: string;
  readonly value: string | null;
  readonly notAvailableBecause: string;
}

/** The model card (spec/fusion.md F37): plain JSON, made once with the version and never changed. */
export interface ModelCard {
  readonly label: { readonly view: string; readonly code: string; readonly description: string };
  readonly kind: string;
  readonly strategy: 'LATE';
  readonly usesMissingnessIndicator: false;
  readonly seed: number;
  readonly dropoutRates: readonly number[];
  readonly n: number;
  readonly events: number;
  /** Instant up to which data were used, ISO 8601. */
  readonly asOf: string;
  readonly lineageId: string;
  /** Digest of the rows and labels that were learnt from; two trainings on the same data have the same. */
  readonly trainingData: string;
  readonly modalities: readonly CardModality[];
  readonly protocol: { readonly outerFolds: number; readonly bootstrapDraws: number; readonly interval: number };
  /** Persons as they are, whatever modalities they have. */
  readonly natural: CardMetrics;
  readonly masks: readonly CardMetrics[];
  readonly warnings: readonly LateWarning[];
  readonly text: readonly CardText[];
}

export interface CardFacts {
  readonly label: LabelView;
  readonly code: string;
  readonly views: readonly FeatureView[];
  /** Persons of the cohort that have the modality, by its name. */
  readonly present: Readonly<Record<string, number>>;
  readonly n: number;
  readonly events: number;
  readonly asOf: number;
  readonly lineageId: string;
  readonly trainingData: string;
  readonly protocol: ModelCard['protocol'];
}

const TEXT_ROWS = {
  '1.i': 'Developer and contact',
  '1.ii': 'Funding of the technical implementation',
  '2.i': 'Intended use',
  '2.ii': 'Intended patient population',
  '2.iii': 'Intended users',
  '2.iv': 'Role in the decision',
  '3.i': 'Uses cautioned against',
  '3.ii': 'Known risks and limits',
  '4.iv': 'Relevance of the training data to the place of use',
  '5.i': 'Approach to fair output',
  '5.ii': 'Approach to bias',
} as const;

export function modelCard(model: LateModel, evaluation: LateEvaluation, facts: CardFacts): ModelCard {
  return {
    label: { view: facts.label.name, code: facts.code, description: facts.label.description },
    kind: model.kind,
    strategy: 'LATE',
    usesMissingnessIndicator: model.usesMissingnessIndicator,
    seed: model.seed,
    dropoutRates: model.dropoutRates,
    n: facts.n,
    events: facts.events,
    asOf: new Date(facts.asOf).toISOString(),
    lineageId: facts.lineageId,
    trainingData: facts.trainingData,
    modalities: facts.views.map((view) => cardModality(model, view, facts)),
    protocol: facts.protocol,
    natural: told(evaluation.natural),
    masks: evaluation.masks
      .filter(({ modalities }) => modalities.every((name) => model.modalities.some((part) => part.modality === name)))
      .map(told),
    warnings: model.warnings,
    text: Object.entries(TEXT_ROWS).map(([row, name]) => ({
      row,
      name,
      value: null,
      notAvailableBecause: 'Nobody has stated it for this version.',
    })),
  };
}

function cardModality(model: LateModel, view: FeatureView, facts: CardFacts): CardModality {
  const part = model.modalities.find(({ modality }) => modality === view.modality);
  const present = facts.present[view.modality] ?? 0;
  return {
    modality: view.modality,
    featuresVersion: view.version,
    features: view.features.map(({ name, unit, description }) => ({ name, unit, description })),
    missingRate: isSmall(present) || isSmall(facts.n - present) ? null : 1 - present / facts.n,
    droppedColumns: part ? part.dropped.map(({ column, reason }) => ({ column, reason })) : null,
  };
}

/** Counts of persons from 1 to the smallest cell less one are not told; zero is. */
export const isSmall = (count: number): boolean => count > 0 && count < LIMITS.small_cell_min;

function told(report: MaskReport): CardMetrics {
  const { modalities, n, events } = report;
  if (![n, events, n - events].some(isSmall)) return { ...report };
  const hidden = { n: null, events: null, auroc: null, aurocLow: null, aurocHigh: null, auprc: null, brier: null };
  return { modalities, ...hidden, ece: null, calibrationSlope: null, calibrationIntercept: null, coverage: null };
}
