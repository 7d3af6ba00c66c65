import { CodedError } from '../../../kernel/index.js';
import { holds } from './condition.js';
import { decide, NOTHING_SAID } from './decide.js';
import { reaches, zonesOf, type Clock } from './evaluate.js';
import { Json } from './json.js';
import {
  ANY,
  type Hierarchy,
  type MaskInfo,
  type RangerModel,
  type RangerPolicy,
  type RangerRequest,
  type ResourcePatterns,
  type Schedule,
} from './model.js';
import { byName } from './order.js';
import { maskOf, patternsOf, policyOf } from './read.js';
import { matchOf } from './resource.js';
import { anyInForce, scheduleOf } from './schedule.js';
import { serviceOf } from './service.js';

/** A dataset or project of governed data sharing: who may use it follows from its own policies. */
interface Share {
  readonly id: number;
  readonly name: string;
  readonly schedules: readonly Schedule[];
  readonly policies: readonly RangerPolicy[];
}

/** A resource that a data share gives. */
interface SharedResource {
  readonly name: string;
  readonly share: number;
  readonly condition: string | null;
  readonly accesses: ReadonlySet<string>;
  readonly patterns: ResourcePatterns;
  /** Without the part that narrows to columns: row filters hold for the table. */
  readonly table: ResourcePatterns;
  readonly masks: readonly {
    readonly patterns: ResourcePatterns;
    readonly hierarchies: readonly Hierarchy[];
    readonly mask: MaskInfo | null;
  }[];
  readonly filter: string | null;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly schedules: readonly Schedule[];
}

interface DataShare {
  readonly id: number;
  readonly name: string;
  readonly zone: string;
  readonly condition: string | null;
}

export interface DataShares {
  readonly model: Pick<RangerModel, 'service' | 'zones'>;
  readonly datasets: readonly Share[];
  readonly projects: readonly Share[];
  readonly shares: readonly DataShare[];
  /** Data shares in datasets, and datasets in projects. */
  readonly inDatasets: readonly Link[];
  readonly inProjects: readonly Link[];
  readonly resources: readonly SharedResource[];
}

export interface SharedVerdict {
  readonly allowed: boolean;
  readonly policyId: number | null;
  readonly mask: MaskInfo | null;
  /** Any of them lets a row through; null where rows are not filtered. */
  readonly filters: readonly string[] | null;
}

/** Reads the datasets, projects and data shares of a service (ServiceGdsInfo). Links that are not active are left out. */
export function readDataShares(document: unknown, serviceDef: Json, model: Pick<RangerModel, 'service' | 'zones'>): DataShares {
  const json = Json.of(document, 'document');
  const ids = ['dataset-id', 'project-id'].map((name) => ({ name, level: 1, matcherOptions: { wildCard: false, ignoreCase: false } }));
  const own = serviceOf(Json.of({ name: 'gds', resources: ids, accessTypes: serviceDef.raw('accessTypes') }, 'gds'));
  const share = (each: Json): Share => ({
    id: each.number('id', -1),
    name: each.text('name') ?? '',
    schedules: schedulesOf(each),
    policies: each.objects('policies').flatMap((policy) => policyOf(policy, own, null)),
  });
  const shares = json.objects('dataShares').map((each) => ({
    id: each.number('id', -1),
    name: each.text('name') ?? '',
    zone: each.text('zoneName') ?? '',
    condition: blank(each.text('conditionExpr')),
    accesses: each.texts('defaultAccessTypes'),
  }));
  const active = (name: string): readonly Json[] => json.objects(name).filter((each) => each.text('status') === 'ACTIVE');
  return {
    model,
    datasets: json.objects('datasets').map(share),
    projects: json.objects('projects').map(share),
    shares,
    inDatasets: active('dshids').map((each) => ({
      from: each.number('dataShareId', -1),
      to: each.number('datasetId', -1),
      schedules: schedulesOf(each),
    })),
    inProjects: active('dips').map((each) => ({
      from: each.number('datasetId', -1),
      to: each.number('projectId', -1),
      schedules: schedulesOf(each),
    })),
    resources: json
      .objects('resources')
      .map((each) => resourceOf(each, shares.find(({ id }) => id === each.number('dataShareId', -1))?.accesses ?? [], model)),
  };
}

const blank = (text: string | null): string | null => (text?.trim() === '' ? null : text);

const schedulesOf = (json: Json): Schedule[] =>
  json.has('validitySchedule') ? [scheduleOf(Object.fromEntries(json.object('validitySchedule').entries()))] : [];

function resourceOf(json: Json, byDefault: readonly string[], { service }: Pick<RangerModel, 'service'>): SharedResource {
  const table = patternsOf(json.object('resource'));
  const type = json.text('subResourceType') ?? '';
  const narrow = json.object('subResource');
  const patterns =
    type !== '' && narrow.texts('values').length > 0
      ? { ...table, ...patternsOf(Json.of({ [type]: json.raw('subResource') }, json.place)) }
      : table;
  const stated = (json.has('accessTypes') ? json.texts('accessTypes') : byDefault).map((each) => each.toLowerCase());
  const level = service.hierarchies.mask.flat().find((each) => each.name === type);
  return {
    name: json.text('name') ?? '',
    share: json.number('dataShareId', -1),
    condition: blank(json.text('conditionExpr')),
    accesses: new Set(stated.flatMap((each) => [each, ...(service.implied.get(each) ?? []).map((one) => one.toLowerCase())])),
    patterns,
    table,
    masks: json.objects('subResourceMasks').map((each) => ({
      patterns: { [type]: { values: each.texts('values'), excludes: false, recursive: false } },
      hierarchies: level === undefined ? [] : [[level]],
      mask: maskOf(each.object('maskInfo')),
    })),
    filter: blank(json.object('rowFilter').text('filterExpr')),
  };
}

/** What governed data sharing says about a request, or null where no dataset in force has the resource. */
export function evaluateDataShares(all: DataShares, asked: RangerRequest, clock: Clock): SharedVerdict | null {
  const { service } = all.model;
  const base = asked.accessType === '' ? { ...asked, accessType: ANY } : asked;
  const request = base.accessType === ANY ? { ...base, accessTypes: service.accessTypes } : base;
  const keys = Object.keys(request.resource);
  const access = sharing(all, request, 'patterns', clock);
  const maskable = service.hierarchies.mask.some((hierarchy) => hierarchy.length === keys.length);
  const filterable = service.hierarchies['row filter'].some(
    (hierarchy) => hierarchy.length === keys.length && hierarchy.every(({ name }) => keys.includes(name)),
  );
  const rows = filterable ? sharing(all, request, 'table', clock) : null;
  if (access.datasets.length === 0 && (rows === null || rows.datasets.length === 0)) return null;
  const mask = access.allowed && maskable ? maskFor(access.given, request) : null;
  const filters = rows?.allowed === true ? filtersFor(rows.given) : null;
  return { allowed: access.allowed, policyId: access.policyId ?? rows?.policyId ?? null, mask, filters };
}

interface Sharing {
  readonly datasets: readonly Share[];
  readonly allowed: boolean;
  readonly policyId: number | null;
  /** Per dataset and data share that the caller may use: the resources that match. */
  readonly given: readonly (readonly SharedResource[])[];
}

/** The datasets that hold the resource, and whether one of them or of their projects lets the caller in. */
function sharing(all: DataShares, request: RangerRequest, part: 'patterns' | 'table', clock: Clock): Sharing {
  const live = ({ schedules }: { readonly schedules: readonly Schedule[] }): boolean => anyInForce(schedules, request.at, clock.timeZone);
  const matched = matchedResources(all, request, part);
  const shares = [...all.shares]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id))
    .filter(({ id }) => matched.has(id));
  const linked = (dataset: Share): DataShare[] =>
    shares.filter(({ id }) => all.inDatasets.some((link) => link.from === id && link.to === dataset.id && live(link)));
  const datasets = [...all.datasets].sort(inOrder).filter((dataset) => live(dataset) && linked(dataset).length > 0);
  const projectsOf = (dataset: Share): Share[] =>
    all.projects.filter(
      (project) => live(project) && all.inProjects.some((link) => link.from === dataset.id && link.to === project.id && live(link)),
    );
  const byDataset = new Map(datasets.map((dataset) => [dataset, letsIn(dataset, 'dataset-id', request, clock)]));
  const projects = [...new Set(datasets.flatMap(projectsOf))].sort(inOrder);
  // A question for any access at all is answered by datasets alone.
  const byProject = new Map(
    projects.map((project) => [project, request.accessType === ANY ? null : letsIn(project, 'project-id', request, clock)]),
  );
  const policyId = [...byDataset.values(), ...byProject.values()].find((each) => each !== null) ?? null;
  const usable = datasets.filter(
    (dataset) => byDataset.get(dataset) !== null || projectsOf(dataset).some((project) => (byProject.get(project) ?? null) !== null),
  );
  const given = usable.flatMap((dataset) => linked(dataset).map(({ id }) => matched.get(id) ?? []));
  return { datasets, allowed: policyId !== null, policyId, given };
}

const inOrder = (a: Share, b: Share): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id);

function matchedResources(
  { model, shares, resources }: DataShares,
  request: RangerRequest,
  part: 'patterns' | 'table',
): Map<number, SharedResource[]> {
  const zones = zonesOf(model, request).map((zone) => zone?.name ?? '');
  const wanted = zones.length === 0 ? [''] : zones.length > 1 && request.accessType !== ANY ? [] : zones;
  const found = new Map<number, SharedResource[]>();
  for (const share of shares.filter(({ zone }) => wanted.includes(zone))) {
    const hits = resources.filter((resource) => {
      if (resource.share !== share.id || !conditionHolds(share.condition, request) || !conditionHolds(resource.condition, request))
        return false;
      if (request.accessType === ANY ? resource.accesses.size === 0 : !resource.accesses.has(request.accessType.toLowerCase()))
        return false;
      return reaches(matchOf(model.service.hierarchies.access, resource[part], request), request, false);
    });
    if (hits.length > 0) found.set(share.id, hits);
  }
  return found;
}

const conditionHolds = (condition: string | null, request: RangerRequest): boolean =>
  condition === null || holds(condition, { request, tags: [], tag: null });

/** The policy that lets the caller use a dataset or project, or null. */
function letsIn(share: Share, level: string, request: RangerRequest, clock: Clock): number | null {
  const asked = { ...request, resource: { [level]: String(share.id) }, scopes: {} };
  let standing = NOTHING_SAID;
  const said = new Map<string, typeof standing>();
  for (const policy of [...share.policies].sort(byName)) {
    if (policy.kind !== 'access') throw new CodedError('POLICY_INVALID', 'A dataset or project has a policy that is not for access.');
    if (standing.determined || !anyInForce(policy.schedules, request.at, clock.timeZone)) continue;
    const match = policy.resources
      .map((patterns) => matchOf(policy.service.hierarchies.access, patterns, asked))
      .find((each) => reaches(each, asked, false));
    if (match !== undefined) standing = decide(policy, match, standing, { request: asked, tags: [], tag: null }, said);
  }
  return standing.allowed ? standing.policyId : null;
}

/** The first mask; none where some data share gives the column as it is. */
function maskFor(given: readonly (readonly SharedResource[])[], request: RangerRequest): MaskInfo | null {
  const masks = given.flat().map(
    ({ masks: each }) =>
      each.find(({ patterns, hierarchies }) => {
        const [level = ''] = Object.keys(patterns);
        const value = request.resource[level];
        return value !== undefined && matchOf(hierarchies, patterns, { ...request, resource: { [level]: value }, scopes: {} }) === 'self';
      })?.mask ?? null,
  );
  return masks.includes(null) ? null : (masks[0] ?? null);
}

/** The filters of all resources that match; null where one of them gives every row. */
function filtersFor(given: readonly (readonly SharedResource[])[]): readonly string[] | null {
  const filters = given.flat().map((each) => each.filter);
  return filters.includes(null) ? null : [...new Set(filters.filter((each) => each !== null))];
}
