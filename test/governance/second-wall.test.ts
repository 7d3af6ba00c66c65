import { withReadSession } from '../../src/store/session.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

let mesh: TestMesh;
let tables: readonly string[];
beforeAll(async () => {
  mesh = await openTestMesh();
  const { rows } = await mesh.pools.owner.query<{
    name: string;
  }>(`select c.relname as name from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'patient_id') order by 1`);
  tables = rows.map((row) => row.name);
}, 60_000);
afterAll(() => mesh.close(), 20_000);

/** Tables about persons that hold no value of a person: the compiled consents, and identity events, which are written only. */
const OPEN = ['consent_effect', 'identity_event'];
const walled = (): string[] => tables.filter((name) => !OPEN.includes(name));
const sitesOf = async (table: string): Promise<string[]> =>
  (await mesh.pools.owner.query<{ s: string }>(`select distinct site_id as s from ${table} order by 1`)).rows.map((row) => row.s);

it('is around every table about persons, and holds for its owner', async () => {
  expect(walled().length).toBeGreaterThan(10);
  const { rows } = await mesh.pools.owner.query<{ name: string }>(
    `select relname as name from pg_class where relname = any($1) and relrowsecurity and relforcerowsecurity order by 1`,
    [walled()],
  );
  expect(rows.map((row) => row.name)).toEqual(walled());
});

it('shows the reader nothing where the transaction names no site', async () => {
  for (const table of walled())
    expect([table, (await mesh.pools.reader.query(`select 1 from ${table} limit 1`)).rowCount]).toEqual([table, 0]);
});

it('shows the rows of the named sites only, up to the named confidentiality', async () => {
  const filled: string[] = [];
  for (const table of walled()) {
    const all = await sitesOf(table);
    if (all.includes('north')) filled.push(table);
    const seen = await withReadSession(mesh.pools.reader, { sites: ['north'], clearance: 2 }, (session) =>
      session.query<{ s: string }>({ text: `select distinct site_id as s from ${table}`, values: [] }),
    );
    expect([table, seen.rows.map((row) => row.s)]).toEqual([table, all.filter((site) => site === 'north')]);
    const low = await withReadSession(mesh.pools.reader, { sites: '*', clearance: 0 }, (session) =>
      session.query({ text: `select 1 from ${table} where sensitivity > 0 limit 1`, values: [] }),
    );
    expect([table, low.rowCount]).toEqual([table, 0]);
    const none = await withReadSession(mesh.pools.reader, { sites: '*', clearance: -1 }, (session) =>
      session.query({ text: `select 1 from ${table} limit 1`, values: [] }),
    );
    expect([table, none.rowCount]).toEqual([table, 0]);
  }
  expect(filled.length).toBeGreaterThan(6);
});

it('a site that holds another in its name, a comma or a star opens nothing more', async () => {
  for (const sites of [['nor'], ['north%'], ['*, north'], [''], ['NORTH']]) {
    const seen = await withReadSession(mesh.pools.reader, { sites, clearance: 2 }, (session) =>
      session.query<{ s: string }>({ text: 'select distinct site_id as s from patient', values: [] }),
    );
    expect([sites, seen.rows]).toEqual([sites, []]);
  }
});

it('does not outlive its transaction on a pooled connection, whether that ends well or not', async () => {
  const client = await mesh.pools.reader.connect();
  client.release();
  for (const fails of [false, true]) {
    const work = withReadSession(mesh.pools.reader, { sites: '*', clearance: 2 }, async (session) => {
      const { rows } = await session.query<{ n: number }>({ text: 'select count(*)::int as n from patient', values: [] });
      expect(rows[0]?.n).toBeGreaterThan(50);
      if (fails) await session.query({ text: 'select 1 / 0', values: [] });
    });
    if (fails) await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    else await work;
    for (let i = 0; i < 8; i += 1) expect((await mesh.pools.reader.query('select 1 from patient limit 1')).rowCount).toBe(0);
  }
});

it('the reader writes nothing at all', async () => {
  const { rows } = await mesh.pools.owner.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1`,
  );
  expect(rows.length).toBeGreaterThan(25);
  for (const { name } of rows) {
    for (const right of ['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) {
      const has = await mesh.pools.owner.query<{ has: boolean }>(`select has_table_privilege('thalamus_reader', $1, $2) as has`, [
        name,
        right,
      ]);
      expect([name, right, has.rows[0]?.has]).toEqual([name, right, false]);
    }
  }
  await expect(mesh.pools.reader.query(`update patient set family_name = 'x'`)).rejects.toMatchObject({ code: '42501' });
  await expect(mesh.pools.reader.query('create table mine (x int)')).rejects.toMatchObject({ code: '42501' });
  await expect(
    withReadSession(mesh.pools.reader, { sites: '*', clearance: 2 }, (session) =>
      session.query({ text: `create temp table mine as select * from patient`, values: [] }),
    ),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it('the writer only adds to what must last', async () => {
  for (const table of ['audit_log', 'lineage_run', 'lineage_plan', 'lineage_patient_set', 'identity_event']) {
    for (const statement of [
      `update ${table} set ${table === 'audit_log' ? 'record = record' : 'at = at'}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `drop table ${table}`,
      `alter table ${table} disable trigger all`,
    ]) {
      await expect(mesh.pools.writer.query(statement)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|42703)$/) as string });
    }
  }
});

it('neither role owns anything, is more than it is, or may become another', async () => {
  const { rows } = await mesh.pools.owner.query(`select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
      exists (select 1 from pg_class where relowner = r.oid) or exists (select 1 from pg_proc where proowner = r.oid) or exists (select 1 from pg_namespace where nspowner = r.oid) as owns,
      exists (select 1 from pg_auth_members where member = r.oid) as member
    from pg_roles r where rolname in ('thalamus_reader', 'thalamus_writer') order by 1`);
  expect(rows).toHaveLength(2);
  for (const row of rows as Record<string, unknown>[])
    for (const [name, value] of Object.entries(row))
      if (name !== 'rolname') expect([row['rolname'], name, value]).toEqual([row['rolname'], name, false]);
  await expect(mesh.pools.reader.query('set role thalamus_writer')).rejects.toMatchObject({ code: '42501' });
  await expect(mesh.pools.reader.query('alter table patient disable row level security')).rejects.toMatchObject({ code: '42501' });
});
