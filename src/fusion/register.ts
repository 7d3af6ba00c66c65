import { CodedError, type Scope } from '../kernel/index.js';
import type { ModelCard } from './card.js';
import { FusionModel } from './model.js';
import { deserialiseLate, serialiseLate, type LateModel, type StoredModel } from './stages/late.js';
import { contentHash } from './train/canonical.js';

/** What a version is: the model, what it predicts and the versions of the features it reads. All of it stands behind the hash. */
export interface ModelContent {
  readonly model: LateModel;
  /** <label view>:<code>. */
  readonly label: string;
  /** Version of the feature view by modality. */
  readonly features: Readonly<Record<string, string>>;
}

/** A version as it stands in the register, its content checked against its hash. */
export interface RegisteredModel extends ModelContent {
  readonly modelId: string;
  readonly version: string;
  readonly hash: string;
  readonly state: string;
  readonly trainedOn: number;
  readonly events: number;
  readonly lineageId: string;
  readonly card: ModelCard;
}

/** Content at rest, in the column `parameters`. */
interface StoredContent extends Omit<ModelContent, 'model'> {
  readonly stored: StoredModel;
}

const VERSION_DIGITS = 12;
/** Verified contents kept; one is some kilobytes to some megabytes. */
const CACHED_MAX = 8;
const cached = new Map<string, ModelContent>();

const hashOf = ({ stored, label, features }: StoredContent): string => contentHash({ model: stored.hash, label, features });

/** Hash and version of a content, and the form it is stored in. The same content gives the same version (F16). */
export function sealed(content: ModelContent): { readonly hash: string; readonly version: string; readonly parameters: object } {
  const { model, label, features } = content;
  const parameters: StoredContent = { stored: serialiseLate(model), label, features };
  const hash = hashOf(parameters);
  return { hash, version: hash.slice(0, VERSION_DIGITS), parameters };
}

/** One version, or the newest where none is named. Undefined where there is none. */
export async function findModel(scope: Scope, modelId: string, version?: string): Promise<RegisteredModel | undefined> {
  const where = version === undefined ? { model_id: modelId } : { model_id: modelId, version };
  const [row] = await scope.records.find(FusionModel, where, { column: 'trained_at', descending: true });
  if (!row) return undefined;
  const hash = String(row['hash']);
  return {
    ...verified(hash, row['parameters'] as StoredContent),
    modelId: String(row['model_id']),
    version: String(row['version']),
    hash,
    state: String(row['state']),
    trainedOn: Number(row['trained_on']),
    events: Number(row['events']),
    lineageId: String(row['lineage_id']),
    card: row['card'] as ModelCard,
  };
}

/** Content that matches its hash; a version whose stored content was touched is refused (CONFLICT). */
function verified(hash: string, parameters: StoredContent): ModelContent {
  const known = cached.get(hash);
  if (known) return known;
  const { stored, label, features } = parameters;
  if (hashOf(parameters) !== hash) throw new CodedError('CONFLICT', 'The model does not match its content hash.');
  const content = { model: deserialiseLate(stored), label, features };
  const [oldest] = cached.keys();
  if (cached.size >= CACHED_MAX && oldest !== undefined) cached.delete(oldest);
  cached.set(hash, content);
  return content;
}

/** Writes a new version. It comes VALIDATED: training has evaluated every subset it may serve. */
export async function insertModel(scope: Scope, modelId: string, content: ModelContent, card: ModelCard): Promise<RegisteredModel> {
  const { hash, version, parameters } = sealed(content);
  const state = 'VALIDATED';
  await scope.records.insert(FusionModel, {
    id: `${modelId}@${version}`,
    model_id: modelId,
    version,
    hash,
    kind: content.model.kind,
    state,
    label: content.label,
    modalities: content.model.modalities.map(({ modality }) => modality),
    seed: content.model.seed,
    trained_on: card.n,
    events: card.events,
    trained_by: scope.principal.sub,
    trained_at: card.asOf,
    lineage_id: scope.lineageId,
    card,
    parameters,
  });
  return { ...content, modelId, version, hash, state, trainedOn: card.n, events: card.events, lineageId: scope.lineageId, card };
}
