import type { Item, RangerPolicy, ResourcePattern } from './model.js';

/** True where a policy can refuse: it is asked before those that only allow. */
export const canDeny = (policy: RangerPolicy): boolean => policy.denyAllElse || policy.deny.length > 0;

/**
 * The order of evaluation: OVERRIDE before NORMAL, policies that deny before those that only allow, then those that are likely to match
 * before narrow ones, then names. The outcome for access does not hang on the last two; which mask or filter is the first does.
 */
export function evaluationOrder(a: RangerPolicy, b: RangerPolicy): number {
  return b.priority - a.priority || Number(canDeny(b)) - Number(canDeny(a)) || rank(a) - rank(b) || byName(a, b);
}

export const byName = (a: RangerPolicy, b: RangerPolicy): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const ranks = new WeakMap<RangerPolicy, number>();

/** Ranger's score of a policy: the lower, the earlier. Points are taken off for breadth of resources, of people and of rights. */
function rank(policy: RangerPolicy): number {
  let known = ranks.get(policy);
  if (known === undefined) ranks.set(policy, (known = rankOf(policy)));
  return known;
}

function rankOf(policy: RangerPolicy): number {
  const items = [policy.allow, policy.deny, policy.allowExceptions, policy.denyExceptions, policy.masks, policy.filters].flat();
  const breadth = Object.values(policy.resources[0] ?? {}).reduce((sum, each) => sum + breadthOf(each), 0);
  const dynamic = policy.resources.some((patterns) =>
    Object.values(patterns).some(({ values }) => values.some((value) => /\{.*\}/.test(value))),
  );
  const people = distinct(items, (item) => [...item.users, ...item.groups.map((group) => `group ${group}`)]);
  const everybody = policy.denyAllElse || items.some(({ users, groups }) => users.includes('{USER}') || groups.includes('public'));
  const rights = distinct(items, (item) => [...item.accesses]);
  const share = Math.round((25 * rights) / Math.max(1, policy.service.accessTypes.length));
  const conditions = policy.conditions.length + items.reduce((sum, item) => sum + item.conditions.length, 0);
  return (dynamic ? 20 : 0) - Math.min(100, breadth) - (everybody ? 25 : Math.min(25, people)) - share - Math.max(0, 25 - 5 * conditions);
}

const distinct = (items: readonly Item[], of: (item: Item) => readonly string[]): number => new Set(items.flatMap(of)).size;

function breadthOf({ values, excludes, recursive }: ResourcePattern): number {
  if (values.length === 0) return 0;
  if (values.some((value) => value === '' || value === '*')) return 25;
  const wild = values.some((value) => value.includes('*')) ? 10 : values.some((value) => value.includes('?')) ? 5 : 0;
  return wild + (excludes ? 5 : 0) + (recursive ? 5 : 0);
}
