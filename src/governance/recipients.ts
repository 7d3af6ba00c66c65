import {
  type BulkStatus,
  type PlanDecision,
  type Principal,
  type Recipient,
  type RecipientKind,
  type ResearchProtocol,
  type Grant,
} from '../kernel/index.js';

/** A recipient as a policy document states it: what it is, and who belongs to it. */
export interface RecipientRule {
  readonly name: string;
  readonly address?: string;
  readonly kind: RecipientKind;
  readonly bulk: BulkStatus;
  /** Subjects of tokens. */
  readonly subjects?: readonly string[];
  /** Groups of tokens. */
  readonly groups?: readonly string[];
  /** Issuers whose subjects and groups are meant; where it stands alone, everybody of these issuers. */
  readonly issuers?: readonly string[];
  readonly dataUseAgreement?: string;
  readonly protocol?: string;
  readonly authorisation?: string;
}

interface Rules {
  readonly recipients?: Readonly<Record<string, RecipientRule>>;
  readonly protocols?: Readonly<Record<string, ResearchProtocol>>;
}

/** Ids of recipients that are given without a declaration. */
const WORKFORCE = 'workforce';
const ISSUER = 'issuer:';
const ID = /^[a-z][a-z0-9_.-]{0,63}$/;

/** Whoever the installation itself vouches for and no recipient of the policy claims. */
const workforce: Recipient = {
  id: WORKFORCE,
  name: 'Workforce of this installation',
  address: null,
  kind: 'workforce',
  bulk: 'domestic',
  dataUseAgreement: null,
  authorisation: null,
  protocol: null,
};

const unknown = (id: string, name: string): Recipient => ({ ...workforce, id, name, kind: 'unknown', bulk: 'unknown' });

const HOW_NEAR = { subject: 0, group: 1, issuer: 2 } as const;
const HOW_BAD: Readonly<Record<BulkStatus, number>> = { 'of-concern': 0, unknown: 1, domestic: 2 };

/**
 * To whom an answer to this caller goes. A recipient of concern wins over all others, then the one that names the subject over one that names a group
 * over one that names the issuer, then the one less known. Whom nobody claims is of the workforce where the installation vouches for him, and else
 * unknown: all unknown callers of one issuer are one recipient, so that they are metered together.
 */
export function recipientOf({ document }: { readonly document: Rules }, principal: Principal): Recipient {
  const claims = Object.entries(document.recipients ?? {}).flatMap(([id, rule]) => {
    const by = claimedBy(rule, principal);
    return by === null ? [] : [{ id, rule, rank: [rule.bulk === 'of-concern' ? 0 : 1, HOW_NEAR[by], HOW_BAD[rule.bulk]] }];
  });
  const [first] = claims.sort((a, b) => compare(a.rank, b.rank) || (a.id < b.id ? -1 : 1));
  if (first) return declared(first.id, first.rule);
  const { issuer } = principal;
  return issuer === undefined ? workforce : unknown(`${ISSUER}${issuer}`, `Unknown recipient of ${issuer}`);
}

/** The recipient of a recorded id, as the policy in force has it; unknown where it names none, or where none was recorded. */
export function recipientById({ document }: { readonly document: Rules }, id: string | null): Recipient {
  if (id === null) return unknown('unknown', 'Unknown recipient');
  const rule = document.recipients && Object.hasOwn(document.recipients, id) ? document.recipients[id] : undefined;
  if (rule) return declared(id, rule);
  if (id === WORKFORCE) return workforce;
  return unknown(id, id.startsWith(ISSUER) ? `Unknown recipient of ${id.slice(ISSUER.length)}` : `Unknown recipient ${id}`);
}

/**
 * True where every rule that let data into an answer takes identifiers away as a de-identification profile says: at most a limited data set left
 * (45 CFR 164.514(e)(2)). `grants` are those of the policy by which it was decided.
 */
export function isLimited(grants: readonly Grant[], decisions: readonly PlanDecision[]): boolean {
  const profiled = new Set(grants.filter((grant) => grant.profile !== undefined).map((grant) => grant.id));
  const used = decisions.flatMap((each) => each.ruleIds).flatMap((id) => id.split('+'));
  return used.length > 0 && used.every((id) => profiled.has(id));
}

/** What is wrong with the recipients and protocols of a document, as sentences. */
export function recipientFaults({ recipients = {}, protocols = {} }: Rules): readonly string[] {
  const faults: string[] = [];
  for (const [id, { subjects = [], groups = [], issuers = [], protocol }] of Object.entries(recipients)) {
    if (!ID.test(id)) faults.push(`recipients: ${id} is no id of a recipient`);
    if (id === WORKFORCE) faults.push(`recipients: ${id} is given already; callers of another issuer stand under another id`);
    if (subjects.length + groups.length + issuers.length === 0) faults.push(`recipients: ${id} claims nobody`);
    if (protocol !== undefined && !Object.hasOwn(protocols, protocol)) faults.push(`recipients: ${id} names an unknown protocol`);
  }
  for (const id of Object.keys(protocols)) if (!/^[\w.-]{1,64}$/.test(id)) faults.push(`protocols: ${id} is no id of a protocol`);
  return faults;
}

/**
 * How a rule claims a caller. Without issuers a rule that lifts thresholds speaks of callers of the installation's own only, and one that does not lift
 * them of everybody of that name; it reaches through whoever acts for another, too.
 */
function claimedBy({ bulk, subjects, groups, issuers }: RecipientRule, principal: Principal): keyof typeof HOW_NEAR | null {
  const { issuer, sub, actors = [] } = principal;
  const lifts = bulk === 'domestic';
  const meant = issuers ? issuer !== undefined && issuers.includes(issuer) : issuer === undefined || !lifts;
  if (!meant) return null;
  const names = lifts ? [sub] : [sub, ...actors.map((actor) => actor.sub)];
  if (names.some((name) => subjects?.includes(name))) return 'subject';
  if ((principal.groups ?? []).some((group) => groups?.includes(group))) return 'group';
  return issuers && !subjects && !groups ? 'issuer' : null;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, rank] of a.entries()) if (rank !== b[i]) return rank - (b[i] ?? 0);
  return 0;
}

const declared = (id: string, rule: RecipientRule): Recipient => ({
  id,
  name: rule.name,
  address: rule.address ?? null,
  kind: rule.kind,
  bulk: rule.bulk,
  dataUseAgreement: rule.dataUseAgreement ?? null,
  authorisation: rule.authorisation ?? null,
  protocol: rule.protocol ?? null,
});
