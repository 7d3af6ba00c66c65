import type { SqlType } from '../../src/kernel/index.js';
import { entityOf } from '../../src/kernel/index.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';
import { DOMAINS, declaredFields, entitiesOf, targetOf } from './support.js';

let mesh: TestMesh;
let notNull: ReadonlySet<string>;
beforeAll(async () => {
  mesh = await openTestMesh();
  const { rows } = await mesh.pools.owner.query<{ name: string }>(
    `select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
     join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public' where a.attnum > 0 and a.attnotnull`,
  );
  notNull = new Set(rows.map((row) => row.name));
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

const STORED: Readonly<Record<SqlType, readonly string[]>> = {
  uuid: ['uuid'],
  text: ['text'],
  int: ['int4', 'int2'],
  bigint: ['int8'],
  float8: ['float8'],
  bool: ['bool'],
  date: ['date'],
  timestamptz: ['timestamptz'],
  'text[]': ['text[]'],
  json: ['jsonb', 'json'],
  bytea: ['bytea'],
};

const typeIn = (table: string, column: string): string | undefined => mesh.mesh.parts.types.get(table)?.get(column);
const absent = (table: string, columns: readonly string[]): string[] =>
  columns.filter((column) => typeIn(table, column) === undefined).map((column) => `${table}.${column}`);

describe.each(DOMAINS)('tables of the product %s', (domain) => {
  const own = () => {
    const tables = new Set(entitiesOf(mesh, domain).map((each) => each.table));
    return declaredFields(mesh.mesh.schema).filter(({ entity, declaration }) => {
      const target = targetOf(declaration);
      return (entity && tables.has(entity.table)) || (target && tables.has(entityOf(target()).table));
    });
  };

  test('hold their key and, where a row is about a person, site and sensitivity', () => {
    const entities = entitiesOf(mesh, domain);
    expect(entities.length).toBeGreaterThan(0);
    const wanted = entities.map((each) => ({
      table: each.table,
      columns: [...each.key, ...(each.patient === undefined ? [] : [each.patient, 'site_id', 'sensitivity'])],
    }));
    expect(wanted.flatMap(({ table, columns }) => absent(table, columns))).toEqual([]);
    expect(entities.flatMap(({ table, key }) => key.map((column) => `${table}.${column}`)).filter((name) => !notNull.has(name))).toEqual(
      [],
    );
  });

  test('hold every column that a field serves, in the type that it is declared with', () => {
    const served = own().flatMap(({ coordinate, entity, declaration }) => {
      if (!entity) return [];
      if (declaration.kind === 'column')
        return [
          { coordinate, entity, column: declaration.column, type: declaration.type },
          ...(declaration.redacted === undefined ? [] : [{ coordinate, entity, column: declaration.redacted, type: 'text' as const }]),
        ];
      return declaration.kind === 'computed' ? declaration.from.map(({ column, type }) => ({ coordinate, entity, column, type })) : [];
    });
    expect(served.length).toBeGreaterThan(0);
    const wrong = served.filter(({ entity, column, type }) => !STORED[type].includes(typeIn(entity.table, column) ?? 'absent'));
    expect(
      wrong.map(
        ({ coordinate, entity, column, type }) =>
          `${coordinate}: ${entity.table}.${column} is ${String(typeIn(entity.table, column))}, not ${type}`,
      ),
    ).toEqual([]);
  });

  test('hold every column that joins, filters, orders, is measured or is read in batches', () => {
    const faults = own().flatMap(({ coordinate, entity, declaration }) => {
      const target = targetOf(declaration);
      const table = target && entityOf(target()).table;
      const missing: string[] = [];
      if (table !== undefined && 'on' in declaration) {
        missing.push(
          ...absent(
            table,
            declaration.on.map(([, theirs]) => theirs),
          ),
        );
        if (entity)
          missing.push(
            ...absent(
              entity.table,
              declaration.on.map(([ours]) => ours),
            ),
          );
        missing.push(
          ...absent(
            table,
            (declaration.filters ?? []).flatMap((each) => [each.column, ...(each.redacted === undefined ? [] : [each.redacted])]),
          ),
        );
      }
      if (table !== undefined && declaration.kind === 'collection')
        missing.push(
          ...absent(
            table,
            (declaration.orders ?? []).map((each) => each.column),
          ),
        );
      if (table !== undefined && declaration.kind === 'aggregate' && declaration.measure.op !== 'count')
        missing.push(...absent(table, [declaration.measure.column]));
      if (declaration.kind === 'reader') {
        if (entity) missing.push(...absent(entity.table, declaration.parent));
        for (const { of, columns } of declaration.reads) missing.push(...absent(entityOf(of()).table, columns));
      }
      return missing.map((column) => `${coordinate}: ${column}`);
    });
    expect(faults).toEqual([]);
  });

  test('never hold NULL where a field is non-null or a list is ordered', () => {
    const strict = own().flatMap(({ entity, declaration, required }) => {
      if (declaration.kind === 'column' && required && entity) return [`${entity.table}.${declaration.column}`];
      const target = targetOf(declaration);
      return declaration.kind === 'collection' && target
        ? (declaration.orders ?? []).map((each) => `${entityOf(target()).table}.${each.column}`)
        : [];
    });
    expect(strict.length).toBeGreaterThan(0);
    expect([...new Set(strict)].filter((name) => !notNull.has(name))).toEqual([]);
  });
});

/** Tables with a patient_id that does not lead their keys, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  break_glass: 'found by who broke it, at every request',
  disclosure_hold: 'an append-only log of who held back an accounting',
  person_key: 'the vault: found by the ordinal that stands in evidence, too',
  sample_index: 'a sample belongs to a call set before anybody knows whose it is',
  identity_event: 'an append-only log of who was linked to whom',
};

test('the person leads every key of every table about persons, so that a shard holds a person whole', async () => {
  const { rows } = await mesh.pools.owner.query<{ table: string; index: string; first: string }>(
    `select c.relname as table, x.relname as index, a.attname as first
       from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
       join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where i.indisunique and exists (select 1 from pg_attribute p where p.attrelid = c.oid and p.attname = 'patient_id' and not p.attisdropped)
      order by 1, 2`,
  );
  expect(rows.length).toBeGreaterThan(10);
  const led = rows.filter((row) => row.first !== 'patient_id');
  expect([...new Set(led.map((row) => row.table))].sort()).toEqual(Object.keys(OTHERWISE).sort());
});

test('row level security is forced on every table whose rows are about persons', async () => {
  const tables = [
    ...new Set(
      DOMAINS.flatMap((domain) => entitiesOf(mesh, domain))
        .filter((each) => each.patient !== undefined)
        .map((each) => each.table),
    ),
  ];
  const { rows } = await mesh.pools.owner.query<{ table: string }>(
    `select relname as table from pg_class where relname = any($1) and relnamespace = 'public'::regnamespace
        and relrowsecurity and relforcerowsecurity order by 1`,
    [tables],
  );
  expect(rows.map((row) => row.table)).toEqual([...tables].sort());
});
