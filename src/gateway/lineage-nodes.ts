import { CodedError, isUuid, type LineageNodeFacts, type LineageNodeKind } from '../kernel/index.js';

/** A node by its stable name, taken apart. */
export interface NodeName {
  readonly id: string;
  readonly kind: Exclude<LineageNodeKind, 'HIDDEN'>;
  /** What stands after the colon; of a field, its plan. */
  readonly key: string;
}

const KINDS = {
  file: ['FILE', /^[0-9a-f]{64}$/],
  dataset: ['DATASET', /^[a-z][a-z0-9_]{0,62}$/],
  column: ['COLUMN', /^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$/],
  plan: ['PLAN', /^[0-9a-f]{64}$/],
  field: ['FIELD', /^[0-9a-f]{64}#.{1,512}$/],
  run: ['RUN', /^[0-9a-fA-F-]{36}$/],
  principal: ['PRINCIPAL', /^.{1,512}$/],
  model: ['MODEL', /^[a-z0-9][a-z0-9._-]{0,63}@[0-9a-f]{1,64}$/],
} as const satisfies Record<string, readonly [NodeName['kind'], RegExp]>;

export const HIDDEN: LineageNodeFacts = { id: 'hidden', kind: 'HIDDEN', name: null, hidden: true };

/** Throws BAD_INPUT for what is no name of a node, whether there is such a node or not. */
export function nodeName(id: string, place: string): NodeName {
  const at = id.indexOf(':');
  const prefix = id.slice(0, at);
  const key = id.slice(at + 1);
  const known = Object.hasOwn(KINDS, prefix) ? KINDS[prefix as keyof typeof KINDS] : undefined;
  if (!known?.[1].test(key) || (prefix === 'run' && !isUuid(key)))
    throw new CodedError('BAD_INPUT', `A node is named ${Object.keys(KINDS).join(', ')}, a colon and what it is.`, { place });
  if (prefix === 'run') return { id: id.toLowerCase(), kind: 'RUN', key: key.toLowerCase() };
  return { id, kind: known[0], key: prefix === 'field' ? key.slice(0, key.indexOf('#')) : key };
}

/** A name that this mesh made itself. */
export const ownName = (id: string): NodeName => nodeName(id, 'id');
