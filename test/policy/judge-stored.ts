/** What can be said of the compiled SQL: masks of every type, and rows and cells of random policies against the oracle. */
import { Classification } from '../../src/governance/classification.js';
import { composePolicy } from '../../src/governance/compose-policy.js';
import { MASKS, type ColumnField, type EntityDeclaration, type PlanValues, type Predicate, type SqlType } from '../../src/kernel/index.js';
import { selectRows } from '../../src/store/select-rows.js';
import { SqlBuilder } from '../../src/store/sql-builder.js';
import { castOf, jsonForm, maskSql, predicateSql } from '../../src/store/sql-rules.js';
import { withReadSession } from '../../src/store/session.js';
import { maskValue } from '../../src/governance/mask.js';
import { Draw } from '../fuzz/random.js';
import { PADS, asItIs, classFor, columnsOf, planned, shownInSql, valuesFor } from './artefacts.js';
import type { Bench } from './check.js';
import { differences, expectedOf } from './compare.js';
import { Tags } from './coordinates.js';
import { ROLES, drawAsking, drawPolicy, subsets } from './generate.js';
import { evaluate, type Asking } from './oracle.js';
import { NOW, factsOf, personOf } from './world.js';

const VALUES: Readonly<Partial<Record<SqlType, readonly unknown[]>>> = {
  text: ['Alderwick', 'abcd', 'abcde', 'abc', '', '03601', '02139', '021390', '0213', '10283-1', 'é😀é😀é', '12345\n', '１２３４５', null],
  uuid: [personOf(3), null],
  int: [-1, 0, 89, 90, 91, 1921, 1935, 1936, 1937, 1990, null],
  bigint: [0, 123_456_789, null],
  float8: [0, 0.5, -2, null],
  bool: [true, false, null],
  date: ['1921-05-05', '1936-12-31', '1937-01-01', '2024-02-29', '2023-01-01', null],
  timestamptz: ['1921-05-05T00:00:00.000Z', '2024-12-31T23:59:59.999Z', '2024-01-01T00:00:00.000Z', null],
};
const PERSONS = { table: 'v', patient: 'patient_id' } as EntityDeclaration;
const NOBODY = { table: 'v' } as EntityDeclaration;

export async function judgeStored(bench: Bench): Promise<string | null> {
  return (
    (await maskDifference(bench)) ?? (await formDifference(bench)) ?? (await predicateDifference(bench)) ?? (await ruleDifference(bench))
  );
}

async function maskDifference({ pools }: Bench): Promise<string | null> {
  for (const [type, values] of Object.entries(VALUES) as [SqlType, readonly unknown[]][])
    for (const entity of [PERSONS, NOBODY])
      for (const identifier of [undefined, 'birth'] as const)
        for (const redacts of [true, false]) {
          const field = { ...(redacts ? { redacted: 'clean' } : {}), identifier } as ColumnField;
          const builder = new SqlBuilder();
          const given = builder.bind('values', `${castOf(type)}[]`, () => values);
          const cells = MASKS.map((mask) => jsonForm(maskSql(builder, mask, { expression: 'v.x', type, alias: 'v', entity, field }), type));
          const { rows } = await pools.reader.query<{ out: unknown[] }>(
            `select json_build_array(${cells.join(', ')}) as out from (select x, n, x as clean,
               ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid as patient_id from unnest(${given}) with ordinality as u(x, n)) v order by v.n`,
            builder.binds.map((bind) => bind({ maskPads: PADS, now: new Date(NOW).toISOString() } as PlanValues)),
          );
          for (const [i, value] of values.entries())
            for (const [m, mask] of MASKS.entries()) {
              const patient = entity === PERSONS ? personOf(i + 1) : null;
              const expected =
                maskValue(mask, value, { type, pads: PADS, redacted: redacts ? value : null, patient, now: NOW, identifier }) ?? null;
              const is: unknown = rows[i]?.out[m] ?? null;
              if (JSON.stringify(is) !== JSON.stringify(expected)) return `${mask} of ${type}`;
            }
        }
  return null;
}

/** What has no JSON form is null, and every type has the one form that both paths give. */
async function formDifference({ pools }: Bench): Promise<string | null> {
  const forms: readonly (readonly [string, SqlType, unknown])[] = [
    [`'NaN'::float8`, 'float8', null],
    [`'Infinity'::float8`, 'float8', null],
    [`'1.5'::float8`, 'float8', 1.5],
    [`'2024-02-29T01:02:03.004+01'::timestamptz`, 'timestamptz', '2024-02-29T00:02:03.004Z'],
    [`'2024-02-29'::date`, 'date', '2024-02-29'],
    [`7`, 'int', 7],
  ];
  for (const [expression, type, expected] of forms) {
    const { rows } = await pools.reader.query<{ out: unknown[] }>(`select json_build_array(${jsonForm(expression, type)}) as out`);
    if (JSON.stringify(rows[0]?.out[0]) !== JSON.stringify(expected)) return `the form of ${type}`;
  }
  const casts = (['json', 'int', 'bigint', 'text'] as const).map(castOf).join(' ');
  return casts === 'jsonb int4 int8 text' ? null : 'the type of a cast';
}

const OPERATORS = ['=', '<', '<=', '>', '>='] as const;
const ASKING: Asking = {
  roles: [],
  actors: [],
  purpose: 'HRESCH',
  sites: ['north', 'west'],
  sub: 'ann',
  patient: personOf(2),
  steppedUp: false,
};

/** Predicates one by one, with every operator and kind of literal, on tables that have such columns. */
const PREDICATES: Readonly<Record<string, readonly Predicate[]>> = {
  patient: [
    ...OPERATORS.flatMap((operator): Predicate[] => [
      { op: 'compare', column: 'deceased', operator, literal: true },
      { op: 'compare', column: 'birth_year', operator, literal: 1935 },
      { op: 'compare', column: 'race', operator, literal: 'é' },
      { op: 'compare', column: 'race', operator, literal: '😀 face' },
    ]),
    { op: 'one-of', column: 'deceased', literals: [false] },
    { op: 'one-of', column: 'birth_year', literals: [1921, 1990] },
    { op: 'one-of', column: 'race', literals: [] },
    { op: 'except', of: { op: 'one-of', column: 'race', literals: [] } },
    { op: 'except', of: { op: 'one-of', column: 'race', literals: ['Z', 'abcd'] } },
    { op: 'between', column: 'birth_year', from: 1935, to: 1936 },
    { op: 'except', of: { op: 'between', column: 'race', from: 'Z', to: 'abcd' } },
    { op: 'is-null', column: 'race' },
    {
      op: 'and',
      of: [
        { op: 'is-null', column: 'race' },
        { op: 'is-null', column: 'sex' },
      ],
    },
    {
      op: 'or',
      of: [
        { op: 'is-null', column: 'race' },
        { op: 'is-null', column: 'sex' },
      ],
    },
    { op: 'in', attribute: 'patient', me: 'patient' },
    { op: 'in', attribute: 'site', me: 'sites' },
    { op: 'in', attribute: 'site', me: 'sub' },
    { op: '<=', attribute: 'sensitivity', literal: 0 },
    { op: '<=', attribute: 'sensitivity', literal: 1 },
    { op: 'glass' },
    { op: 'except', of: { op: 'glass' } },
    { op: 'consent' },
    { op: 'true' },
    { op: 'false' },
  ],
  observation: [
    { op: 'compare', column: 'value', operator: '>', literal: 0.25 },
    { op: 'consent' },
    { op: 'except', of: { op: 'consent' } },
  ],
  note: [{ op: 'consent' }, { op: 'glass' }],
  wear_chunk: [{ op: 'consent' }],
  imaging_study: [{ op: 'consent' }],
  lineage_run: [{ op: 'in', attribute: 'principal', me: 'sub' }, { op: 'consent' }, { op: 'glass' }],
};

/** A column that the entity does not have is never written into a statement. */
function refusesPrincipal(entity: EntityDeclaration): boolean {
  try {
    predicateSql(new SqlBuilder(), entity, 't', { op: 'in', attribute: 'principal', me: 'sub' });
    return false;
  } catch {
    return true;
  }
}

async function predicateDifference(bench: Bench): Promise<string | null> {
  for (const table of bench.tables) {
    const { entity } = table;
    const predicates = PREDICATES[entity.table] ?? [];
    if (entity.principal === undefined && !refusesPrincipal(entity)) return `a principal on ${entity.table}`;
    for (const purpose of ['HRESCH', 'TREAT'] as const) {
      const asking = { ...ASKING, purpose };
      const step = { entity, on: [], rows: { op: 'true' }, filters: [], arguments: 0 } as const;
      const request = {
        step,
        columns: columnsOf(table),
        predicates,
        parents: null,
        order: null,
        limit: 1_000,
        after: null,
        values: valuesFor(asking),
      };
      const rows = await withReadSession(bench.pools.reader, { sites: '*', clearance: 2 }, (session) =>
        selectRows(session, bench.types, request),
      );
      for (const row of rows)
        for (const [i, predicate] of predicates.entries())
          if (row.holds[i] !== (evaluate(predicate, { entity, values: row.cells }, asking, factsOf(bench.world, asking)) === true))
            return `${JSON.stringify(predicate)} on ${entity.table}`;
    }
  }
  return null;
}

async function ruleDifference(bench: Bench): Promise<string | null> {
  const draw = new Draw(19);
  const sets = subsets(ROLES, 4).filter((each) => each.length > 2);
  for (let n = 0; n < 8; n++) {
    const { declaration, document } = drawPolicy(draw, bench.tables);
    const asking = drawAsking(draw, draw.pick(sets), bench.tables, n % 3 === 0 ? 'TREAT' : undefined);
    const policy = composePolicy([declaration], document);
    const policyClass = classFor(asItIs, policy, new Classification(bench.schema, bench.products, document.assets), asking);
    const tags = new Tags(bench.schema, bench.products, document.assets);
    const plans = bench.tables.map((table) => planned(policyClass, table));
    const shown = await withReadSession(bench.pools.reader, { sites: '*', clearance: 2 }, (session) =>
      shownInSql(session, bench.types, plans, valuesFor(asking)),
    );
    for (const table of bench.tables) {
      const { table: name } = table.entity;
      const expected = expectedOf(policy, asking, tags, table, bench.world.rows.get(name) ?? [], factsOf(bench.world, asking));
      const [first] = differences('sql', table, expected, shown.get(name) ?? new Map());
      if (first) return `sql ${first.kind} ${first.where}`;
    }
  }
  return null;
}
