import { NOTHING_SAID, decide, ofKind, type ByAccessType, type Standing } from './decide.js';
import {
  ANY,
  SUPER_USER,
  type MaskInfo,
  type MatchType,
  type PolicyKind,
  type RangerModel,
  type RangerPolicy,
  type RangerRequest,
  type Zone,
} from './model.js';
import { byName, canDeny, evaluationOrder } from './order.js';
import { matchOf, type Asked } from './resource.js';
import { anyInForce } from './schedule.js';
import { withAttributes } from './macro.js';
import { tagsOf, type MatchedTag } from './tags.js';

export interface RangerVerdict {
  readonly allowed: boolean;
  readonly policyId: number | null;
  /** Of a request for a mask: null where the column is shown as it is. */
  readonly mask: MaskInfo | null;
  /** Of a request for a row filter: the text of the filter. */
  readonly filter: string | null;
}

/** The clock by which recurring schedules go: the zone of the service that decides. */
export interface Clock {
  readonly timeZone: string;
}

/**
 * What Apache Ranger would say: policies on tags first, then policies on the resource, each in the order of evaluation; a deny wins over
 * every allow of the same or a lower priority. A policy that asks for something outside the closed language throws (POLICY_INVALID).
 */
export function evaluateRanger(
  model: RangerModel,
  request: RangerRequest,
  kind: PolicyKind,
  clock: Clock = { timeZone: 'UTC' },
): RangerVerdict {
  const asked = request.accessType === '' ? { ...request, accessType: ANY } : request;
  const full = asked.accessType === ANY ? { ...asked, accessTypes: model.service.accessTypes } : asked;
  const zones = zonesOf(model, asked);
  let standing = NOTHING_SAID;
  if (zones.length === 0 || (zones.length > 1 && full.accessType !== ANY)) {
    standing = inZone(model, null, full, kind, clock);
  } else {
    for (const zone of zones) {
      standing = inZone(model, zone, full, kind, clock);
      if (standing.allowed) break;
    }
  }
  if (!standing.allowed && full.accessType === ANY && Object.keys(full.resource).length === 0) {
    for (const zone of model.zones) {
      const there = inZone(model, zone, full, kind, clock);
      if (there.allowed) return verdictOf(there, full);
    }
  }
  return verdictOf(standing, full);
}

function verdictOf({ allowed, policyId, mask, filter }: Standing, request: RangerRequest): RangerVerdict {
  const put = (text: string | null): string | null => (text === null ? null : withAttributes(text, request));
  const shown = mask === null ? null : { type: mask.type, value: put(mask.value), condition: put(mask.condition) };
  return { allowed, policyId, mask: shown, filter: put(filter) };
}

/** Zones that a resource lies in; null stands for what is in no zone. */
export function zonesOf(model: Pick<RangerModel, 'service' | 'zones'>, asked: Asked): (Zone | null)[] {
  const found = new Set<Zone | null>();
  for (const zone of model.zones) {
    for (const patterns of zone.resources) {
      const match = matchOf(model.service.hierarchies.access, patterns, { ...asked, scopes: {} });
      if (match === 'descendant') found.add(null);
      if (match !== 'none') found.add(zone);
    }
  }
  return [...found];
}

function inZone(model: RangerModel, zone: Zone | null, request: RangerRequest, kind: PolicyKind, clock: Clock): Standing {
  const superUser =
    (request.user !== null && model.superUsers.has(request.user)) || request.groups.some((group) => model.superGroups.has(group));
  if (superUser || request.accessType === SUPER_USER) return { ...NOTHING_SAID, allowed: superUser, determined: true, priority: Infinity };
  const tags = tagsOf(model, request, clock.timeZone);
  const said: ByAccessType = new Map();
  const byTags = askTags(model, zone, request, kind, { tags, said, clock });
  const policies = zone?.policies ?? model.policies;
  return policies.length === 0 ? byTags : askResources(policies, byTags, request, kind, { tags, said, clock });
}

interface Evaluation {
  readonly tags: readonly MatchedTag[];
  readonly said: ByAccessType;
  readonly clock: Clock;
}

/** Asks the policies on the tags of the resource. The strength of a match counts for masks, where the first mask is taken. */
function askTags(
  model: RangerModel,
  zone: Zone | null,
  request: RangerRequest,
  kind: PolicyKind,
  { tags, said, clock }: Evaluation,
): Standing {
  const wanted = zone?.ownTags === true ? zone.name : '';
  const policies = ofKind(model.tagPolicies, kind).filter(
    (policy) => policy.zone === wanted && anyInForce(policy.schedules, request.at, clock.timeZone),
  );
  const pairs = tags.flatMap((tag) => policies.filter((policy) => isOnTag(policy, tag, request)).map((policy) => ({ policy, tag })));
  if (kind === 'access') pairs.sort((a, b) => evaluationOrder(a.policy, b.policy));
  else pairs.sort((a, b) => (kind === 'mask' ? strength(a.tag.match) - strength(b.tag.match) : 0) || byName(a.policy, b.policy));
  let standing = NOTHING_SAID;
  for (const { policy, tag } of pairs) {
    if (!reaches(tag.match, request, true)) continue;
    let after = decide(policy, tag.match, standing, { request, tags, tag }, said);
    if (after.allowed && !canDeny(policy)) after = { ...after, determined: true };
    if (after.determined || (!standing.allowed && after.allowed)) standing = after;
    if (standing.determined) break;
  }
  return standing.allowed ? { ...standing, determined: true } : standing;
}

const STRENGTH: readonly MatchType[] = ['self', 'self-and-all-descendants', 'ancestor', 'descendant', 'none'];
const strength = (match: MatchType): number => STRENGTH.indexOf(match);

function isOnTag(policy: RangerPolicy, tag: MatchedTag, request: RangerRequest): boolean {
  const asked = { ...request, resource: { tag: tag.type }, scopes: {} };
  return policy.resources.some((patterns) => matchOf(policy.service.hierarchies.access, patterns, asked) !== 'none');
}

function askResources(
  policies: readonly RangerPolicy[],
  byTags: Standing,
  request: RangerRequest,
  kind: PolicyKind,
  evaluation: Evaluation,
): Standing {
  const { tags, said, clock } = evaluation;
  const deniedByTags = byTags.determined && !byTags.allowed;
  let standing: Standing = { ...byTags, determined: false };
  for (const policy of ofKind(policies, kind).sort(evaluationOrder)) {
    if (!anyInForce(policy.schedules, request.at, clock.timeZone)) continue;
    if (isFinal(standing, policy, deniedByTags, kind)) return { ...standing, determined: true };
    let reached = false;
    for (const patterns of policy.resources) {
      if (standing.determined) break;
      const match = matchOf(policy.service.hierarchies[kind], patterns, request);
      if (!reaches(match, request, false)) continue;
      reached = true;
      standing = decide(policy, match, standing, { request, tags, tag: null }, said);
    }
    // Policies that deny were asked before; what follows at this priority only allows.
    if (standing.determined || (standing.allowed && reached && !canDeny(policy))) return { ...standing, determined: true };
  }
  return standing;
}

/** What was decided before stands against policies of a lower priority, and a deny by tags and a mask also against those of the same. */
function isFinal(standing: Standing, policy: RangerPolicy, deniedByTags: boolean, kind: PolicyKind): boolean {
  if (deniedByTags) return standing.priority >= policy.priority;
  if (!standing.allowed) return false;
  return kind === 'access' ? standing.priority > policy.priority : standing.priority >= policy.priority;
}

/** Whether a match counts: with any access, and where descendants are asked for, also one further down. */
export function reaches(match: MatchType, request: RangerRequest, tag: boolean): boolean {
  if (match === 'self' || match === 'self-and-all-descendants') return true;
  if (match === 'ancestor') return tag;
  return match === 'descendant' && (request.accessType === ANY || request.descendants);
}
