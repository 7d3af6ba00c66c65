import { CodedError } from '../../../kernel/index.js';
import { Json } from './json.js';
import type {
  Condition,
  Item,
  MaskInfo,
  PolicyKind,
  RangerModel,
  RangerPolicy,
  ResourcePattern,
  ResourcePatterns,
  ResourceTag,
  Service,
  TaggedResource,
  Zone,
} from './model.js';
import { scheduleOf } from './schedule.js';
import { accessName, serviceOf } from './service.js';

const KINDS: readonly PolicyKind[] = ['access', 'mask', 'row filter'];

/**
 * Reads a service-policies document of Apache Ranger, with the tags of its resources where it has them (ServicePolicies, ServiceTags).
 * Unknown shapes are refused with their place (POLICY_INVALID); disabled policies are left out.
 */
export function readRanger(document: unknown, tags?: unknown): RangerModel {
  const json = Json.of(document, 'document');
  const service = serviceOf(json.object('serviceDef'));
  const tagJson = json.has('tagPolicies') ? json.object('tagPolicies') : null;
  const tagService = tagJson === null ? null : serviceOf(tagJson.object('serviceDef'), service.name);
  const config = json.object('serviceConfig');
  return {
    service,
    tagService,
    policies: json.objects('policies').flatMap((each) => policyOf(each, service, null)),
    tagPolicies:
      tagJson === null || tagService === null
        ? []
        : tagJson.objects('policies').flatMap((each) => policyOf(each, tagService, service.name)),
    zones: zonesOf(json.object('securityZones'), service),
    tagged: tags === undefined ? [] : taggedOf(Json.of(tags, 'tags')),
    superUsers: names(config.text('ranger.plugin.super.users')),
    superGroups: names(config.text('ranger.plugin.super.groups')),
  };
}

const names = (list: string | null): ReadonlySet<string> =>
  new Set(
    (list ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  );

/** Reads one policy; none where it is disabled or only about audit. `component` strips the service from access types of tag policies. */
export function policyOf(json: Json, service: Service, component: string | null): RangerPolicy[] {
  const kind = KINDS[json.number('policyType', 0)];
  if (kind === undefined || !json.flag('isEnabled', true)) return [];
  const items = (name: string, used = true): Item[] => (used ? json.objects(name).map((each) => itemOf(each, service, component)) : []);
  return [
    {
      id: json.number('id', -1),
      name: json.text('name') ?? '',
      kind,
      zone: json.text('zoneName') ?? '',
      priority: json.number('policyPriority', 0),
      resources: [json.object('resources'), ...json.objects('additionalResources')].map(patternsOf),
      allow: items('policyItems'),
      allowExceptions: items('allowExceptions', service.denies),
      deny: items('denyPolicyItems', service.denies),
      denyExceptions: items('denyExceptions', service.denies),
      denyAllElse: json.flag('isDenyAllElse', false),
      masks: items('dataMaskPolicyItems'),
      filters: items('rowFilterPolicyItems'),
      conditions: conditionsOf(json),
      schedules: json.objects('validitySchedules').map((each) => scheduleOf(Object.fromEntries(each.entries()))),
      service,
    },
  ];
}

/** The values, by level, that a policy, tag or share holds for. */
export function patternsOf(json: Json): ResourcePatterns {
  return Object.fromEntries(
    json.entries().map(([name, value]): [string, ResourcePattern] => {
      const pattern = Json.of(value, `${json.place}.${name}`);
      return [
        name,
        { values: pattern.texts('values'), excludes: pattern.flag('isExcludes', false), recursive: pattern.flag('isRecursive', false) },
      ];
    }),
  );
}

function itemOf(json: Json, service: Service, component: string | null): Item {
  const allowed = json.objects('accesses').filter((each) => each.flag('isAllowed', true));
  const stated = allowed.flatMap((each) => accessName(each.text('type') ?? '', component) ?? []).map((each) => each.toLowerCase());
  const accesses = new Set(stated.flatMap((each) => [each, ...(service.implied.get(each) ?? []).map((one) => one.toLowerCase())]));
  return {
    accesses,
    users: json.texts('users'),
    groups: json.texts('groups'),
    roles: json.texts('roles'),
    delegateAdmin: json.flag('delegateAdmin', false),
    conditions: conditionsOf(json),
    mask: maskOf(json.object('dataMaskInfo')),
    filter: json.object('rowFilterInfo').text('filterExpr'),
  };
}

export function maskOf(json: Json): MaskInfo | null {
  const type = json.text('dataMaskType');
  return type === null ? null : { type, value: json.text('valueExpr'), condition: json.text('conditionExpr') };
}

const conditionsOf = (json: Json): Condition[] =>
  json.objects('conditions').map((each) => ({ type: each.text('type') ?? '', values: each.texts('values') }));

function zonesOf(json: Json, service: Service): Zone[] {
  return json.entries().map(([name, value]): Zone => {
    const zone = Json.of(value, `${json.place}.${name}`);
    // Every level of a zone reaches down, as far as its matcher can.
    const resources = zone
      .objects('resources')
      .map((each): ResourcePatterns =>
        Object.fromEntries(each.entries().map(([level]) => [level, { values: each.texts(level), excludes: false, recursive: true }])),
      );
    const policies = zone.objects('policies').flatMap((each) => policyOf(each, service, null));
    return { name, resources, policies, ownTags: zone.flag('containsAssociatedTagService', false) };
  });
}

function taggedOf(json: Json): TaggedResource[] {
  const tags = json.object('tags');
  const given = json.object('resourceToTagIds');
  return json.objects('serviceResources').map((resource): TaggedResource => {
    const ids = given.raw(String(resource.number('id', -1))) ?? [];
    if (!Array.isArray(ids)) throw new CodedError('POLICY_INVALID', `The tags are refused: ${resource.place} has no list of tags.`);
    return { resources: patternsOf(resource.object('resourceElements')), tags: ids.map((id) => tagOf(tags.object(String(id)))) };
  });
}

/** Reads a tag with its attributes and the times at which it holds, wherever these are written. */
export function tagOf(json: Json): ResourceTag {
  const written = json.object('options').text('TAG_VALIDITY_PERIODS');
  const late = written === null ? [] : Json.of({ list: JSON.parse(written) as unknown }, json.place).objects('list');
  const schedules = [...json.objects('validityPeriods'), ...late].map((each) => scheduleOf(Object.fromEntries(each.entries())));
  return { type: json.text('type') ?? '', attributes: json.object('attributes').plain(), schedules };
}
