import { allHold, type Circumstances } from './condition.js';
import { ADMIN, ANY, type Item, type MaskInfo, type MatchType, type PolicyKind, type RangerPolicy, type RangerRequest } from './model.js';

/** What is known after some policies were asked. A verdict that is determined is not changed by policies that come later. */
export interface Standing {
  readonly allowed: boolean;
  readonly determined: boolean;
  readonly priority: number;
  readonly policyId: number | null;
  readonly mask: MaskInfo | null;
  readonly filter: string | null;
}

export const NOTHING_SAID: Standing = { allowed: false, determined: false, priority: 0, policyId: null, mask: null, filter: null };

/** What the policies of one evaluation said about single access types, where a request asks for several. */
export type ByAccessType = Map<string, Standing>;

/** Asks one policy whose resources match. */
export function decide(
  policy: RangerPolicy,
  match: MatchType,
  standing: Standing,
  circumstances: Circumstances,
  said: ByAccessType,
): Standing {
  const { request } = circumstances;
  if (!concerns(policy, request) || !allHold(policy.conditions, policy.service, circumstances)) return standing;
  if (request.accessTypes === undefined || request.accessTypes.length === 0) {
    return applied(policy, match, standing, outcomeOf(policy, request.accessType, circumstances));
  }
  for (const accessType of request.accessTypes) {
    const one = applied(policy, match, NOTHING_SAID, outcomeOf(policy, accessType, circumstances));
    if (!one.allowed && !one.determined) continue;
    const before = said.get(accessType);
    if (before === undefined || replaces(policy, before, one, request.accessType === ANY)) said.set(accessType, one);
    if (request.accessType === ANY && one.allowed) break;
  }
  return together(request, said) ?? standing;
}

type Outcome = 'deny' | Item | null;

/** What a policy says about one access type: deny unless excepted, then allow unless excepted, then whether it denies all else. */
function outcomeOf(policy: RangerPolicy, accessType: string, circumstances: Circumstances): Outcome {
  const first = (items: readonly Item[]): Item | null => items.find((item) => matches(policy, item, accessType, circumstances)) ?? null;
  if (policy.kind === 'mask') return withContent(first(policy.masks), 'mask');
  if (policy.kind === 'row filter') return withContent(first(policy.filters), 'filter');
  if (first(policy.deny) !== null && first(policy.denyExceptions) === null) return 'deny';
  const allow = first(policy.allow);
  if (allow !== null && first(policy.allowExceptions) === null) return allow;
  return policy.denyAllElse ? 'deny' : null;
}

/** An item without a mask or filter of its own says nothing. */
const withContent = (item: Item | null, content: 'mask' | 'filter'): Item | null => ((item?.[content] ?? null) === null ? null : item);

function matches({ service }: RangerPolicy, item: Item, accessType: string, circumstances: Circumstances): boolean {
  if (!isFor(item, circumstances.request)) return false;
  if (accessType === ADMIN) return item.delegateAdmin;
  return item.accesses.has(accessType.toLowerCase()) && allHold(item.conditions, service, circumstances);
}

function isFor({ users, groups, roles }: Item, request: RangerRequest): boolean {
  const { user, owner } = request;
  if (user !== null && (users.includes('{USER}') || users.includes(user) || (users.includes('{OWNER}') && user === owner))) return true;
  return (
    groups.includes('public') ||
    request.groups.some((group) => groups.includes(group)) ||
    request.roles.some((role) => roles.includes(role))
  );
}

const concerns = (policy: RangerPolicy, request: RangerRequest): boolean =>
  policy.denyAllElse || [policy.allow, policy.deny, policy.masks, policy.filters].flat().some((item) => isFor(item, request));

function applied(policy: RangerPolicy, match: MatchType, standing: Standing, outcome: Outcome): Standing {
  if (outcome === null) return standing;
  const source = { priority: policy.priority, policyId: policy.id };
  // What is refused further down does not refuse the whole.
  if (outcome === 'deny') return match === 'descendant' ? standing : { ...standing, ...source, allowed: false, determined: true };
  const { mask, filter } = outcome;
  return { ...standing, ...(standing.allowed ? {} : source), allowed: true, mask, filter };
}

/** Whether what a policy says about an access type takes the place of what an earlier one said. */
function replaces(policy: RangerPolicy, before: Standing, now: Standing, any: boolean): boolean {
  const above = policy.priority - before.priority;
  if (before.allowed) return !now.allowed || policy.kind !== 'access' ? above >= 0 : above > 0;
  return now.allowed && any ? above >= 0 : above > 0;
}

/** The verdict over several access types, or null while some of them is open. */
function together(request: RangerRequest, said: ByAccessType): Standing | null {
  const groups = request.accessTypeGroups ?? [];
  if (groups.length === 0) return ofGroup(request.accessTypes ?? [], request, said);
  const each = groups.map((group) => ofGroup(group, request, said));
  const denied = each.find((one) => one !== null && !one.allowed);
  if (denied) return denied;
  return each.includes(null) ? null : (each[0] ?? null);
}

/** One access type of a group is enough; it is denied where every one of them is. */
function ofGroup(group: readonly string[], { unlessDenied = [] }: RangerRequest, said: ByAccessType): Standing | null {
  const each = group.map((accessType) => said.get(accessType));
  const allowed = each.find((one) => one?.allowed);
  if (allowed) return allowed;
  if (each.length > 0 && each.every((one) => one !== undefined)) return each[0] ?? null;
  return group.every((accessType) => unlessDenied.includes(accessType)) ? { ...NOTHING_SAID, allowed: true } : null;
}

/** Which policies of a kind are asked. */
export const ofKind = (policies: readonly RangerPolicy[], kind: PolicyKind): RangerPolicy[] =>
  policies.filter((policy) => policy.kind === kind);
