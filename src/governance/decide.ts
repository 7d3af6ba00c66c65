import {
  LIMITS,
  MASKS,
  maskRank,
  type Action,
  type Actor,
  type Clearance,
  type EntityDeclaration,
  type FieldDeclaration,
  type Forbid,
  type Grant,
  type Mask,
  type Notice,
  type Predicate,
  type Purpose,
  type SafeHarborTag,
  type Tag,
} from '../kernel/index.js';
import type { Classification } from './classification.js';
import type { Policy } from './compose-policy.js';
import { anyOf, asksGlass, bothOf, exceptFor, sensitivityReach, specialise, unlessGlass } from './predicate.js';
import { profileMask } from './profiles.js';

/** One live grant that covers a set of tags: where it holds, and through which mask. */
export interface Alternative {
  /** Under delegation, the grants of all who act, joined by `+`. */
  readonly grantId: string;
  readonly rows: Predicate;
  readonly datasets: Readonly<Record<string, Predicate>>;
  /** What is asked in addition of rows that are about a person: their consent, or what takes its place. */
  readonly consent: Predicate;
  /** null = in the clear. */
  readonly mask: Mask | null;
}

/** The verdict over a set of tags for one policy class; without alternatives it is hidden. */
export interface Decision {
  /** The clearest first. */
  readonly alternatives: readonly Alternative[];
  readonly smallCellMin: number;
}

const HIDDEN: Decision = { alternatives: [], smallCellMin: LIMITS.small_cell_min };

/** How rows are come to: one by its id, a list or a number of them, or either, where only what is in a row is asked. */
export type Reach = 'one' | 'many' | 'either';

/** What takes rows away from a caller whatever the grants say (scopes of the token, data use conditions): it never adds a right. */
export interface Narrowing {
  /** Equal narrowings have equal keys. */
  readonly key: string;
  /** Rows that are left; `false` where the token names no such data. */
  rule(entity: EntityDeclaration, action: Action, reach: Reach): Predicate;
  /** Milliseconds since 1970 at which it is to be made anew. */
  readonly until?: number;
  /** True where hand-written operations are closed, because only resources were granted. */
  readonly closed?: boolean;
  /** What data use conditions came to; names and codes for the record. */
  readonly dataUse?: DataUseFacts;
  readonly notices?: readonly Notice[];
}

export interface DataUseFacts {
  readonly project: string | null;
  /** Sites whose conditions the project does not meet; `*` stands for every site that has none of its own. */
  readonly denied: readonly string[];
  readonly obligations: readonly string[];
}

/** Everything about a caller that decides and does not depend on the person asked about. */
export interface ClassFacts {
  readonly roles: readonly string[];
  readonly purpose: Purpose;
  readonly allSites: boolean;
  readonly steppedUp?: boolean;
  /** True while the caller has broken glass: without it, emergency grants do not burden the statements of every day. */
  readonly emergency?: boolean;
  /** Who acts for the caller; rights are the intersection of all. */
  readonly actors?: readonly Actor[];
  readonly narrowing?: Narrowing;
  /** What the caller's passport gives at this moment, and until when at most all of it holds (milliseconds since 1970). */
  readonly clearances?: readonly Clearance[];
  readonly clearedUntil?: number;
}

/**
 * What callers of one policy class may see. A class is (roles, purpose, all sites or some, log-in strength, delegation, scopes, data use,
 * passport, policy version): everything about a caller that does not depend on the person asked about. Decisions are made once per class; rows and
 * consent stay predicates in SQL.
 */
export class PolicyClass {
  readonly key: string;
  readonly policyVersion: string;
  /** Milliseconds since 1970 at which a grant or forbid begins or ends, so that the class has to be made anew. */
  readonly goodUntil: number;
  readonly roles: readonly string[];
  readonly purpose: Purpose;
  readonly allSites: boolean;
  /** Live grants of the caller and of each who acts for him. */
  private readonly chain: readonly (readonly Grant[])[];
  private readonly forbids: readonly Forbid[];
  private readonly memo = new Map<Action, Map<string, Decision>>();
  private readonly cells = new Map<EntityDeclaration | undefined, Map<Pick<FieldDeclaration, 'tags'>, Decision>>();

  constructor(
    readonly policy: Policy,
    readonly classification: Classification,
    private readonly facts: ClassFacts,
    now: number,
  ) {
    this.roles = facts.roles;
    this.purpose = facts.purpose;
    this.allSites = facts.allSites;
    this.policyVersion = policy.version;
    this.key = classKey(policy.version, facts);
    const holders = [facts.roles, ...(facts.actors ?? []).map((actor) => actor.roles)];
    this.chain = holders.map((roles) => policy.grants.filter((grant) => this.lives(grant, roles, now)));
    const everyRole = new Set(holders.flat());
    this.forbids = policy.forbids.filter(
      (each) => (each.role === '*' || everyRole.has(each.role)) && each.purposes.includes(facts.purpose) && inForce(each, now),
    );
    const edges = [...policy.grants, ...policy.forbids].flatMap((rule) => [rule.validFrom, rule.validTo]);
    const times = edges.flatMap((each) => (each === undefined ? [] : [Date.parse(each)]));
    this.goodUntil = Math.min(facts.clearedUntil ?? Infinity, facts.narrowing?.until ?? Infinity, ...times.filter((each) => each > now));
  }

  /** Decides one cell of a dataset: its field together with its row. Hot: two look-ups once it was decided. */
  cell(entity: EntityDeclaration | undefined, field: Pick<FieldDeclaration, 'tags'>): Decision {
    let known = this.cells.get(entity);
    if (!known) this.cells.set(entity, (known = new Map<Pick<FieldDeclaration, 'tags'>, Decision>()));
    let decision = known.get(field);
    if (!decision) known.set(field, (decision = this.decide(this.classification.cellTags(entity, field))));
    return decision;
  }

  /** Decides a set of tags for an action. */
  decide(tags: readonly Tag[], action: Action = 'read'): Decision {
    let known = this.memo.get(action);
    if (!known) this.memo.set(action, (known = new Map<string, Decision>()));
    const memoKey = [...tags].sort().join(',');
    let decision = known.get(memoKey);
    if (!decision) known.set(memoKey, (decision = this.evaluate(tags, action)));
    return decision;
  }

  /** True where some live grant covers all tags for the action, through a mask or in the clear. */
  may(action: Action, tags: readonly Tag[]): boolean {
    return this.decide(tags, action).alternatives.length > 0;
  }

  /** Whether anybody in the chain holds no grant at all; then no schema is seen. */
  get empty(): boolean {
    return this.chain.some((live) => live.length === 0);
  }

  /** True where the token grants resources only, so that no hand-written operation is open. */
  get narrowed(): boolean {
    return this.facts.narrowing?.closed === true;
  }

  /** What the data use conditions of the sites came to; undefined where none was asked. */
  get dataUse(): DataUseFacts | undefined {
    return this.facts.narrowing?.dataUse;
  }

  /** Whether emergency grants live in it: a request of such a class is refused where no glass of the caller is broken. */
  get emergency(): boolean {
    return this.facts.emergency === true;
  }

  /** The highest confidentiality any live grant reaches: what row level security lets through. */
  get clearance(): number {
    return Math.min(...this.chain.map((live) => Math.max(-1, ...live.map((grant) => sensitivityReach(grant.rows)))));
  }

  /** Rows of `entity` for which one grant covers `tags` in the clear: the OR of the grants' own predicates, consent included. */
  rowRule(entity: EntityDeclaration, tags: readonly Tag[] = [], action: Action = 'read', reach: Reach = 'either'): Predicate {
    const { alternatives } = this.decide([...new Set([...this.classification.rowTags(entity), ...tags])], action);
    return anyOf(alternatives.filter((each) => each.mask === null).map((each) => this.rowsOn(entity, each, action, reach)));
  }

  /** Where an alternative holds on the rows of one entity. Broken glass takes the place of consent, and of nothing else. */
  rowsOn(
    entity: EntityDeclaration,
    alternative: Pick<Alternative, 'rows' | 'datasets' | 'consent'>,
    action: Action = 'read',
    reach: Reach = 'either',
  ): Predicate {
    const consent = entity.patient === undefined ? undefined : alternative.consent;
    return [alternative.rows, alternative.datasets[entity.table], this.facts.narrowing?.rule(entity, action, reach), consent]
      .filter((each) => each !== undefined)
      .map((each) => specialise(entity, each, this.allSites))
      .reduce(bothOf, { op: 'true' });
  }

  /** Ids of the forbids that bear on these tags. */
  forbidding(tags: readonly Tag[]): readonly string[] {
    return this.forbids.filter((each) => each.tags.some((tag) => tags.includes(tag))).map((each) => each.id);
  }

  /** Tags that no live grant covers, for the action; where each is covered by some grant, but by no one grant together, all of them. */
  uncovered(tags: readonly Tag[], action: Action = 'read'): readonly Tag[] {
    const own = tags.filter((tag) => !isLetter(tag) && tag !== 'root');
    const none = own.filter((tag) => !this.chain.every((live) => live.some((grant) => covers(grant, action) && holds(grant, tag))));
    return none.length > 0 ? none : own;
  }

  /** Statements that go with answers under these grants. */
  noticesOf(ruleIds: readonly string[]): readonly Notice[] {
    const used = new Set(ruleIds.flatMap((id) => id.split('+')));
    const own = this.chain.flat().flatMap((grant) => (used.has(grant.id) ? (grant.obligations?.notices ?? []) : []));
    return [...new Set([...own, ...(used.size > 0 ? (this.facts.narrowing?.notices ?? []) : [])])];
  }

  private lives(grant: Grant, roles: readonly string[], now: number): boolean {
    return (
      roles.includes(grant.role) &&
      grant.purposes.includes(this.facts.purpose) &&
      inForce(grant, now) &&
      // An emergency is a person's own: nobody acts under glass that another broke.
      (!asksGlass(grant.rows) || (this.facts.emergency === true && (this.facts.actors ?? []).length === 0)) &&
      (grant.obligations?.stepUp !== true || this.facts.steppedUp === true) &&
      (grant.clearance === undefined || this.facts.clearances?.includes(grant.clearance) === true)
    );
  }

  private evaluate(tags: readonly Tag[], action: Action): Decision {
    if (tags.length === 0) return HIDDEN;
    const forbids = this.forbids.filter(
      (each) => (each.actions ?? [action]).includes(action) && each.tags.some((tag) => tags.includes(tag)),
    );
    if (tags.every((tag) => tag === 'root') && !this.empty && forbids.length === 0) {
      return {
        alternatives: [{ grantId: 'structure', rows: { op: 'true' }, datasets: {}, consent: { op: 'consent' }, mask: null }],
        smallCellMin: 0,
      };
    }
    const covering = this.chain.map((live) =>
      live.filter((grant) => covers(grant, action) && tags.every((tag) => isLetter(tag) || holds(grant, tag))),
    );
    const each = covering.map((grants) => grants.map((grant) => alternativeOf(grant, tags, forbids)));
    const alternatives = each.reduce(intersection).filter((one) => one.rows.op !== 'false');
    // Emergencies come last: what anybody may see every day is told by its everyday grant.
    alternatives.sort(
      (a, b) => order(b.mask) - order(a.mask) || Number(asksGlass(a.rows)) - Number(asksGlass(b.rows)) || (a.grantId < b.grantId ? -1 : 1),
    );
    return { alternatives, smallCellMin: Math.max(0, ...covering.flat().map((grant) => grant.obligations?.kMin ?? 0)) };
  }
}

/** A right to read values is a right to count them. */
const covers = (grant: Grant, action: Action): boolean =>
  grant.actions.includes(action) || (action === 'count' && grant.actions.includes('read'));

/** A tag that is masked is covered. */
const holds = (grant: Grant, tag: Tag): boolean => grant.tags.includes(tag) || grant.masks?.[tag] !== undefined;

const isLetter = (tag: Tag): tag is SafeHarborTag => tag.startsWith('safeharbor.');

function alternativeOf(grant: Grant, tags: readonly Tag[], forbids: readonly Forbid[]): Alternative {
  const rows = forbids
    .map((each) => {
      const held = exceptFor(each.rows ?? { op: 'true' });
      return each.breakable === true ? unlessGlass(grant.rows, held) : held;
    })
    .reduce(bothOf, grant.rows);
  const consent = unlessGlass(grant.rows, { op: 'consent' });
  return { grantId: grant.id, rows, datasets: grant.datasets ?? {}, consent, mask: strongest(grant, tags) };
}

/** What two who act together may see: both grants must hold on the row, and the stronger mask applies. */
function intersection(left: readonly Alternative[], right: readonly Alternative[]): Alternative[] {
  return left.flatMap((a) =>
    right.map((b) => {
      const tables = new Set([...Object.keys(a.datasets), ...Object.keys(b.datasets)]);
      const datasets = [...tables].map((table) => {
        const both = bothOf(a.datasets[table] ?? { op: 'true' }, b.datasets[table] ?? { op: 'true' });
        return [table, both] as const;
      });
      return {
        grantId: `${a.grantId}+${b.grantId}`,
        rows: bothOf(a.rows, b.rows),
        consent: bothOf(a.consent, b.consent),
        datasets: Object.fromEntries(datasets),
        mask: weaker(a.mask, b.mask) === a.mask ? b.mask : a.mask,
      };
    }),
  );
}

/** Equal callers have equal keys; whatever changes a decision changes the key. */
export function classKey(version: string, facts: ClassFacts): string {
  const chain = [facts.roles, ...(facts.actors ?? []).map((actor) => actor.roles)].map((roles) => [...new Set(roles)].sort());
  const own = [
    facts.steppedUp === true,
    facts.emergency === true,
    [...new Set(facts.clearances ?? [])].sort(),
    facts.narrowing?.key ?? null,
  ];
  return JSON.stringify([version, chain, facts.purpose, facts.allSites, ...own]);
}

/** Order of masks, the clear last; masks of one rank keep the order of their list, so that a tie has one outcome. */
const order = (mask: Mask | null): number => maskRank(mask) * MASKS.length + (mask === null ? 0 : MASKS.indexOf(mask));

const weaker = (a: Mask | null, b: Mask | null): Mask | null => (order(a) >= order(b) ? a : b);

/** The strongest mask among the tags of a column inside one grant; null where the grant gives all of them in the clear. */
export function strongest(grant: Grant, tags: readonly Tag[]): Mask | null {
  const masks = tags.flatMap((tag): Mask[] => {
    if (isLetter(tag)) {
      const mask = grant.profile === undefined ? null : profileMask(grant.profile, tag);
      return mask === null ? [] : [mask];
    }
    return grant.tags.includes(tag) ? [] : [grant.masks?.[tag] ?? 'NULL'];
  });
  return masks.reduce<Mask | null>((a, b) => (weaker(a, b) === a ? b : a), null);
}

function inForce(rule: Pick<Grant, 'validFrom' | 'validTo'>, now: number): boolean {
  return (
    (rule.validFrom === undefined || Date.parse(rule.validFrom) <= now) && (rule.validTo === undefined || now < Date.parse(rule.validTo))
  );
}
