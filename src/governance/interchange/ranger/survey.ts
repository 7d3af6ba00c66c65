import { CodedError, isCoded, canonical, type Action } from '../../../kernel/index.js';
import { policiesOf, onlyPolicies, type RangerModel, type RangerPolicy, type ResourceValues } from './model.js';
import { matchOf } from './resource.js';
import { boundariesOf } from './schedule.js';
import { ACTIONS_ASKED, EVERYONE, answer, itemsOf, principalsOf, type Answer, type Principal } from './standpoints.js';

/** More people than this make too many pairs to ask about. */
const PEOPLE_MAX = 60;

/** Time from `from` to before `to`, in milliseconds since 1970, in which no schedule begins or ends. */
export interface Interval {
  readonly from: number | null;
  readonly to: number | null;
  /** A moment inside. */
  readonly at: number;
}

/** What Ranger says about one column, to everybody alone and to every two who one person can be. */
export interface Surveyed {
  readonly column: string;
  readonly product: string;
  readonly table: string;
  /** By `keyOf`. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Equal for columns about which Ranger says the same. */
  readonly signature: string;
}

export interface Refused {
  /** Null where no single policy is the reason. */
  readonly policyId: number | null;
  readonly reason: string;
  /** Columns to which the import therefore gives nothing. */
  readonly columns: readonly string[];
}

export interface Survey {
  readonly columns: readonly Surveyed[];
  readonly people: readonly Principal[];
  /** Everybody alone, and every two. */
  readonly sets: readonly (readonly Principal[])[];
  readonly intervals: readonly Interval[];
  readonly refused: readonly Refused[];
}

export const keyOf = (interval: Interval, action: Action, people: readonly Principal[]): string =>
  `${interval.at} ${action} ${people.map(({ kind, name }) => `${kind}:${name}`).join('+')}`;

/**
 * Asks the policies about every column. Two names at a time are enough to find where somebody would get too much: an allow, a deny, an
 * exception, a mask and a filter each hang on one name that a person bears, so a right and what takes it away are always two.
 */
export function surveyOf(full: RangerModel, columns: readonly string[]): Survey {
  const levels = full.service.hierarchies.access.find((hierarchy) => hierarchy.length === 3 && hierarchy.every((level) => !level.path));
  if (levels === undefined)
    throw new CodedError('POLICY_INVALID', 'The resources of the service have no three levels for product, dataset and column.');
  const [first = '', second = '', third = ''] = levels.map((level) => level.name);
  const valuesOf = (column: string): ResourceValues => {
    const [product = '', table = '', name = ''] = column.split('.');
    return { [first]: product, [second]: table, [third]: name };
  };
  const left = new Set(policiesOf(full));
  const refused = policiesOf(full).flatMap((policy): Refused[] => {
    const reason = notSaid(policy, full);
    if (reason === null) return [];
    left.delete(policy);
    return [
      { policyId: policy.id, reason, columns: restricts(policy) ? columns.filter((column) => touches(policy, valuesOf(column))) : [] },
    ];
  });
  const model = onlyPolicies(full, left);
  const withheld = new Set(refused.flatMap((each) => each.columns));
  const people = principalsOf(model);
  if (people.length > PEOPLE_MAX)
    throw new CodedError('POLICY_INVALID', `The policies name more than ${PEOPLE_MAX} people, groups and roles.`);
  const sets = setsOf(people);
  const intervals = intervalsOf(boundariesOf(policiesOf(model).flatMap((policy) => policy.schedules)));
  const surveyed: Surveyed[] = [];
  for (const column of columns.filter((each) => !withheld.has(each))) {
    const resource = valuesOf(column);
    const table = { [first]: resource[first] ?? '', [second]: resource[second] ?? '' };
    const answers = new Map<string, Answer>();
    try {
      for (const interval of intervals)
        for (const action of ACTIONS_ASKED)
          for (const set of sets)
            answers.set(keyOf(interval, action, set), answer(model, { resource, table, action, people: set, at: interval.at }));
    } catch (error) {
      if (!isCoded(error)) throw error;
      refused.push({ policyId: null, reason: error.message, columns: [column] });
      continue;
    }
    const [product = '', name = ''] = column.split('.');
    surveyed.push({ column, product, table: name, answers, signature: canonical([...answers.values()]) });
  }
  return { columns: surveyed, people, sets, intervals, refused };
}

/** One person bears one name, and any groups and roles. */
function setsOf(people: readonly Principal[]): (readonly Principal[])[] {
  const named = people.filter((each) => each !== EVERYONE);
  const pairs = named.flatMap((a, index) =>
    named.slice(index + 1).flatMap((b) => (a.kind === 'user' && b.kind === 'user' ? [] : [[a, b]])),
  );
  return [...people.map((each) => [each]), ...pairs];
}

function intervalsOf(edges: readonly number[]): Interval[] {
  const starts = [null, ...edges];
  return starts.map((from, index) => {
    const to = edges[index] ?? null;
    return { from, to, at: from ?? (to ?? 1) - 1 };
  });
}

const restricts = (policy: RangerPolicy): boolean =>
  policy.kind !== 'access' || policy.priority !== 0 || policy.denyAllElse || policy.deny.length > 0;

/** Why a policy has no counterpart here, or null. */
function notSaid(policy: RangerPolicy, model: RangerModel): string | null {
  const items = itemsOf(policy);
  if (policy.conditions.length > 0 || items.some((item) => item.conditions.length > 0)) return 'it asks for conditions';
  if (policy.schedules.some((each) => each.recurrences.length > 0)) return 'it holds at recurring times';
  if (policy.resources.some((patterns) => Object.values(patterns).some(({ values }) => values.some((value) => value.includes('{')))))
    return 'its resources hang on the caller';
  if (items.some((item) => item.users.some((user) => user.startsWith('{')))) return 'it is for the owner or for any caller by name';
  if (items.some((item) => [item.filter, item.mask?.value, item.mask?.condition].some((text) => text?.includes('${{') === true)))
    return 'its filter or mask hangs on the caller';
  return model.tagPolicies.includes(policy) && model.tagged.length === 0 ? 'it is for tags, and no tags of resources were given' : null;
}

/** Whether a policy may say something about a resource; where that cannot be told, it may. */
function touches({ resources, service, kind }: RangerPolicy, full: ResourceValues): boolean {
  const hierarchies = service.hierarchies[kind];
  const resource = Object.fromEntries(Object.entries(full).filter(([name]) => hierarchies.flat().some((level) => level.name === name)));
  const asked = { resource, owner: null, user: null, attributes: {}, scopes: {} };
  return resources.some((patterns) => {
    const told = Object.entries(patterns).every(
      ([name, { values }]) => Object.hasOwn(resource, name) && !values.some((value) => value.includes('{')),
    );
    return !told || matchOf(hierarchies, patterns, asked) !== 'none';
  });
}
