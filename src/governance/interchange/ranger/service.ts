import { CodedError } from '../../../kernel/index.js';
import type { ConditionType, Hierarchy, PolicyKind, ResourceLevel, Service } from './model.js';
import type { Json } from './json.js';

/** Rights over a category of access types; `_ALL` stands for all of them. */
const MARKERS = ['_CREATE', '_READ', '_UPDATE', '_DELETE', '_MANAGE', '_ALL'] as const;
const MATCHERS: Readonly<Record<string, boolean>> = {
  RangerDefaultResourceMatcher: false,
  RangerPathResourceMatcher: true,
  RangerURLResourceMatcher: true,
};

/**
 * Reads a service definition. For tag services `component` is the service that is tagged: access types are written `hive:select`, and
 * those of other services are left out.
 */
export function serviceOf(json: Json, component: string | null = null): Service {
  const base = json.objects('resources');
  const named = new Map(base.map((each) => [each.text('name') ?? '', each]));
  const levels = (rows: readonly Json[]): ResourceLevel[] => rows.map((row) => levelOf(row, named.get(row.text('name') ?? '') ?? row));
  const own = levels(base);
  const types = json.objects('accessTypes').flatMap((each) => {
    const name = accessName(each.text('name') ?? '', component);
    const implied = each.texts('impliedGrants').flatMap((one) => accessName(one, component) ?? []);
    return name === null ? [] : [{ name, implied, category: each.text('category') }];
  });
  const implied = new Map(types.map(({ name, implied: given }) => [name.toLowerCase(), given]));
  for (const marker of MARKERS) {
    const members = types.filter(({ category }) => marker === '_ALL' || (category !== null && `_${category.toUpperCase()}` === marker));
    implied.set(
      marker.toLowerCase(),
      members.flatMap((each) => [each.name, ...each.implied]),
    );
  }
  const conditions = json
    .objects('policyConditions')
    .map((each): [string, ConditionType] => [
      each.text('name') ?? '',
      { evaluator: each.text('evaluator') ?? '', options: each.object('evaluatorOptions').plain() },
    ]);
  return {
    name: json.text('name') ?? '',
    hierarchies: {
      access: hierarchiesOf(own),
      mask: hierarchiesOf(levels(json.object('dataMaskDef').objects('resources')), own),
      'row filter': hierarchiesOf(levels(json.object('rowFilterDef').objects('resources')), own),
    } satisfies Record<PolicyKind, readonly Hierarchy[]>,
    accessTypes: types.map((each) => each.name),
    implied,
    conditions: new Map(conditions),
    denies: json.object('options').flag('enableDenyAndExceptionsInPolicies', true),
  };
}

/** The name of an access type without the name of its service, or null where it belongs to another service. */
export function accessName(name: string, component: string | null): string | null {
  const at = name.indexOf(':');
  if (component === null || at === -1) return name;
  return name.slice(0, at) === component ? name.slice(at + 1) : null;
}

function levelOf(row: Json, base: Json): ResourceLevel {
  const name = row.text('name') ?? '';
  const given = row.object('matcherOptions');
  const options = { ...base.object('matcherOptions').plain(), ...given.plain() };
  const matcher = (row.text('matcher') ?? base.text('matcher') ?? 'RangerDefaultResourceMatcher').split('.').at(-1) ?? '';
  if (!Object.hasOwn(MATCHERS, matcher))
    throw new CodedError('POLICY_INVALID', `The level ${name} of the resources has a matcher that is not known: ${matcher}.`);
  const option = (key: string, fallback: boolean): boolean => (options[key] === undefined ? fallback : options[key] === 'true');
  const parent = row.text('parent') ?? base.text('parent');
  return {
    name,
    parent: parent === '' ? null : parent,
    depth: base.number('level', 0),
    path: MATCHERS[matcher] === true,
    separator: options['pathSeparatorChar']?.[0] ?? '/',
    wildcards: option('wildCard', true),
    ignoreCase: option('ignoreCase', true),
    tokens: option('replaceTokens', true),
    expressions: option('replaceReqExpressions', true),
  };
}

/** Every chain from a root to a leaf. A level whose parent is not among the levels is a root. */
function hierarchiesOf(levels: readonly ResourceLevel[], all: readonly ResourceLevel[] = levels): Hierarchy[] {
  const names = new Set(levels.map((level) => level.name));
  if (levels.some((level) => level.parent !== null && !all.some((each) => each.name === level.parent))) throw cycle();
  const grow = (chain: Hierarchy): Hierarchy[] => {
    if (chain.length > levels.length) throw cycle();
    const children = levels.filter((level) => level.parent === chain.at(-1)?.name);
    return children.length === 0 ? [chain] : children.flatMap((child) => grow([...chain, child]));
  };
  return levels.filter((level) => level.parent === null || !names.has(level.parent)).flatMap((root) => grow([root]));
}

const cycle = (): CodedError => new CodedError('POLICY_INVALID', 'The levels of the resources do not make trees.');
