import {
  LIMITS,
  MASKS,
  type Action,
  type EntityDeclaration,
  type Grant,
  type Mask,
  type Predicate,
  type Principal,
  type Purpose,
  type Tag,
} from '../kernel/index.js';
import type { Policy } from './compose-policy.js';

/** One live grant that covers a set of tags: where it holds, and through which mask. */
export interface Alternative {
  readonly grantId: string;
  readonly rows: Predicate;
  /** null = in the clear. */
  readonly mask: Mask | null;
}

/** The verdict over a set of tags for one policy class; without alternatives it is hidden. */
export interface Decision {
  readonly alternatives: readonly Alternative[];
  readonly smallCellMin: number;
}

const HIDDEN: Decision = { alternatives: [], smallCellMin: LIMITS.small_cell_min };

/**
 * What callers of one policy class may see. A class is (roles, purpose, all sites or some, policy version): everything about a caller
 * that does not depend on the person asked about. Decisions are made once per class; rows and consent stay predicates in SQL.
 */
export class PolicyClass {
  readonly key: string;
  readonly policyVersion: string;
  /** Milliseconds since 1970 at which a grant begins or ends, so that the class has to be made anew. */
  readonly goodUntil: number;
  private readonly live: readonly Grant[];
  private readonly barred: ReadonlySet<Tag>;
  private readonly memo = new Map<string, Decision>();

  constructor(
    policy: Policy,
    readonly roles: readonly string[],
    readonly purpose: Purpose,
    readonly allSites: boolean,
    now: number,
  ) {
    this.policyVersion = policy.version;
    this.key = classKey(policy.version, roles, purpose, allSites);
    this.live = policy.grants.filter((grant) => roles.includes(grant.role) && grant.purposes.includes(purpose) && inForce(grant, now));
    const edges = policy.grants
      .flatMap((grant) => [grant.validFrom, grant.validTo])
      .flatMap((each) => (each === undefined ? [] : [Date.parse(each)]));
    this.goodUntil = Math.min(Infinity, ...edges.filter((each) => each > now));
    this.barred = new Set(
      policy.forbids.filter((each) => roles.includes(each.role) && each.purposes.includes(purpose)).flatMap((each) => each.tags),
    );
  }

  /** Decides one cell: the tags of a column together with those of its row, for an action. */
  decide(tags: readonly Tag[], action: Action = 'read'): Decision {
    const memoKey = `${action}:${[...tags].sort().join(',')}`;
    const known = this.memo.get(memoKey);
    if (known) return known;
    const made = this.evaluate(tags, action);
    this.memo.set(memoKey, made);
    return made;
  }

  /** True where some live grant covers all tags for the action, through a mask or in the clear. */
  may(action: Action, tags: readonly Tag[]): boolean {
    return this.decide(tags, action).alternatives.length > 0;
  }

  /** Whether the class holds any grant at all; without one it sees no schema. */
  get empty(): boolean {
    return this.live.length === 0;
  }

  /** The highest confidentiality any live grant reaches: what row level security lets through. */
  get clearance(): number {
    return Math.max(-1, ...this.live.map((grant) => sensitivityReach(grant.rows)));
  }

  /** Rows of `entity` for which one grant covers `tags` in the clear: the OR of the grants' own predicates, consent included. */
  rowRule(entity: EntityDeclaration, tags: readonly Tag[] = entity.tags, action: Action = 'read'): Predicate {
    const { alternatives } = this.decide([...new Set([...entity.tags, ...tags])], action);
    return anyOf(alternatives.filter((each) => each.mask === null).map((each) => this.rowsOn(entity, each.rows)));
  }

  /** A grant's predicate as it holds on the rows of one entity. */
  rowsOn(entity: EntityDeclaration, rows: Predicate): Predicate {
    const own = this.specialise(entity, rows);
    return entity.patient === undefined ? own : bothOf(own, { op: 'consent' });
  }

  private specialise(entity: EntityDeclaration, predicate: Predicate): Predicate {
    switch (predicate.op) {
      case 'and':
        return predicate.of.map((each) => this.specialise(entity, each)).reduce(bothOf, { op: 'true' });
      case 'or':
        return anyOf(predicate.of.map((each) => this.specialise(entity, each)));
      case 'in':
        if (predicate.attribute === 'principal') return entity.principal === undefined ? { op: 'false' } : predicate;
        if (entity.patient === undefined || (predicate.me === 'sites' && this.allSites)) return { op: 'true' };
        return predicate;
      case '<=':
        return entity.patient === undefined ? { op: 'true' } : predicate;
      default:
        return predicate;
    }
  }

  private evaluate(tags: readonly Tag[], action: Action): Decision {
    if (tags.length === 0 || tags.some((tag) => this.barred.has(tag))) return HIDDEN;
    if (tags.every((tag) => tag === 'root') && !this.empty) {
      return { alternatives: [{ grantId: 'structure', rows: { op: 'true' }, mask: null }], smallCellMin: 0 };
    }
    const covering = this.live.filter(
      (grant) => grant.actions.includes(action) && tags.every((tag) => grant.tags.includes(tag) || grant.masks?.[tag]),
    );
    const alternatives = covering.map((grant): Alternative => ({ grantId: grant.id, rows: grant.rows, mask: strongest(grant, tags) }));
    alternatives.sort((a, b) => rank(b.mask) - rank(a.mask));
    return { alternatives, smallCellMin: Math.max(0, ...covering.map((grant) => grant.smallCellMin ?? 0)) };
  }
}

export function classKey(version: string, roles: readonly string[], purpose: Purpose, allSites: boolean): string {
  return JSON.stringify([version, [...new Set(roles)].sort(), purpose, allSites]);
}

export const classKeyOf = (policy: Policy, principal: Principal): string =>
  classKey(policy.version, principal.roles, principal.purpose, principal.sites === '*');

/** The OR of predicates, with constants folded and repeats removed. */
export function anyOf(of: readonly Predicate[]): Predicate {
  if (of.some((each) => each.op === 'true')) return { op: 'true' };
  const distinct = [...new Map(of.filter((each) => each.op !== 'false').map((each) => [JSON.stringify(each), each])).values()];
  const [first] = distinct;
  if (!first) return { op: 'false' };
  return distinct.length === 1 ? first : { op: 'or', of: distinct };
}

function bothOf(a: Predicate, b: Predicate): Predicate {
  if (a.op === 'false' || b.op === 'false') return { op: 'false' };
  if (a.op === 'true') return b;
  if (b.op === 'true') return a;
  const of = [...(a.op === 'and' ? a.of : [a]), ...(b.op === 'and' ? b.of : [b])];
  return { op: 'and', of: [...new Map(of.map((each) => [JSON.stringify(each), each])).values()] };
}

/** Rank of a mask: the higher, the more is seen; the clear is above all. */
function rank(mask: Mask | null): number {
  return mask === null ? MASKS.length : MASKS.indexOf(mask);
}

function strongest(grant: Grant, tags: readonly Tag[]): Mask | null {
  const masks = tags.filter((tag) => !grant.tags.includes(tag)).map((tag) => grant.masks?.[tag] ?? 'NULL');
  return masks.length === 0 ? null : masks.reduce((a, b) => (rank(a) <= rank(b) ? a : b));
}

function inForce(grant: Grant, now: number): boolean {
  return (
    (grant.validFrom === undefined || Date.parse(grant.validFrom) <= now) &&
    (grant.validTo === undefined || now < Date.parse(grant.validTo))
  );
}

function sensitivityReach(rows: Predicate): number {
  switch (rows.op) {
    case '<=':
      return rows.literal;
    case 'and':
      return Math.min(...rows.of.map(sensitivityReach));
    case 'or':
      return Math.max(...rows.of.map(sensitivityReach));
    case 'false':
      return -1;
    default:
      return 2;
  }
}
