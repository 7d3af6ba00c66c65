import { CodedError } from '../../../kernel/index.js';
import type { Condition, RangerRequest, ResourceTag, Service } from './model.js';
import { wildcardMatch } from './wildcard.js';

/** What a condition may ask about: the request, its tags, and the tag whose policy is asked, if it is one. */
export interface Circumstances {
  readonly request: RangerRequest;
  readonly tags: readonly ResourceTag[];
  readonly tag: ResourceTag | null;
}

type Test = (values: readonly string[], options: Readonly<Record<string, string>>, circumstances: Circumstances) => boolean;

/** Evaluators by the last part of the name of their class; every other one is refused. */
const TESTS: Readonly<Record<string, Test>> = {
  RangerSimpleMatcher: inContext,
  RangerContextAttributeValueInCondition: (values, { attributeName = '' }, { request }) =>
    values.some((value) => value === request.context[attributeName]),
  RangerScriptConditionEvaluator: (values, _, circumstances) => values.every((value) => holds(value, circumstances)),
  RangerScriptTemplateConditionEvaluator: (values, { scriptTemplate = '' }, circumstances) =>
    values.every((value) => (/^(yes|true|1)$/i.test(value) ? holds(scriptTemplate, circumstances) : !holds(scriptTemplate, circumstances))),
  RangerAnyOfExpectedTagsPresentConditionEvaluator: (values, _, { tags }) =>
    listed(values).some((name) => tags.some((tag) => tag.type === name)),
  RangerNoneOfExpectedTagsPresentConditionEvaluator: (values, _, { tags }) =>
    !listed(values).some((name) => tags.some((tag) => tag.type === name)),
  RangerTagsAllPresentConditionEvaluator: (values, _, { tags }) => listed(values).every((name) => tags.some((tag) => tag.type === name)),
};

const listed = (values: readonly string[]): string[] => values.flatMap((value) => value.split(',')).map((each) => each.trim());

const unknown = (what: string): CodedError =>
  new CodedError('POLICY_INVALID', `A policy asks ${what}, which is not in the closed language.`);

/** True where every condition holds. One that is not known decides nothing: it is refused (POLICY_INVALID), for allow and deny alike. */
export function allHold(conditions: readonly Condition[], service: Service, circumstances: Circumstances): boolean {
  return conditions.every(({ type, values }) => {
    const known = service.conditions.get(type);
    const evaluator = known?.evaluator.split('.').at(-1) ?? type;
    const test = Object.hasOwn(TESTS, evaluator) ? TESTS[evaluator] : undefined;
    if (!known || !test) throw unknown(`for the condition ${evaluator}`);
    return test(values, known.options, circumstances);
  });
}

/** The attribute of the request that the condition names matches one of the values. */
function inContext(values: readonly string[], options: Readonly<Record<string, string>>, { request }: Circumstances): boolean {
  const attribute = request.context[options['CONTEXT_NAME'] ?? ''];
  if (values.length === 0) return true;
  return typeof attribute === 'string' && values.some((value) => wildcardMatch(value, attribute));
}

const ATOMS: readonly (readonly [RegExp, (found: RegExpExecArray, circumstances: Circumstances) => boolean])[] = [
  [/^TAG\.(\w+)\s*==\s*'([^']*)'$/, ([, name = '', value], { tag }) => tag !== null && attributeOf(tag, name) === value],
  [/^USER\.(\w+)\s*==\s*'([^']*)'$/, ([, name = '', value], { request }) => request.attributes[name] === value],
  [/^IS_IN_ROLE\('([^']*)'\)$/, ([, role = ''], { request }) => request.roles.includes(role)],
  [/^IS_IN_GROUP\('([^']*)'\)$/, ([, group = ''], { request }) => request.groups.includes(group)],
  [/^ctx\.isAccessedAfter\('(\w+)'\);?$/, ([, name = ''], { tag, request }) => request.at >= dayOf(tag, name)],
  [/^ctx\.isAccessedBefore\('(\w+)'\);?$/, ([, name = ''], { tag, request }) => request.at <= dayOf(tag, name)],
];

const attributeOf = (tag: ResourceTag, name: string): string | undefined =>
  Object.hasOwn(tag.attributes, name) ? tag.attributes[name] : undefined;

/** The day that a tag states. Without one the time is over: every access comes after it. */
function dayOf(tag: ResourceTag | null, name: string): number {
  const text = (tag === null ? undefined : attributeOf(tag, name)) ?? '';
  const day = Date.parse(/^\d{4}\/\d{2}\/\d{2}$/.test(text) ? `${text.replaceAll('/', '-')}T00:00:00Z` : /^\d{4}-/.test(text) ? text : '');
  return Number.isNaN(day) ? -Infinity : day;
}

/** The few expressions that are understood: comparisons of attributes, roles and groups, joined by `&&` and `||`. */
export function holds(text: string, circumstances: Circumstances): boolean {
  // All atoms are read before any counts, so that what is not understood is refused wherever it stands.
  const bare = /^if \( (ctx\.\w+\('\w+'\)) \) ctx\.result = true;$/.exec(text)?.[1] ?? text;
  const parts = bare.split('||').map((part) =>
    part.split('&&').map((atom) => {
      const hit = ATOMS.map(([pattern, test]) => ({ found: pattern.exec(atom.trim()), test })).find(({ found }) => found !== null);
      if (!hit?.found) throw unknown('for a script');
      return hit.test(hit.found, circumstances);
    }),
  );
  return parts.some((part) => part.every(Boolean));
}
