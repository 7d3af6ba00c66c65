import type { EntityDeclaration, Notice, Predicate, Principal, Purpose } from '../kernel/index.js';
import type { PolicyDocument } from './compose-policy.js';
import { matchDataUse } from './data-use/data-use.js';
import { NO_DISEASES, type DiseaseHierarchy } from './data-use/disease.js';
import { dayOf } from './data-use/modifiers.js';
import type { Obligation, ResearchProject } from './data-use/project.js';
import type { DataUseCondition, DataUseVerdict } from './data-use/verdict.js';
import type { Narrowing } from './decide.js';

/** Stands for every site that has no conditions of its own. */
const OTHERS = '*';
const MORATORIUM = 'DUO:0000024';

const NOTICE_OF: Readonly<Partial<Record<Obligation, Notice>>> = {
  IRB: 'data-use-ethics',
  COL: 'data-use-collaboration',
  PUB: 'data-use-publication',
  RTN: 'data-use-return',
  MOR: 'data-use-moratorium',
};

/** Purposes whose use of data is secondary, so that what a site allows by consent or contract is asked. */
const isResearch = (purpose: Purpose): boolean => purpose === 'HRESCH' || purpose.startsWith('study:');

/**
 * Data use conditions of sites (GA4GH Data Use Ontology) against the project that the token names: sites whose conditions it does not
 * meet are taken away, sites without conditions stay. Without a registered project, or for a caller whom a project with named users does
 * not name, every condition denies. An unknown code denies, and so does a disease unless `diseases` knows it.
 */
export function dataUseNarrowing(
  { purpose, project: named, sub }: Pick<Principal, 'purpose' | 'project' | 'sub'>,
  { dataUse, projects }: PolicyDocument,
  now: number,
  diseases: DiseaseHierarchy = NO_DISEASES,
): Narrowing | undefined {
  const sites = Object.entries(dataUse ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (!isResearch(purpose) || sites.length === 0) return undefined;
  const registered = named !== undefined && projects && Object.hasOwn(projects, named) ? projects[named] : undefined;
  const project = registered && (registered.users.length === 0 || registered.users.includes(sub)) ? registered : undefined;
  const verdicts = sites.map(([site, conditions]) => ({
    site,
    conditions,
    verdict: project === undefined ? DENIED : matchDataUse(conditions, project, now, diseases),
  }));
  const obligations = [...new Set(verdicts.flatMap(({ verdict }) => verdict.obligations))].sort();
  const sitesWhere = (permitted: boolean): string[] =>
    verdicts.flatMap((each) => (each.verdict.permitted === permitted ? [each.site] : []));
  const denied = sitesWhere(false);
  const until = project && Math.min(...verdicts.flatMap((each) => changesOf(each, project)).filter((at) => at > now));
  return {
    key: JSON.stringify(['data-use', project?.id ?? null, denied, obligations]),
    rule: ofPersons(denied.includes(OTHERS) ? onlySites(sitesWhere(true)) : exceptSites(denied)),
    ...(until === undefined || until === Infinity ? {} : { until }),
    dataUse: { project: project?.id ?? null, denied, obligations },
    notices: obligations.flatMap((each) => NOTICE_OF[each] ?? []),
  };
}

const DENIED: DataUseVerdict = { permitted: false, reasons: [], obligations: [], until: null };

/** When a verdict can change by itself: a limit or an approval ends, the project begins, or a moratorium is over. */
function changesOf(
  { conditions, verdict }: { readonly conditions: readonly DataUseCondition[]; readonly verdict: DataUseVerdict },
  { start }: ResearchProject,
): number[] {
  const days = conditions.flatMap(({ code, values }) => (code === MORATORIUM ? [dayOf(values[0] ?? '')] : []));
  return [verdict.until, start, ...days].filter((at) => at !== null);
}

/**
 * Sites whose data are of controlled access (the policy maps datasets to sites): for research they are open only to callers whose passport
 * holds a grant for one of their datasets at this instant (GA4GH Passport v1, ControlledAccessGrants).
 */
export function controlledNarrowing(
  { purpose, clearances = [] }: Pick<Principal, 'purpose' | 'clearances'>,
  { controlled = {} }: PolicyDocument,
  now: number,
): Narrowing | undefined {
  if (!isResearch(purpose) || Object.keys(controlled).length === 0) return undefined;
  const held = clearances.filter(({ kind, dataset, until }) => kind === 'controlled' && dataset !== undefined && until > now);
  const used = held.filter(({ dataset }) => Object.hasOwn(controlled, dataset ?? ''));
  const open = new Set(used.flatMap(({ dataset }) => controlled[dataset ?? ''] ?? []));
  const closed = [...new Set(Object.values(controlled).flat())].filter((site) => !open.has(site)).sort();
  return {
    key: JSON.stringify(['controlled', closed]),
    rule: ofPersons(exceptSites(closed)),
    ...(used.length > 0 ? { until: Math.min(...used.map(({ until }) => until)) } : {}),
  };
}

const onlySites = (sites: readonly string[]): Predicate => ({ op: 'one-of', column: 'site_id', literals: sites });

/** A row whose site is not known may be of a site that is taken away. */
const exceptSites = (sites: readonly string[]): Predicate => (sites.length === 0 ? { op: 'true' } : { op: 'except', of: onlySites(sites) });

/** Rows about nobody have no site. */
const ofPersons =
  (rows: Predicate) =>
  (entity: EntityDeclaration): Predicate =>
    entity.patient === undefined ? { op: 'true' } : rows;
