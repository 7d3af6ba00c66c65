import { createHash } from 'node:crypto';
import {
  ACTIONS,
  CLEARANCES,
  CodedError,
  MASKS,
  NOTICES,
  PROFILES,
  PURPOSES,
  TAGS,
  isTag,
  canonical,
  type Forbid,
  type Grant,
  type PolicyDeclaration,
  type Predicate,
  type ResearchProtocol,
} from '../kernel/index.js';
import type { TagAssignments } from './classification.js';
import type { ResearchProject } from './data-use/project.js';
import type { DataUseCondition } from './data-use/verdict.js';
import { recipientFaults, type RecipientRule } from './recipients.js';

/**
 * What an installation adds to the declarations of the products: its own tags, tags on assets, grants, forbids, groups and studies, and
 * which declared grants do not hold here. A version of it is data: it is proposed by one person and approved by another.
 */
export interface PolicyDocument {
  readonly tags?: Readonly<Record<string, string>>;
  readonly assets?: TagAssignments;
  readonly owners?: Readonly<Record<string, string>>;
  readonly grants?: readonly Grant[];
  readonly forbids?: readonly Forbid[];
  /** Ids of declared grants that are suspended. */
  readonly suspended?: readonly string[];
  /** Members of a group hold these roles, or belong to these groups too. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Study codes that serve as purposes, with what they stand for. */
  readonly studies?: Readonly<Record<string, string>>;
  /** The data use conditions of a site's data, `*` for every other site: DUO codes with their parameters. */
  readonly dataUse?: Readonly<Record<string, readonly DataUseCondition[]>>;
  /** Research projects by the name that a token carries. */
  readonly projects?: Readonly<Record<string, ResearchProject>>;
  /** Datasets of controlled access by the URL that a passport names, with the sites whose data they hold. */
  readonly controlled?: Readonly<Record<string, readonly string[]>>;
  /** To whom answers go, by id: who belongs to a recipient, and what follows from it. */
  readonly recipients?: Readonly<Record<string, RecipientRule>>;
  /** Research protocols as an accounting of disclosures names them, by id. */
  readonly protocols?: Readonly<Record<string, ResearchProtocol>>;
}

/** The one policy: the declarations of all products and the document in force, checked, with a version that is a digest of its content. */
export interface Policy {
  readonly version: string;
  readonly grants: readonly Grant[];
  readonly forbids: readonly Forbid[];
  readonly document: PolicyDocument;
  /** Every tag that exists, with what it stands for. */
  readonly tags: Readonly<Record<string, string>>;
  readonly roles: ReadonlySet<string>;
}

/** Joins what the products declare with the document in force. Unknown names and repeated ids are refused by name (POLICY_INVALID). */
export function composePolicy(declarations: readonly PolicyDeclaration[], document: PolicyDocument = {}): Policy {
  const declared = declarations.flatMap((each) => each.grants);
  const suspended = new Set(document.suspended ?? []);
  const grants = [...declared.filter((each) => !suspended.has(each.id)), ...(document.grants ?? [])];
  const forbids = [...declarations.flatMap((each) => each.forbids ?? []), ...(document.forbids ?? [])];
  const faults = [
    ...[...suspended].filter((id) => !declared.some((each) => each.id === id)).map((id) => `suspended: there is no grant ${id}`),
    ...new Checks(document).faults(grants, forbids),
  ];
  if (faults.length > 0) throw new CodedError('POLICY_INVALID', `The policy is refused. ${faults.join('; ')}.`);
  const tags = { ...TAGS, ...document.tags };
  const version = createHash('sha256').update(canonical({ tags, grants, forbids, document })).digest('hex').slice(0, 16);
  const roles = new Set(grants.map((grant) => grant.role));
  return Object.freeze({ version, grants, forbids, document, tags, roles });
}

/** Roles that a caller holds: those of the token, and those that its groups stand for, through groups in groups. */
export function rolesOf({ document }: Policy, roles: readonly string[], groups: readonly string[]): readonly string[] {
  const held = new Set(roles);
  const seen = new Set<string>();
  const waiting = [...groups];
  for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
    if (seen.has(group)) continue;
    seen.add(group);
    for (const member of document.groups?.[group] ?? []) {
      if (document.groups && Object.hasOwn(document.groups, member)) waiting.push(member);
      else held.add(member);
    }
  }
  return [...held].sort();
}

/** Which attribute of a row may be asked for among which of the caller's: others could not be compared. */
const MEMBERS: Readonly<Record<string, string>> = { site: 'sites', principal: 'sub', patient: 'patient' };
const OPERATORS: ReadonlySet<string> = new Set(['=', '<', '<=', '>', '>=']);
const NAME = /^[a-z][a-z0-9_]*$/;
const SITE = /^[\w.-]{1,64}$/;

/** Everything that a policy names must exist; what does not is told by the id of its rule. */
class Checks {
  private readonly found: string[] = [];

  constructor(private readonly document: PolicyDocument) {}

  faults(grants: readonly Grant[], forbids: readonly Forbid[]): readonly string[] {
    const ids = new Set<string>();
    for (const rule of [...grants, ...forbids]) {
      if (ids.has(rule.id)) this.found.push(`${rule.id}: the id is used twice`);
      ids.add(rule.id);
      this.rule(rule);
    }
    for (const grant of grants) this.grant(grant);
    for (const forbid of forbids) if (forbid.rows && !known(forbid.rows, false)) this.found.push(`${forbid.id}: unknown row predicate`);
    this.names();
    return this.found;
  }

  private rule(rule: Grant | Forbid): void {
    if (rule.purposes.length === 0 || rule.tags.length === 0) this.found.push(`${rule.id}: no purpose or no tag`);
    if (rule.reason.trim() === '') this.found.push(`${rule.id}: no reason`);
    for (const tag of rule.tags) this.tag(rule.id, tag);
    for (const purpose of rule.purposes) {
      const study = purpose.startsWith('study:') && this.document.studies && Object.hasOwn(this.document.studies, purpose.slice(6));
      if (!Object.hasOwn(PURPOSES, purpose) && !study) this.found.push(`${rule.id}: unknown purpose ${purpose}`);
    }
    for (const action of rule.actions ?? [])
      if (!ACTIONS.includes(action)) this.found.push(`${rule.id}: unknown action ${action as string}`);
    for (const time of [rule.validFrom, rule.validTo])
      if (time !== undefined && Number.isNaN(Date.parse(time))) this.found.push(`${rule.id}: a time that is none`);
  }

  private grant(grant: Grant): void {
    for (const [tag, mask] of Object.entries(grant.masks ?? {})) {
      this.tag(grant.id, tag);
      if (mask === undefined || !MASKS.includes(mask)) this.found.push(`${grant.id}: unknown mask ${String(mask)}`);
    }
    if (grant.profile !== undefined && !PROFILES.includes(grant.profile))
      this.found.push(`${grant.id}: unknown profile ${grant.profile as string}`);
    if (grant.clearance !== undefined && !CLEARANCES.includes(grant.clearance))
      this.found.push(`${grant.id}: unknown clearance ${grant.clearance as string}`);
    for (const notice of grant.obligations?.notices ?? [])
      if (!Object.hasOwn(NOTICES, notice)) this.found.push(`${grant.id}: unknown notice ${notice as string}`);
    if (!known(grant.rows, false)) this.found.push(`${grant.id}: unknown row predicate`);
    for (const [table, rows] of Object.entries(grant.datasets ?? {}))
      if (!NAME.test(table) || !known(rows, true)) this.found.push(`${grant.id}: unknown row predicate for ${table}`);
  }

  private tag(where: string, tag: string): void {
    const governed = this.document.tags && Object.hasOwn(this.document.tags, tag);
    if (!isTag(tag) && governed !== true && !/^safeharbor\.[A-R](?:\.(?:zip|street|birth|age|text))?$/.test(tag))
      this.found.push(`${where}: unknown tag ${tag}`);
  }

  private names(): void {
    const { tags = {}, assets = {}, groups = {}, studies = {}, dataUse = {}, projects = {}, controlled = {} } = this.document;
    for (const tag of Object.keys(tags))
      if (!/^gov\.[a-z][a-z0-9_.]*$/.test(tag)) this.found.push(`tags: ${tag} is no name of a governed tag`);
    for (const [asset, given] of Object.entries(assets)) {
      if (!asset.split('.').every((part) => part === '*' || NAME.test(part)) || asset.split('.').length > 3)
        this.found.push(`assets: ${asset} is no name of an asset`);
      for (const tag of given) this.tag(`assets: ${asset}`, tag);
    }
    for (const group of Object.keys(groups)) if (!NAME.test(group)) this.found.push(`groups: ${group} is no name of a group`);
    for (const study of Object.keys(studies)) if (!/^\w+$/.test(study)) this.found.push(`studies: ${study} is no code`);
    for (const site of Object.keys(dataUse)) if (site !== '*') this.site('dataUse', site);
    for (const [dataset, sites] of Object.entries(controlled)) for (const site of sites) this.site(`controlled: ${dataset}`, site);
    this.found.push(...recipientFaults(this.document));
    for (const [name, project] of Object.entries(projects))
      if (project.id !== name) this.found.push(`projects: ${name} stands under another name than its own`);
  }

  private site(where: string, site: string): void {
    if (!SITE.test(site)) this.found.push(`${where}: ${site} is no name of a site`);
  }
}

/** True for predicates of the closed language; comparisons with columns only where a dataset says which columns there are. */
function known(predicate: Predicate, columns: boolean): boolean {
  switch (predicate.op) {
    case 'true':
    case 'false':
    case 'consent':
    case 'glass':
      return true;
    case 'in':
      return Object.hasOwn(MEMBERS, predicate.attribute) && MEMBERS[predicate.attribute] === predicate.me;
    case '<=':
      return (predicate.attribute as string) === 'sensitivity' && Number.isInteger(predicate.literal);
    case 'and':
    case 'or':
      return predicate.of.length > 0 && predicate.of.every((each) => known(each, columns));
    case 'except':
      return known(predicate.of, columns);
    case 'compare':
      return columns && NAME.test(predicate.column) && OPERATORS.has(predicate.operator) && isLiteral(predicate.literal);
    case 'one-of':
      return columns && NAME.test(predicate.column) && predicate.literals.every(isLiteral);
    case 'between':
      return columns && NAME.test(predicate.column) && isLiteral(predicate.from) && isLiteral(predicate.to);
    case 'is-null':
      return columns && NAME.test(predicate.column);
    default:
      return false;
  }
}

const isLiteral = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
