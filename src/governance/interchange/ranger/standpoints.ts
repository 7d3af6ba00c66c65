import { CodedError, type Action, type Mask, type Predicate } from '../../../kernel/index.js';
import { evaluateRanger } from './evaluate.js';
import { policiesOf, type Item, type RangerModel, type RangerPolicy, type RangerRequest, type ResourceValues } from './model.js';
import { predicateOf } from './row-filter.js';

/** Somebody as the policies know people. Everyone is who is named by nothing. */
export interface Principal {
  readonly kind: 'everyone' | 'user' | 'group' | 'role';
  readonly name: string;
}

export const EVERYONE: Principal = { kind: 'everyone', name: '' };

/** The access types of Ranger's services that are actions of the product; all others have no counterpart. */
const ACCESS_TYPES: readonly (readonly [Action, readonly string[]])[] = [
  ['read', ['select', 'read']],
  ['write', ['update', 'write']],
  ['execute', ['execute']],
];

const MASK_TYPES: Readonly<Record<string, Mask | null>> = {
  MASK: 'REDACT',
  MASK_SHOW_LAST_4: 'LAST4',
  MASK_SHOW_FIRST_4: 'FIRST4',
  MASK_HASH: 'HASH',
  MASK_NULL: 'NULL',
  MASK_NONE: null,
  MASK_DATE_SHOW_YEAR: 'YEAR',
};

/** Nobody who is named in a document is called this. */
const UNNAMED = '*';

/** What Ranger says to some people about one column and one action. */
export interface Answer {
  readonly allowed: boolean;
  /** A policy refuses, so that no other policy of its rank can allow. */
  readonly denied: boolean;
  readonly mask: Mask | null;
  readonly rows: Predicate | null;
}

/** The access type that asks for an action, or null where the service knows none. */
export function accessTypeOf(model: RangerModel, action: Action): string | null {
  const names = ACCESS_TYPES.find(([each]) => each === action)?.[1] ?? [];
  return names.find((name) => model.service.accessTypes.includes(name)) ?? null;
}

export const actionOf = (accessType: string): Action | null =>
  ACCESS_TYPES.find(([, names]) => names.includes(accessType.toLowerCase()))?.[0] ?? null;

export const ACTIONS_ASKED = ACCESS_TYPES.map(([action]) => action);

/** All items of a policy, whatever they do. */
export const itemsOf = (policy: RangerPolicy): readonly Item[] =>
  [policy.allow, policy.allowExceptions, policy.deny, policy.denyExceptions, policy.masks, policy.filters].flat();

/** Everybody whom a document names. */
export function principalsOf(model: RangerModel): readonly Principal[] {
  const items = policiesOf(model).flatMap(itemsOf);
  const of = (kind: Principal['kind'], names: Iterable<string>): Principal[] =>
    [...new Set(names)]
      .filter((name) => name !== '' && !name.startsWith('{'))
      .sort()
      .map((name) => ({ kind, name }));
  return [
    EVERYONE,
    ...of('user', [...items.flatMap((item) => item.users), ...model.superUsers]),
    ...of(
      'group',
      [...items.flatMap((item) => item.groups), ...model.superGroups].filter((name) => name !== 'public'),
    ),
    ...of(
      'role',
      items.flatMap((item) => item.roles),
    ),
  ];
}

export interface Question {
  readonly resource: ResourceValues;
  /** The resource without its last level, at which rows are filtered. */
  readonly table: ResourceValues;
  readonly action: Action;
  readonly people: readonly Principal[];
  readonly at: number;
}

/** Asks Ranger's policies on behalf of people. What cannot be said in the product throws (POLICY_INVALID). */
export function answer(model: RangerModel, { resource, table, action, people, at }: Question): Answer {
  const accessType = accessTypeOf(model, action);
  if (accessType === null) return { allowed: false, denied: false, mask: null, rows: null };
  const request = requestFor(people, accessType, at);
  const access = evaluateRanger(model, { ...request, resource }, 'access');
  if (!access.allowed) return { allowed: false, denied: access.policyId !== null, mask: null, rows: null };
  const { mask } = evaluateRanger(model, { ...request, resource }, 'mask');
  if (mask !== null && (!Object.hasOwn(MASK_TYPES, mask.type) || mask.condition !== null || mask.value !== null))
    throw notSaid(`the mask ${mask.type}`);
  const { filter } = evaluateRanger(model, { ...request, resource: table }, 'row filter');
  const rows = filter === null ? null : predicateOf(filter);
  if (filter !== null && rows === null) throw notSaid('a row filter');
  return { allowed: true, denied: false, mask: mask === null ? null : (MASK_TYPES[mask.type] ?? null), rows };
}

const notSaid = (what: string): CodedError =>
  new CodedError('POLICY_INVALID', `A policy asks for ${what}, which is not in the closed language.`);

function requestFor(people: readonly Principal[], accessType: string, at: number): Omit<RangerRequest, 'resource'> {
  const named = (kind: Principal['kind']): string[] => people.filter((each) => each.kind === kind).map((each) => each.name);
  const asked = { accessType, user: named('user')[0] ?? UNNAMED, groups: named('group'), roles: named('role'), at };
  return { ...asked, owner: null, descendants: false, scopes: {}, tags: null, context: {}, attributes: {} };
}
