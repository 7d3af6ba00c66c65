import { createHash } from 'node:crypto';
import {
  ACTIONS,
  CodedError,
  MASKS,
  PURPOSES,
  TAGS,
  isTag,
  type Forbid,
  type Grant,
  type PolicyDeclaration,
  type Predicate,
} from '../kernel/index.js';

/** The one policy: the declarations of all products together, checked, with a version that is a digest of its content. */
export interface Policy {
  readonly version: string;
  readonly grants: readonly Grant[];
  readonly forbids: readonly Forbid[];
}

/** Joins what the products declare. Unknown names and repeated ids are refused by name (POLICY_INVALID). */
export function composePolicy(declarations: readonly PolicyDeclaration[]): Policy {
  const grants = declarations.flatMap((each) => each.grants);
  const forbids = declarations.flatMap((each) => each.forbids ?? []);
  const faults: string[] = [];
  const ids = new Set<string>();
  for (const rule of [...grants, ...forbids]) {
    if (ids.has(rule.id)) faults.push(`${rule.id}: the id is used twice`);
    ids.add(rule.id);
    if (rule.purposes.length === 0 || rule.tags.length === 0) faults.push(`${rule.id}: no purpose or no tag`);
    for (const tag of rule.tags) if (!isTag(tag)) faults.push(`${rule.id}: unknown tag ${tag as string}`);
    for (const purpose of rule.purposes)
      if (!Object.hasOwn(PURPOSES, purpose)) faults.push(`${rule.id}: unknown purpose ${purpose as string}`);
  }
  for (const grant of grants) {
    for (const action of grant.actions) if (!ACTIONS.includes(action)) faults.push(`${grant.id}: unknown action ${action as string}`);
    for (const [tag, mask] of Object.entries(grant.masks ?? {})) {
      if (!isTag(tag)) faults.push(`${grant.id}: unknown tag ${tag}`);
      if (!MASKS.includes(mask)) faults.push(`${grant.id}: unknown mask ${mask as string}`);
    }
    if (!known(grant.rows)) faults.push(`${grant.id}: unknown row predicate`);
  }
  if (faults.length > 0) throw new CodedError('POLICY_INVALID', `The policy is refused. ${faults.join('; ')}.`);
  const version = createHash('sha256')
    .update(canonical({ tags: TAGS, grants, forbids }))
    .digest('hex')
    .slice(0, 16);
  return Object.freeze({ version, grants, forbids });
}

const ATTRIBUTES: ReadonlySet<string> = new Set(['site', 'sensitivity', 'principal']);
const ASKED_OF_ME: ReadonlySet<string> = new Set(['sub', 'sites']);

function known(predicate: Predicate): boolean {
  switch (predicate.op) {
    case 'true':
    case 'false':
    case 'consent':
      return true;
    case 'in':
      return ATTRIBUTES.has(predicate.attribute) && ASKED_OF_ME.has(predicate.me);
    case '<=':
      return ATTRIBUTES.has(predicate.attribute) && Number.isInteger(predicate.literal);
    case 'and':
    case 'or':
      return predicate.of.length > 0 && predicate.of.every(known);
    default:
      return false;
  }
}

/** JSON with keys in order (RFC 8785 for the values that occur here), so that equal content has one digest. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}
