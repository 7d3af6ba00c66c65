import { setImmediate as breathe } from 'node:timers/promises';
import { CodedError, LIMITS, type FeatureView, type Frame, type LabelView, type Scope } from '../kernel/index.js';
import { modelCard } from './card.js';
import type { TrainFusionInput } from './input.js';
import type { TrainedModel } from './model.js';
import { findModel, insertModel, sealed, type RegisteredModel } from './register.js';
import { trainingDataDigest } from './training-data.js';
import { evaluateLate, trainLate, withEvaluation } from './stages/late.js';

const PROTOCOL = { outerFolds: 5, bootstrapDraws: 200, interval: 0.95 } as const;
const MODEL_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SEED_MAX = 2 ** 31 - 1;

/** Persons with a label and any modality asked for, and what there is of them. */
interface Cohort {
  readonly frames: Record<string, Frame>;
  readonly labels: ReadonlyMap<string, 0 | 1>;
  readonly events: number;
}

/**
 * Trains, evaluates and registers a late fusion model on everything that the caller may train on (spec/fusion.md sections 3, 6).
 * It runs on the calling thread and lets the event loop turn between its steps. A training that gives a known version returns it as it is.
 * @throws CodedError BAD_INPUT on an unknown name or too few persons of a class, FORBIDDEN for a modality barred to the caller.
 */
export async function trainFusion(scope: Scope, input: TrainFusionInput): Promise<TrainedModel> {
  const { label, views } = checked(scope, input);
  const { frames, labels, events } = await cohortOf(scope, views, label, input.code);
  await breathe();
  const bare = trainLate(frames, labels, { seed: input.seed });
  await breathe();
  const evaluation = evaluateLate(frames, labels, {
    seed: input.seed,
    outerFolds: PROTOCOL.outerFolds,
    bootstrapDraws: PROTOCOL.bootstrapDraws,
  });
  const model = withEvaluation(bare, evaluation.masks);
  const content = {
    model,
    label: `${label.name}:${input.code}`,
    features: Object.fromEntries(views.filter((view) => uses(model.modalities, view)).map((view) => [view.modality, view.version])),
  };
  const known = await findModel(scope, input.modelId, sealed(content).version);
  const present = Object.fromEntries(
    Object.entries(frames).map(([name, frame]) => [name, frame.keys.filter((key) => labels.has(key)).length]),
  );
  const facts = {
    label,
    code: input.code,
    views,
    present,
    n: labels.size,
    events,
    asOf: scope.now,
    lineageId: scope.lineageId,
    trainingData: trainingDataDigest(frames, labels),
    protocol: PROTOCOL,
  };
  const registered = known ?? (await insertModel(scope, input.modelId, content, modelCard(model, evaluation, facts)));
  scope.trace({
    model: { id: registered.modelId, version: registered.version, hash: registered.hash, known: known !== undefined },
    datasets: content.features,
    modalities: model.modalities.map(({ modality }) => modality),
    inputs: Object.fromEntries(
      views.map((view) => [
        view.modality,
        { features: view.version, used: uses(model.modalities, view), persons: present[view.modality] ?? 0 },
      ]),
    ),
    training: { data: facts.trainingData, lineageId: registered.lineageId },
    n: labels.size,
  });
  return trainedModel(registered);
}

const uses = (parts: readonly { readonly modality: string }[], view: FeatureView): boolean =>
  parts.some(({ modality }) => modality === view.modality);

function checked(scope: Scope, input: TrainFusionInput): { label: LabelView; views: FeatureView[] } {
  const fault = (message: string, place: string): CodedError => new CodedError('BAD_INPUT', message, { place: `input.${place}` });
  if (!MODEL_ID.test(input.modelId))
    throw fault('A model is named by lower-case letters, digits, dots, dashes and underscores, at most 64.', 'modelId');
  if (input.code === '') throw fault('The code of the outcome is empty.', 'code');
  if (input.seed < 0 || input.seed > SEED_MAX) throw fault('The seed is not negative.', 'seed');
  const label = scope.labelViews.find((view) => view.name === input.label);
  if (!label) throw fault('No product declares this label.', 'label');
  const names = input.modalities ?? scope.views.map((view) => view.modality).filter((modality) => modality !== 'CLINICAL');
  const views = [...new Set(names)].sort().map((name, at) => {
    const view = scope.views.find((each) => each.modality === name);
    if (!view) throw fault('No product yields features of this modality.', `modalities.${at}`);
    return view;
  });
  if (views.length === 0) throw fault('Training needs at least one modality.', 'modalities');
  return { label, views };
}

async function cohortOf(scope: Scope, views: readonly FeatureView[], label: LabelView, code: string): Promise<Cohort> {
  const ids = await scope.allPatients(LIMITS.fusion_patients_max);
  const known = await scope.labels(label, ids, code);
  const labelled = ids.filter((id) => known.has(id));
  const frames: Record<string, Frame> = {};
  for (const view of views) {
    const answer = await scope.features(view, labelled, scope.now, 'train');
    if (answer.barred) throw new CodedError('FORBIDDEN', `Training may not use ${view.modality}.`);
    frames[view.modality] = answer.frame;
    await breathe();
  }
  const seen = new Set(Object.values(frames).flatMap((frame) => frame.keys));
  const labels = new Map([...known].filter(([id]) => seen.has(id)));
  let events = 0;
  for (const value of labels.values()) events += value;
  if (Math.min(events, labels.size - events) < LIMITS.small_cell_min) {
    throw new CodedError('BAD_INPUT', `Training needs at least ${LIMITS.small_cell_min} persons with the outcome and as many without it.`, {
      place: 'input.code',
    });
  }
  return { frames, labels, events };
}

function trainedModel({ modelId, version, hash, trainedOn, events, model, card, lineageId }: RegisteredModel): TrainedModel {
  const modalities = model.modalities.map(({ modality }) => modality);
  const aurocByMask = card.masks.map(({ modalities: subset, n, auroc, aurocLow, aurocHigh, ece }) => ({
    modalities: [...subset],
    n,
    auroc,
    aurocLow,
    aurocHigh,
    ece,
  }));
  return { modelId, version, hash, trainedOn, events, modalities, aurocByMask, lineageId };
}
