/**
 * The rules of policy read aloud: what a caller may see of one cell, worked out grant by grant and row by row from the declarations
 * alone. Nothing is compiled, kept or folded, and no code is shared with the compiler that it judges.
 */
import {
  maskRank,
  MASKS,
  type Action,
  type EntityDeclaration,
  type Forbid,
  type Grant,
  type Mask,
  type Predicate,
  type Purpose,
  type Tag,
} from '../../src/kernel/index.js';

/** The parts of a policy that decide. */
export interface Rules {
  readonly grants: readonly Grant[];
  readonly forbids: readonly Forbid[];
}

export interface Asking {
  readonly roles: readonly string[];
  /** Roles of each who acts for the caller. */
  readonly actors: readonly (readonly string[])[];
  readonly purpose: Purpose;
  readonly sites: readonly string[] | '*';
  readonly sub: string;
  readonly patient: string | null;
  readonly steppedUp: boolean;
  /** The caller broke the glass for somebody; nobody can who acts for another. */
  readonly emergency?: boolean;
  readonly clearances?: readonly ('registered' | 'controlled')[];
  /** What the token itself leaves of the rows of an entity. */
  readonly narrowing?: (entity: EntityDeclaration) => Predicate;
}

/** A stored row: numbers, texts (times as ISO), booleans, or null. */
export interface Row {
  readonly entity: EntityDeclaration;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What is known of the person of a row. */
export interface Facts {
  readonly permits: (row: Row) => boolean;
  readonly glass: (row: Row) => boolean;
}

export interface Verdict {
  readonly visible: boolean;
  readonly mask: Mask | null;
  readonly grantIds: readonly string[];
}

/** Tags of a row, and those of a cell in it (its own and those of its row). */
export interface CellTags {
  readonly row: readonly Tag[];
  readonly cell: readonly Tag[];
}

const NOTHING: Verdict = { visible: false, mask: null, grantIds: [] };

/** A cell is visible where its row is visible in the clear and one grant of each who acts covers all tags of the cell on that row. */
export function oracleCell(rules: Rules, asking: Asking, tags: CellTags, row: Row, facts: Facts, now: number): Verdict {
  return oracleRow(rules, asking, tags.row, row, facts, now) ? through(rules, asking, tags.cell, row, facts, now) : NOTHING;
}

export function oracleRow(rules: Rules, asking: Asking, tags: readonly Tag[], row: Row, facts: Facts, now: number): boolean {
  const verdict = through(rules, asking, tags, row, facts, now);
  return verdict.visible && verdict.mask === null;
}

/** Of each who acts the weakest mask among his grants that hold; of all of them together the strongest. */
function through(rules: Rules, asking: Asking, tags: readonly Tag[], row: Row, facts: Facts, now: number): Verdict {
  let mask: Mask | null = null;
  const grantIds: string[] = [];
  for (const roles of holders(asking)) {
    let best: { mask: Mask | null; ids: string[] } | undefined;
    for (const grant of rules.grants) {
      if (!lives(grant, roles, asking, now) || !coversAll(grant, tags, 'read')) continue;
      if (!reaches(grant, row, asking, facts) || isForbidden(rules, grant, tags, row, asking, facts, now)) continue;
      const own = maskOf(grant, tags);
      if (best === undefined || strength(own) < strength(best.mask)) best = { mask: own, ids: [grant.id] };
      else if (own === best.mask) best.ids.push(grant.id);
    }
    if (best === undefined) return NOTHING;
    grantIds.push(...best.ids);
    if (strength(best.mask) > strength(mask)) mask = best.mask;
  }
  return { visible: true, mask, grantIds };
}

const holders = (asking: Asking): readonly (readonly string[])[] => [asking.roles, ...asking.actors];

/** How much a mask takes away; masks of one rank in the order of their list, the earlier the stronger. */
function strength(mask: Mask | null): number {
  if (mask === null) return 0;
  return (3 - maskRank(mask)) * 100 + (MASKS.length - MASKS.indexOf(mask));
}

function lives(grant: Grant, roles: readonly string[], asking: Asking, now: number): boolean {
  if (!roles.includes(grant.role)) return false;
  if (!grant.purposes.includes(asking.purpose)) return false;
  if (grant.obligations?.stepUp === true && !asking.steppedUp) return false;
  if (grant.clearance !== undefined && !(asking.clearances ?? []).includes(grant.clearance)) return false;
  if (mentionsGlass(grant.rows) && (asking.emergency !== true || asking.actors.length > 0)) return false;
  return isValid(grant.validFrom, grant.validTo, now);
}

function isValid(from: string | undefined, to: string | undefined, now: number): boolean {
  if (from !== undefined && now < new Date(from).getTime()) return false;
  return to === undefined || now < new Date(to).getTime();
}

function coversAll(grant: Grant, tags: readonly Tag[], action: Action): boolean {
  const acts = grant.actions.includes(action) || (action === 'count' && grant.actions.includes('read'));
  if (!acts || tags.length === 0) return false;
  for (const tag of tags) {
    if (tag.startsWith('safeharbor.') || grant.tags.includes(tag)) continue;
    if (grant.masks === undefined || !Object.hasOwn(grant.masks, tag)) return false;
  }
  return true;
}

/** The strongest mask that one grant puts on any of the tags. */
function maskOf(grant: Grant, tags: readonly Tag[]): Mask | null {
  let strongest: Mask | null = null;
  for (const tag of tags) {
    let mask: Mask | null = null;
    if (tag.startsWith('safeharbor.')) mask = letterMask(grant, tag);
    else if (!grant.tags.includes(tag)) mask = grant.masks?.[tag] ?? 'NULL';
    if (strength(mask) > strength(strongest)) strongest = mask;
  }
  return strongest;
}

/** 45 CFR 164.514(b)(2)(i) for Safe Harbor and 164.514(e)(2) for a limited data set; what they do not keep or generalise is taken out. */
function letterMask(grant: Grant, tag: string): Mask | null {
  const { profile } = grant;
  if (profile === undefined) return null;
  const [, letter = '', detail] = tag.split('.');
  if (letter === 'R' && detail !== undefined) return detail === 'text' ? 'REDACT' : 'NULL';
  if (letter === 'R') return 'HASH';
  if (profile === 'limited-data-set') {
    const kept = letter === 'B' ? [undefined, 'zip'] : letter === 'C' ? [undefined, 'birth', 'age'] : [];
    return kept.includes(detail) ? null : 'NULL';
  }
  if (letter === 'B' && detail === 'zip') return 'ZIP3';
  if (letter === 'C') return detail === undefined ? 'YEAR' : detail === 'birth' || detail === 'age' ? 'AGE90' : 'NULL';
  return 'NULL';
}

/** Its row rule holds, its rule for the dataset, what the token leaves, and the person's consent or, for a grant of emergency, broken glass. */
function reaches(grant: Grant, row: Row, asking: Asking, facts: Facts): boolean {
  const narrowing = asking.narrowing?.(row.entity);
  for (const rule of [grant.rows, grant.datasets?.[row.entity.table], narrowing])
    if (rule !== undefined && evaluate(rule, row, asking, facts) !== true) return false;
  if (row.entity.patient === undefined) return true;
  return facts.permits(row) || (mentionsGlass(grant.rows) && facts.glass(row));
}

/** A forbid hides unless its rows are false for certain; one that is breakable yields to a grant of emergency on rows under broken glass. */
function isForbidden(rules: Rules, grant: Grant, tags: readonly Tag[], row: Row, asking: Asking, facts: Facts, now: number): boolean {
  for (const forbid of rules.forbids) {
    if (!forbidStands(forbid, tags, 'read', asking, now)) continue;
    if (forbid.breakable === true && mentionsGlass(grant.rows) && isUnderGlass(row, facts)) continue;
    if (forbid.rows === undefined || evaluate(forbid.rows, row, asking, facts) !== false) return true;
  }
  return false;
}

const isUnderGlass = (row: Row, facts: Facts): boolean => row.entity.patient !== undefined && facts.glass(row);

function forbidStands(forbid: Forbid, tags: readonly Tag[], action: Action, asking: Asking, now: number): boolean {
  const named = forbid.role === '*' || holders(asking).some((roles) => roles.includes(forbid.role));
  if (!named || !forbid.purposes.includes(asking.purpose)) return false;
  if (forbid.actions !== undefined && !forbid.actions.includes(action)) return false;
  return isValid(forbid.validFrom, forbid.validTo, now) && forbid.tags.some((tag) => tags.includes(tag));
}

export function mentionsGlass(predicate: Predicate): boolean {
  if (predicate.op === 'glass') return true;
  if (predicate.op === 'and' || predicate.op === 'or') return predicate.of.some(mentionsGlass);
  return predicate.op === 'except' && mentionsGlass(predicate.of);
}

/** True, false, or null where it cannot be told. */
export type Tri = boolean | null;

const negated = (one: Tri): Tri => (one === null ? null : !one);

/** A predicate on a row under three-valued logic. What does not apply to rows that are not about a person does not narrow them. */
export function evaluate(predicate: Predicate, row: Row, asking: Asking, facts: Facts): Tri {
  const { entity, values } = row;
  const each = (one: Predicate): Tri => evaluate(one, row, asking, facts);
  switch (predicate.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'and':
      return conjunction(predicate.of.map(each));
    case 'or':
      return negated(conjunction(predicate.of.map((one) => negated(each(one)))));
    case 'except':
      return each(predicate.of) === false;
    case 'in':
      return belongs(predicate, row, asking);
    case '<=':
      return entity.patient === undefined ? true : compared(values['sensitivity'], '<=', predicate.literal);
    case 'compare':
      return compared(values[predicate.column], predicate.operator, predicate.literal);
    case 'one-of':
      return negated(conjunction(predicate.literals.map((literal) => negated(compared(values[predicate.column], '=', literal)))));
    case 'between':
      return conjunction([
        compared(values[predicate.column], '>=', predicate.from),
        compared(values[predicate.column], '<=', predicate.to),
      ]);
    case 'is-null':
      return isMissing(values[predicate.column]);
    case 'glass':
      return isUnderGlass(row, facts);
    case 'consent':
      return entity.patient !== undefined && facts.permits(row);
  }
}

function conjunction(parts: readonly Tri[]): Tri {
  if (parts.includes(false)) return false;
  return parts.includes(null) ? null : true;
}

function belongs({ attribute, me }: Predicate & { op: 'in' }, { entity, values }: Row, asking: Asking): Tri {
  if (attribute === 'principal' && entity.principal === undefined) return false;
  if (attribute !== 'principal' && entity.patient === undefined) return true;
  if (attribute !== 'principal' && me === 'sites' && asking.sites === '*') return true;
  const column = { principal: entity.principal, patient: entity.patient, site: 'site_id', sensitivity: 'sensitivity' }[attribute];
  const value = values[column ?? ''];
  if (me === 'patient') return asking.patient === null || isMissing(value) ? null : value === asking.patient;
  const wanted = me === 'sub' ? [asking.sub] : asking.sites === '*' ? [] : asking.sites;
  if (wanted.length === 0) return false;
  return isMissing(value) ? null : wanted.includes(value as string);
}

const isMissing = (value: unknown): boolean => value === null || value === undefined;

/** Texts by their bytes, numbers and booleans by their order. */
function compared(value: unknown, operator: '=' | '<' | '<=' | '>' | '>=', literal: string | number | boolean): Tri {
  if (isMissing(value)) return null;
  const order =
    typeof value === 'string' && typeof literal === 'string'
      ? Buffer.compare(Buffer.from(value, 'utf8'), Buffer.from(literal, 'utf8'))
      : Number(value) - Number(literal);
  if (operator === '=') return order === 0;
  if (order === 0) return operator === '<=' || operator === '>=';
  return order < 0 ? operator.startsWith('<') : operator.startsWith('>');
}

/** Whether grants cover tags for an action on any row at all, and whether they do so in the clear; `entity` where the tags are of its cells. */
export function oracleCovers(
  rules: Rules,
  asking: Asking,
  tags: readonly Tag[],
  now: number,
  entity?: EntityDeclaration,
  action: Action = 'read',
): { readonly covered: boolean; readonly clear: boolean } {
  const chain = holders(asking).map((roles) => rules.grants.filter((grant) => lives(grant, roles, asking, now)));
  const forbids = rules.forbids.filter((forbid) => forbidStands(forbid, tags, action, asking, now));
  if (tags.length > 0 && tags.every((tag) => tag === 'root') && forbids.length === 0 && chain.every((live) => live.length > 0))
    return { covered: true, clear: true };
  const held = chain.map((live) =>
    live.filter((grant) => coversAll(grant, tags, action) && couldHold(grant, forbids, entity, asking)).map((grant) => maskOf(grant, tags)),
  );
  return { covered: held.every((masks) => masks.length > 0), clear: held.every((masks) => masks.includes(null)) };
}

function couldHold(grant: Grant, forbids: readonly Forbid[], entity: EntityDeclaration | undefined, asking: Asking): boolean {
  const narrowing = entity && asking.narrowing?.(entity);
  const rules = [grant.rows, entity && grant.datasets?.[entity.table], narrowing];
  if (!rules.every((rule) => rule === undefined || could(rule, entity, asking).be)) return false;
  return forbids.every(
    (forbid) =>
      (forbid.breakable === true && mentionsGlass(grant.rows) && (entity === undefined || entity.patient !== undefined)) ||
      (forbid.rows !== undefined && could(forbid.rows, entity, asking).not),
  );
}

/** Whether a predicate can be true, and whether it can be false, on some row of an entity. */
function could(predicate: Predicate, entity: EntityDeclaration | undefined, asking: Asking): { be: boolean; not: boolean } {
  switch (predicate.op) {
    case 'true':
      return { be: true, not: false };
    case 'false':
      return { be: false, not: true };
    case 'and':
    case 'or': {
      const parts = predicate.of.map((each) => could(each, entity, asking));
      return predicate.op === 'and'
        ? { be: parts.every((each) => each.be), not: parts.some((each) => each.not) }
        : { be: parts.some((each) => each.be), not: parts.every((each) => each.not) };
    }
    case 'except': {
      const part = could(predicate.of, entity, asking);
      return { be: part.not, not: part.be };
    }
    case 'in':
      if (entity === undefined) break;
      if (predicate.attribute === 'principal') return { be: entity.principal !== undefined, not: true };
      if (entity.patient === undefined || (predicate.me === 'sites' && asking.sites === '*')) return { be: true, not: false };
      break;
    case '<=':
      if (entity && entity.patient === undefined) return { be: true, not: false };
      break;
    case 'glass':
      if (entity && entity.patient === undefined) return { be: false, not: true };
      break;
    default:
  }
  return { be: true, not: true };
}
