import { readFileSync } from 'node:fs';
import path from 'node:path';
import { evaluateRanger, type RangerVerdict } from '../../../src/governance/interchange/ranger/evaluate.js';
import { Json } from '../../../src/governance/interchange/ranger/json.js';
import type { ElementScope, MatchType, PolicyKind, RangerModel, RangerRequest } from '../../../src/governance/interchange/ranger/model.js';
import { tagOf } from '../../../src/governance/interchange/ranger/read.js';
import type { Expectation, NotApplicable } from './conformance-cases.js';

/** The clock of the service by which Ranger's own test decides recurring schedules. */
export const CLOCK = { timeZone: 'America/Los_Angeles' };
/** What the tests of a corpus come to. */
export interface Found {
  readonly expectations: Expectation[];
  readonly skipped: NotApplicable[];
}

/** A moment for requests that state none: the tests of the corpus are read as of this day. */
const ASKED_AT = Date.UTC(2026, 0, 1);

export const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as unknown;

export interface TestFile {
  readonly id: string;
  readonly json: Json;
  readonly document: unknown;
  /** The tags of the resources, where the file names them. */
  readonly tags: unknown;
  readonly tests: readonly Json[];
}

/** A test file of the policy engine as a document of service policies with its tests. */
export function testFile(folder: string, id: string, json: Json): TestFile {
  const info = json.object('tagPolicyInfo');
  const su = (name: string, key: string): string => [...json.texts(name), json.object('serviceConfig').text(key) ?? ''].join(',');
  const document = {
    serviceDef: json.raw('serviceDef'),
    policies: json.raw('policies'),
    securityZones: json.raw('securityZones'),
    serviceConfig: {
      'ranger.plugin.super.users': su('superUsers', 'ranger.plugin.super.users'),
      'ranger.plugin.super.groups': su('superGroups', 'ranger.plugin.super.groups'),
    },
    tagPolicies: json.has('tagPolicyInfo') ? { serviceDef: info.raw('serviceDef'), policies: info.raw('tagPolicies') } : null,
  };
  const enrichers = info.object('serviceDef').objects('contextEnrichers');
  const named = enrichers.map((each) => each.object('enricherOptions').text('serviceTagsFileName')).find((name) => name !== null) ?? null;
  const tags = named === null ? undefined : read(path.join(folder, path.dirname(id), path.basename(named)));
  return { id, json, document, tags, tests: json.has('tests') ? json.objects('tests') : json.object('testsInfo').objects('tests') };
}

export interface Said {
  readonly text: string;
  /** The policy that decided; -1 where none did. */
  readonly policyId: number;
}

/** One question of a test with the answer it expects. */
export interface Question {
  readonly kind: PolicyKind;
  readonly expected: string;
  readonly ask: (model: RangerModel) => Said;
  readonly request: RangerRequest;
  readonly policyId: number | null;
}

export const show = (...parts: readonly (string | null)[]): string => parts.map((part) => part ?? 'none').join(' | ');

/** The questions of one test: for access, for a mask, for a row filter. */
export function questionsOf(file: TestFile, test: Json): Question[] {
  const request = requestOf(file, test);
  const found: Question[] = [];
  const add = (kind: PolicyKind, name: string, expected: (result: Json) => string, text: (verdict: RangerVerdict) => string): void => {
    if (!test.has(name)) return;
    const result = test.object(name);
    const policyId = result.has('policyId') ? result.number('policyId', -1) : null;
    const ask = (model: RangerModel): Said => {
      const verdict = evaluateRanger(model, request, kind, CLOCK);
      return { text: text(verdict), policyId: verdict.policyId ?? -1 };
    };
    found.push({ kind, expected: expected(result), ask, request, policyId });
  };
  const info = (result: Json, name: string): string | null => result.object('additionalInfo').text(name);
  add(
    'access',
    'result',
    (result) => word(result.flag('isAllowed', false)),
    ({ allowed }) => word(allowed),
  );
  add(
    'mask',
    'dataMaskResult',
    (result) => show(info(result, 'maskType'), info(result, 'maskCondition'), info(result, 'maskedValue')),
    ({ mask }) => show(mask?.type ?? null, mask?.condition ?? null, mask?.value ?? null),
  );
  add(
    'row filter',
    'rowFilterResult',
    (result) => show(info(result, 'filterExpr')),
    ({ filter }) => show(filter),
  );
  return found;
}

export const word = (allowed: boolean): string => (allowed ? 'allow' : 'deny');

/** A request as the tests write it. Roles follow from the file where the request states none. */
export function requestOf({ json }: Pick<TestFile, 'json'>, test: Json): RangerRequest {
  const asked = test.object('request');
  const resource = asked.object('resource');
  const context = Object.fromEntries(asked.object('context').entries());
  const user = asked.text('user');
  const groups = asked.texts('userGroups');
  const roles = new Set(asked.texts('userRoles'));
  if (roles.size === 0) {
    for (const role of json.object('userRoles').texts(user ?? '')) roles.add(role);
    for (const role of groups.flatMap((group) => json.object('groupRoles').texts(group))) roles.add(role);
    const members = json.object('roleRoles');
    for (const role of roles) for (const above of members.texts(role)) roles.add(above);
  }
  const list = (name: string): readonly string[] => (Array.isArray(context[name]) ? (context[name] as string[]) : []);
  return {
    resource: Object.fromEntries(resource.object('elements').entries()) as Record<string, string>,
    owner: resource.text('ownerUser'),
    accessType: asked.text('accessType') ?? '',
    user,
    groups,
    roles: [...roles],
    at: timeOf(asked.text('accessTime')),
    descendants: asked.text('resourceMatchingScope') === 'SELF_OR_DESCENDANTS',
    scopes: Object.fromEntries(asked.object('resourceElementMatchingScopes').entries()) as Record<string, ElementScope>,
    tags: tagsOf(context['TAGS']),
    context,
    attributes: test
      .object('userAttributes')
      .object(user ?? '')
      .plain(),
    accessTypes: list('ALLACCESSTYPES'),
    accessTypeGroups: Array.isArray(context['ALLACCESSTYPEGROUPS']) ? (context['ALLACCESSTYPEGROUPS'] as string[][]) : [],
    unlessDenied: list('IGNOREIFNOTDENIEDACCESSTYPES'),
  };
}

const MATCHES: Readonly<Record<string, MatchType>> = {
  SELF: 'self',
  SELF_AND_ALL_DESCENDANTS: 'self-and-all-descendants',
  DESCENDANT: 'descendant',
  ANCESTOR: 'ancestor',
};

function tagsOf(written: unknown): RangerRequest['tags'] {
  if (typeof written !== 'string' || written === '') return null;
  return Json.of({ tags: lenient(written) }, 'TAGS')
    .objects('tags')
    .map((tag) => ({ ...tagOf(tag), match: MATCHES[tag.text('matchType') ?? 'SELF'] ?? 'none' }));
}

/** Some tests quote their tags with apostrophes, as the reader of the corpus permits. */
function lenient(text: string): unknown {
  const strict = /^\s*\[\s*\{\s*'/.test(text) ? text.replaceAll("'", '"') : text;
  return JSON.parse(strict) as unknown;
}

/** `yyyyMMdd-HH:mm:ss.SSSZ`, the form of the times in the tests. */
export function timeOf(text: string | null): number {
  const parts = /^(\d{4})(\d{2})(\d{2})-(\d{2}:\d{2}:\d{2}\.\d{3})([+-]\d{2})(\d{2})$/.exec(text ?? '');
  return parts ? Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}${parts[5]}:${parts[6]}`) : ASKED_AT;
}
