/** Random policies over the tags and tables of the mesh, and callers to ask under them. */
import type { PolicyDocument } from '../../src/governance/compose-policy.js';
import {
  ACTIONS,
  PURPOSES,
  TAGS,
  type EntityDeclaration,
  type Forbid,
  type Grant,
  type Literal,
  type Mask,
  type PolicyDeclaration,
  type Predicate,
  type Purpose,
  type Tag,
} from '../../src/kernel/index.js';
import type { Draw } from '../fuzz/random.js';
import type { Table } from './coordinates.js';
import type { Asking } from './oracle.js';
import { NOW, SITES, SUBS, personOf } from './world.js';

export const ROLES = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;
const GOVERNED = ['gov.secret', 'gov.local'] as const;
const LETTERS = ['safeharbor.C', 'safeharbor.B.zip', 'safeharbor.R.text', 'safeharbor.A'] as const;
/** Most requests are made for few purposes, so that several grants meet. */
export const PURPOSES_ASKED: readonly Purpose[] = [...(Object.keys(PURPOSES) as (keyof typeof PURPOSES)[]), 'study:S1'];
const AROUND_NOW = [NOW - 1, NOW, NOW + 1, NOW - 86_400_000, NOW + 86_400_000].map((at) => new Date(at).toISOString());

export interface Drawn {
  readonly declaration: PolicyDeclaration;
  readonly document: PolicyDocument;
}

export function drawPolicy(draw: Draw, tables: readonly Table[]): Drawn {
  const grants = Array.from({ length: draw.int(3, 14) }, (_, i) => drawGrant(draw, tables, `g${i}`));
  const forbids = Array.from({ length: draw.pick([0, 0, 1, 2, 3]) }, (_, i) => drawForbid(draw, tables, `f${i}`));
  const table = draw.pick(tables);
  const columns = table.fields.flatMap(({ field }) => (field.kind === 'column' ? [field.column] : []));
  const assets: Record<string, readonly Tag[]> = {};
  if (draw.chance(0.4)) assets[`*.${table.entity.table}.${draw.pick(columns)}`] = [draw.pick(GOVERNED)];
  if (draw.chance(0.2)) assets[`*.${draw.pick(tables).entity.table}`] = [draw.pick(GOVERNED)];
  if (draw.chance(0.1)) assets['notes'] = [GOVERNED[0]];
  return {
    declaration: { grants, forbids },
    document: { tags: Object.fromEntries(GOVERNED.map((tag) => [tag, 'for a test'])), studies: { S1: 'a study' }, assets },
  };
}

function drawGrant(draw: Draw, tables: readonly Table[], id: string): Grant {
  const partial = draw.pick<Mask>(['YEAR', 'LAST4', 'FIRST4', 'ZIP3', 'AGE90', 'DATESHIFT', 'REDACT']);
  const share = draw.pick([0.5, 0.8, 0.95]);
  const tags: Tag[] = [];
  const masks: Partial<Record<Tag, Mask>> = {};
  for (const tag of [...(Object.keys(TAGS) as (keyof typeof TAGS)[]), ...GOVERNED]) {
    const held = draw.uniform();
    if (held > (tag === 'pseudonym' || tag === 'root' ? 0.97 : share)) continue;
    if (held > 0.55 * share && draw.chance(tag === 'pseudonym' ? 0.1 : 0.7))
      masks[tag] = draw.pick<Mask>(['NULL', 'HASH', partial, partial]);
    else tags.push(tag);
    if (draw.chance(0.03)) masks[tag] ??= 'HASH';
  }
  const table = draw.pick(tables);
  const validFrom = draw.chance(0.15) ? draw.pick(AROUND_NOW) : undefined;
  const validTo = draw.chance(0.15) ? draw.pick(AROUND_NOW) : undefined;
  return {
    id,
    reason: 'for a test',
    role: draw.pick(ROLES),
    purposes: draw.chance(0.5) ? ['TREAT'] : ['TREAT', draw.pick(PURPOSES_ASKED)],
    actions: draw.chance(0.9) ? ['read', ...draw.some(ACTIONS, 0.2)] : draw.some(ACTIONS, 0.3).concat('count'),
    tags: tags.length === 0 ? ['root'] : tags,
    ...(Object.keys(masks).length > 0 ? { masks } : {}),
    ...(draw.chance(0.25) ? { profile: draw.pick(['safe-harbor', 'limited-data-set'] as const) } : {}),
    rows: drawRows(draw),
    ...(draw.chance(0.3) ? { datasets: { [table.entity.table]: drawDataset(draw, table) } } : {}),
    ...(draw.chance(0.1) ? { obligations: { stepUp: true, kMin: 5 } } : {}),
    ...(draw.chance(0.05) ? { clearance: draw.pick(['registered', 'controlled'] as const) } : {}),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validTo === undefined ? {} : { validTo }),
  };
}

function drawForbid(draw: Draw, tables: readonly Table[], id: string): Forbid {
  const all = [...(Object.keys(TAGS) as (keyof typeof TAGS)[]), ...GOVERNED, ...LETTERS];
  return {
    id,
    reason: 'for a test',
    role: draw.chance(0.4) ? '*' : draw.pick(ROLES),
    purposes: ['TREAT', draw.pick(PURPOSES_ASKED)],
    tags: [draw.pick(all), ...draw.some(all, 0.04)],
    ...(draw.chance(0.3) ? { actions: draw.some(ACTIONS, 0.5) } : {}),
    ...(draw.chance(0.7) ? { rows: drawRows(draw) } : {}),
    ...(draw.chance(0.4) ? { breakable: true } : {}),
    ...(draw.chance(0.15) ? { validTo: draw.pick(AROUND_NOW) } : {}),
  };
}

/** Constants stand at the top only, as people write them. */
function drawRows(draw: Draw): Predicate {
  if (draw.chance(0.25)) return { op: 'true' };
  if (draw.chance(0.03)) return { op: 'false' };
  return drawNested(draw, 2, () => drawAtom(draw));
}

function drawNested(draw: Draw, depth: number, atom: () => Predicate): Predicate {
  if (depth === 0 || draw.chance(0.45)) return atom();
  const part = (): Predicate => drawNested(draw, depth - 1, atom);
  const kind = draw.uniform();
  if (kind < 0.2) return { op: 'except', of: part() };
  return { op: kind < 0.6 ? 'and' : 'or', of: Array.from({ length: draw.int(1, 3) }, part) };
}

function drawAtom(draw: Draw): Predicate {
  return draw.pick<Predicate>([
    { op: 'in', attribute: 'site', me: 'sites' },
    { op: 'in', attribute: 'site', me: 'sites' },
    { op: '<=', attribute: 'sensitivity', literal: draw.int(-1, 2) },
    { op: '<=', attribute: 'sensitivity', literal: 1 },
    { op: 'in', attribute: 'principal', me: 'sub' },
    { op: 'in', attribute: 'patient', me: 'patient' },
    { op: 'glass' },
    { op: 'consent' },
  ]);
}

/** A rule over the columns of one table; columns of times have no literals here, since their text form is that of the session. */
export function drawDataset(draw: Draw, { entity, fields }: Table): Predicate {
  const columns = fields.flatMap(({ field }) => (field.kind === 'column' ? [field] : []));
  return drawNested(draw, 2, () => {
    const { column, type } = draw.pick(columns);
    const literal = (): Literal =>
      type === 'bool'
        ? draw.chance(0.5)
        : type === 'int' || type === 'bigint' || type === 'float8'
          ? draw.pick([0, 1, 37.5, 1990])
          : draw.pick(['Z', 'a', 'é', '1234567', 'ﬀ', '😀']);
    const compares = ['text', 'bool', 'int', 'bigint', 'float8'].includes(type);
    if (!compares || draw.chance(0.2)) return draw.chance(0.3) ? drawAtomOf(draw, entity) : { op: 'is-null', column };
    const kind = draw.int(0, 2);
    if (kind === 0) return { op: 'compare', column, operator: draw.pick(['=', '<', '<=', '>', '>=']), literal: literal() };
    if (kind === 1) return { op: 'one-of', column, literals: Array.from({ length: draw.int(0, 3) }, literal) };
    return { op: 'between', column, from: literal(), to: literal() };
  });
}

const drawAtomOf = (draw: Draw, entity: EntityDeclaration): Predicate =>
  entity.patient === undefined ? { op: 'in', attribute: 'principal', me: 'sub' } : drawAtom(draw);

export function drawAsking(draw: Draw, roles: readonly string[], tables: readonly Table[], purpose?: Purpose): Asking {
  const narrow = draw.chance(0.1);
  const left = draw.some(tables, 0.7).map(({ entity }) => entity.table);
  const patient = draw.chance(0.3) ? personOf(draw.int(0, 9)) : null;
  return {
    roles,
    actors: Array.from({ length: draw.pick([0, 0, 0, 0, 1, 2]) }, () => draw.some(ROLES, 0.7)),
    purpose: purpose ?? draw.pick<Purpose>(['TREAT', 'TREAT', 'TREAT', 'HRESCH', 'study:S1', 'ETREAT']),
    sites: draw.pick<readonly string[] | '*'>(['*', [SITES[0]], [SITES[0], SITES[1]], []]),
    sub: draw.pick(SUBS),
    patient,
    steppedUp: draw.chance(0.4),
    emergency: draw.chance(0.7),
    clearances: draw.some(['registered', 'controlled'] as const, 0.4),
    ...(narrow ? { narrowing: (entity) => narrowed(entity, left, patient) } : {}),
  };
}

function narrowed(entity: EntityDeclaration, left: readonly string[], patient: string | null): Predicate {
  if (!left.includes(entity.table)) return { op: 'false' };
  return patient === null ? { op: 'true' } : { op: 'in', attribute: 'patient', me: 'patient' };
}

/** All subsets of one to `most` names. */
export function subsets(names: readonly string[], most: number): string[][] {
  return names
    .reduce<string[][]>((all, name) => [...all, ...all.filter((one) => one.length < most).map((one) => [...one, name])], [[]])
    .filter((one) => one.length > 0);
}
