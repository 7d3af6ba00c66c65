import { setImmediate as breathe } from 'node:timers/promises';
import { CodedError, LIMITS, MODALITIES, type Modality, type Scope } from '../kernel/index.js';
import { isSmall } from './card.js';
import type { RunFusionInput } from './input.js';
import { mayTellWithheld, missingReason, readSupply, type Supply } from './missing.js';
import { findModel, type RegisteredModel } from './register.js';
import type { FusionResult, FusionRun } from './result.js';
import { scoreLate, type LateModel } from './stages/late.js';

/** Persons scored between two turns of the event loop. */
const SCORED_AT_ONCE = 500;
const LEVELS = { min: 0.5, max: 0.999 } as const;

type Supplies = ReadonlyMap<string, Supply>;

/**
 * Scores persons from the modalities that exist and may be used (spec/fusion.md sections 2, 7, 8). A modality barred to the caller is
 * not read, so neither its values nor its existence can reach the model; results stand in the order of the persons asked for.
 * @throws CodedError BAD_INPUT on arguments out of range, NOT_FOUND without such a model, CONFLICT where model or features were changed.
 */
export async function runFusion(scope: Scope, input: RunFusionInput): Promise<FusionRun> {
  checkInput(input);
  const registered = await findModel(scope, input.modelId, input.modelVersion ?? undefined);
  if (!registered) throw new CodedError('NOT_FOUND', 'There is no such model, or not in this version.', { place: 'input.modelId' });
  const ids = [...new Set(input.patientIds)];
  const visible = await scope.visiblePatients(ids);
  const suspended = registered.state === 'SUSPENDED' || registered.state === 'RETIRED';
  const shown = ids.filter((id) => visible.has(id));
  // For nobody nothing is read, not even to find nothing.
  const supplies: Supplies = suspended || shown.length === 0 ? new Map() : await suppliesOf(scope, registered, shown, input.modalities);
  const mayTell = mayTellWithheld(scope);
  const results = new Map<string, FusionResult>(ids.map((patientId) => [patientId, { patientId, status: 'DENIED' }]));
  for (const [at, patientId] of shown.entries()) {
    if (at > 0 && at % SCORED_AT_ONCE === 0) await breathe();
    results.set(
      patientId,
      suspended
        ? { patientId, status: 'ABSTAINED', abstainReason: 'MODEL_SUSPENDED' }
        : scored(registered.model, supplies, patientId, mayTell, input),
    );
  }
  trace(scope, registered, supplies, [...results.values()]);
  return {
    runId: scope.lineageId,
    lineageId: scope.lineageId,
    modelId: registered.modelId,
    modelVersion: registered.version,
    results: input.patientIds.flatMap((id) => results.get(id) ?? []),
  };
}

function checkInput(input: RunFusionInput): void {
  const fault = (message: string, place: string): CodedError => new CodedError('BAD_INPUT', message, { place: `input.${place}` });
  const count = input.patientIds.length;
  if (count === 0 || count > LIMITS.fusion_patients_max)
    throw fault(`A run takes 1 to ${LIMITS.fusion_patients_max} persons.`, 'patientIds');
  if (!(input.level >= LEVELS.min && input.level <= LEVELS.max))
    throw fault(`The level lies from ${LEVELS.min} to ${LEVELS.max}.`, 'level');
  const strange = input.modalities?.findIndex((name) => !Object.hasOwn(MODALITIES, name)) ?? -1;
  if (strange >= 0) throw fault('There is no such modality.', `modalities.${strange}`);
}

/** Asks for the features of each modality of the model that the caller wants used; whether it is barred is decided before any is read (F4). */
async function suppliesOf(
  scope: Scope,
  registered: RegisteredModel,
  ids: readonly string[],
  wanted: readonly string[] | null | undefined,
): Promise<Supplies> {
  const supplies = new Map<string, Supply>();
  for (const part of registered.model.modalities) {
    supplies.set(
      part.modality,
      wanted && !wanted.includes(part.modality) ? { kind: 'NOT_REQUESTED' } : await supplyOf(scope, registered, part, ids),
    );
  }
  return supplies;
}

async function supplyOf(
  scope: Scope,
  registered: RegisteredModel,
  part: LateModel['modalities'][number],
  ids: readonly string[],
): Promise<Supply> {
  const modality = part.modality as Modality;
  const view = scope.views.find((each) => each.modality === modality);
  if (!view) return { kind: 'UNAVAILABLE' };
  if (view.version !== registered.features[modality]) {
    throw new CodedError('CONFLICT', `The features of ${modality} are not those that the model was trained on; train it again.`);
  }
  return readSupply(modality, await scope.features(view, ids, scope.now, 'feature'), part.columns);
}

function scored(
  model: LateModel,
  supplies: Supplies,
  patientId: string,
  mayTell: boolean,
  options: { explain: boolean; level: number },
): FusionResult {
  const present: Record<string, Float64Array> = {};
  for (const [modality, supply] of supplies) {
    const values = supply.kind === 'READ' && !supply.stale.has(patientId) ? supply.valuesOf(patientId) : undefined;
    if (values) present[modality] = values;
  }
  const answer = scoreLate(model, present, options);
  const mask = [...answer.mask];
  const missing = [...supplies]
    .filter(([modality]) => !mask.includes(modality))
    .map(([modality, supply]) => ({ modality, reason: missingReason(supply, patientId, mayTell) }));
  if (answer.status === 'ABSTAINED') return { patientId, status: 'ABSTAINED', mask, missing, abstainReason: answer.reason };
  const { n, method } = answer.calibration;
  return {
    patientId,
    status: 'PREDICTED',
    probability: answer.probability,
    baseline: answer.baseline,
    labelSet: [...answer.labelSet.labels],
    mask,
    missing,
    ...(answer.contributions
      ? { contributions: answer.contributions.map(({ modality, logit }) => ({ modality, contribution: logit })) }
      : {}),
    calibration: { maskGroup: mask.join('+'), n: isSmall(n) ? null : n },
    warnings: warningsOf(model, mask, method),
  };
}

/** Warnings depend on the mask and on nothing else of the person. */
function warningsOf(model: LateModel, mask: readonly string[], method: 'PLATT' | 'SHARED_SLOPE'): string[] {
  const dropped = 1 - mask.length / model.modalities.length;
  return [
    ...(dropped > Math.max(...model.dropoutRates) ? ['MASK_SPARSER_THAN_TRAINED'] : []),
    ...(method === 'SHARED_SLOPE' ? ['CALIBRATION_SHARED'] : []),
    ...model.warnings
      .filter(({ code, modality }) => code === 'LABEL_LEAK' && mask.includes(modality))
      .map(({ modality }) => `LABEL_LEAK:${modality}`),
  ];
}

/** What the lineage record keeps of a run: versions, what became of each modality, what was missing, and counts. */
function trace(scope: Scope, registered: RegisteredModel, supplies: Supplies, results: readonly FusionResult[]): void {
  const counts: Record<string, number> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  const withheld = [...supplies].map(
    ([modality, supply]) => [modality, supply.kind === 'READ' ? supply.withheld.size : supply.kind] as const,
  );
  scope.trace({
    model: { id: registered.modelId, version: registered.version, hash: registered.hash },
    training: { data: registered.card.trainingData, lineageId: registered.lineageId, persons: registered.trainedOn },
    datasets: registered.features,
    modalities: [...supplies].filter(([, supply]) => supply.kind === 'READ').map(([modality]) => modality),
    inputs: Object.fromEntries(
      [...supplies].map(([modality, { kind }]) => [
        modality,
        {
          features: registered.features[modality],
          supply: kind,
          persons: results.filter(({ mask }) => mask?.includes(modality)).length,
        },
      ]),
    ),
    groups: groupsOf(results),
    withheld: Object.fromEntries(withheld),
    results: counts,
  });
}

/** Every result lies in one group: its status, the modalities that were used, and those that were missing with the reason. */
function groupsOf(results: readonly FusionResult[]): readonly Record<string, unknown>[] {
  const groups = new Map<string, { readonly group: Record<string, unknown>; results: number }>();
  for (const { status, abstainReason, mask = [], missing = [] } of results) {
    const reasons = Object.fromEntries(missing.map(({ modality, reason }) => [modality, reason]));
    const group = { status, ...(abstainReason ? { abstainReason } : {}), used: mask, missing: reasons };
    const key = JSON.stringify(group);
    const known = groups.get(key);
    if (known) known.results += 1;
    else groups.set(key, { group, results: 1 });
  }
  return [...groups.values()].map(({ group, results: n }) => ({ ...group, results: n }));
}
