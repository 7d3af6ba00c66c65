import type { Pool } from 'pg';
import { withReadSession, type Wall } from '../../src/store/session.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

/** Tables whose rows the reader sees without a wall, and why no person is in them. Every other table of the catalogue stands behind it. */
const WITHOUT_PERSONS: Readonly<Record<string, string>> = {
  audit_checkpoint: 'signed sizes and roots of logs',
  audit_head: 'how long a log is, its root and who writes it',
  callset: 'one row a file of variants: its assembly, caller and number of samples',
  counter: 'numbers that were given out',
  dataset_change: 'which transaction made which version of a dataset',
  dataset_version: 'a number a dataset',
  fusion_model: 'weights and cards of models, trained on at least as many persons as a count must have',
  governance_epoch: 'what number the policy and the revocations are at',
  ingest_checkpoint: 'how far a file was read',
  lineage_plan: 'documents without their values, and the columns that they read',
  pipeline_update: 'what a run of a pipeline counted',
  policy_event: 'versions of the policy, and who proposed and decided them',
  raw_file: 'digests and sizes of files',
  token_revocation: 'digests of tokens, sessions and subjects that end',
  variant: 'sites of the genome, with no sample',
};

/** Tables of the public schema and everything else that rows can be selected from. */
const relations = async (owner: Pool, kinds = ['r', 'p', 'v', 'm', 'f']): Promise<string[]> =>
  (
    await owner.query<{ name: string }>(
      `select relname as name from pg_class where relkind = any($1::"char"[]) and relnamespace = 'public'::regnamespace order by 1`,
      [kinds],
    )
  ).rows.map((row) => row.name);

/** Tables that the reader may select from and that the wall does not hold back, for their owner too. */
const open = async (owner: Pool): Promise<string[]> =>
  (
    await owner.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace = 'public'::regnamespace
        and has_any_column_privilege('thalamus_reader', oid, 'select') and not (relrowsecurity and relforcerowsecurity) order by 1`,
    )
  ).rows.map((row) => row.name);

let mesh: TestMesh;
let tables: readonly string[];
/** Those whose rows have a site and a confidentiality. */
let sited: readonly string[];
beforeAll(async () => {
  mesh = await openTestMesh();
  tables = await relations(mesh.pools.owner);
  const { rows } = await mesh.pools.owner.query<{ name: string }>(
    `select distinct table_name::text as name from information_schema.columns where table_schema = 'public' and column_name = 'site_id' order by 1`,
  );
  sited = rows.map((row) => row.name);
}, 60_000);
afterAll(() => mesh.close(), 20_000);

const told = (name: string): boolean => name in WITHOUT_PERSONS;
const under = <T extends object>(wall: Wall, text: string) =>
  withReadSession(mesh.pools.reader, wall, (session) => session.query<T & Record<string, unknown>>({ text, values: [] }));
const sitesOf = async (table: string): Promise<string[]> =>
  (await mesh.pools.owner.query<{ s: string }>(`select distinct site_id as s from ${table} order by 1`)).rows.map((row) => row.s);

describe('every table of the catalogue', () => {
  it('stands behind the wall, for its owner too, or is on the list of tables without persons', async () => {
    expect(tables.length).toBeGreaterThan(25);
    expect((await open(mesh.pools.owner)).filter((name) => !told(name))).toEqual([]);
  });

  it('is a table: no view, which reads with the rights of its owner', async () => {
    expect(await relations(mesh.pools.owner, ['v', 'm', 'f'])).toEqual([]);
  });

  it('that is on the list has no column of a person, a site or a record', async () => {
    const { rows } = await mesh.pools.owner.query<{ at: string }>(
      `select table_name || '.' || column_name as at from information_schema.columns where table_schema = 'public' and table_name = any($1)
        and column_name in ('patient_id', 'site_id', 'sample_id', 'mrn', 'bytes', 'body', 'ordinals') and data_type <> 'bigint'`,
      [Object.keys(WITHOUT_PERSONS)],
    );
    expect(rows).toEqual([]);
  });

  it('gives the reader no row by raw SQL where the transaction names no wall: 0 in 100 % of tables about persons', async () => {
    const filled: string[] = [];
    for (const table of tables.filter((name) => !told(name))) {
      const all = await mesh.pools.owner.query(`select 1 from ${table} limit 1`);
      if (all.rowCount === 1) filled.push(table);
      const seen = await mesh.pools.reader.query(`select 1 from ${table} limit 1`).then(
        (result) => result.rowCount,
        (error: unknown) => (error as { code?: string }).code,
      );
      // A table that the reader may not even name is as closed.
      expect([table, seen]).toEqual([table, seen === '42501' ? '42501' : 0]);
    }
    // Most of them have rows to hide.
    expect(filled.length).toBeGreaterThan(15);
    expect(filled).toEqual(
      expect.arrayContaining(['patient', 'consent_effect', 'quarantine', 'genotype_block', 'identity_event', 'audit_log']),
    );
  });

  it('of an empty setting stays closed as one without any', async () => {
    const client = await mesh.pools.reader.connect();
    try {
      for (const table of tables.filter((name) => !told(name) && name !== 'schema_migration' && name !== 'login_session')) {
        await client.query(`begin read only; set local thalamus.sites = ''; set local thalamus.clearance = ''`);
        const seen = await client.query(`select 1 from ${table} limit 1`).then(
          (result) => result.rowCount,
          (error: unknown) => (error as { code?: string }).code,
        );
        expect([table, seen]).toEqual([table, seen === '42501' ? '42501' : 0]);
        await client.query('rollback');
      }
    } finally {
      client.release(true);
    }
  });

  it('that is new and has no wall is found by its name', async () => {
    await mesh.pools.owner.query('create table newcomer (patient_id uuid); grant select on newcomer to thalamus_reader');
    await mesh.pools.owner.query(
      'create table halfway (patient_id uuid); alter table halfway enable row level security; grant select (patient_id) on halfway to thalamus_reader',
    );
    try {
      expect((await open(mesh.pools.owner)).filter((name) => !told(name))).toEqual(['halfway', 'newcomer']);
    } finally {
      await mesh.pools.owner.query('drop table newcomer; drop table halfway');
    }
  });
});

describe('rows with a site', () => {
  it('are there for the named sites only, up to the named confidentiality', async () => {
    expect(sited.length).toBeGreaterThan(12);
    const filled: string[] = [];
    for (const table of sited) {
      const all = await sitesOf(table);
      if (all.includes('north')) filled.push(table);
      const seen = await under<{ s: string }>({ sites: ['north'], clearance: 2 }, `select distinct site_id as s from ${table}`);
      expect([table, seen.rows.map((row) => row['s'])]).toEqual([table, all.filter((site) => site === 'north')]);
      const low = await under({ sites: '*', clearance: 0 }, `select 1 from ${table} where sensitivity > 0 limit 1`);
      expect([table, low.rowCount]).toEqual([table, 0]);
      const none = await under({ sites: '*', clearance: -1 }, `select 1 from ${table} limit 1`);
      expect([table, none.rowCount]).toEqual([table, 0]);
      const nowhere = await under({ sites: [], clearance: 2 }, `select 1 from ${table} limit 1`);
      expect([table, nowhere.rowCount]).toEqual([table, 0]);
    }
    expect(filled.length).toBeGreaterThan(6);
  });

  it('are not opened by a site that holds another in its name, a comma or a star', async () => {
    for (const sites of [['nor'], ['north%'], ['*, north'], [''], ['NORTH']]) {
      const seen = await under({ sites, clearance: 2 }, 'select distinct site_id as s from patient');
      expect([sites, seen.rows]).toEqual([sites, []]);
    }
  });
});

describe('the setting', () => {
  it('does not outlive its transaction on a pooled connection, whether that ends well or not', async () => {
    for (const fails of [false, true]) {
      const work = withReadSession(mesh.pools.reader, { sites: '*', clearance: 2 }, async (session) => {
        const { rows } = await session.query<{ n: number }>({ text: 'select count(*)::int as n from patient', values: [] });
        expect(rows[0]?.n).toBeGreaterThan(50);
        if (fails) await session.query({ text: 'select 1 / 0', values: [] });
      });
      if (fails) await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      else await work;
      for (let i = 0; i < 8; i += 1) {
        for (const table of ['patient', 'consent_effect', 'genotype_block'])
          expect([table, (await mesh.pools.reader.query(`select 1 from ${table} limit 1`)).rowCount]).toEqual([table, 0]);
      }
    }
  });

  it('is asked once a statement where it stands alone, not once a row', async () => {
    const { rows } = await under<Record<string, string>>({ sites: '*', clearance: 2 }, 'explain select 1 from consent_effect');
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('InitPlan');
  });
});

describe('the roles', () => {
  it('of the reader writes nothing at all', async () => {
    for (const name of tables) {
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
    await expect(under({ sites: '*', clearance: 2 }, `create temp table mine as select * from patient`)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('of the writer only adds to what must last', async () => {
    for (const table of ['audit_log', 'lineage_run', 'lineage_plan', 'lineage_patient_set', 'identity_event']) {
      for (const statement of [
        `update ${table} set ${table === 'audit_log' ? 'record = record' : 'at = at'}`,
        `delete from ${table}`,
        `truncate ${table}`,
        `drop table ${table}`,
        `alter table ${table} disable trigger all`,
      ]) {
        await expect(mesh.pools.writer.query(statement)).rejects.toMatchObject({
          code: expect.stringMatching(/^(42501|42703)$/) as string,
        });
      }
    }
  });

  it('own nothing, are no more than they are, and belong to no other', async () => {
    const { rows } = await mesh.pools.owner
      .query(`select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit,
      exists (select 1 from pg_class where relowner = r.oid) or exists (select 1 from pg_proc where proowner = r.oid) or exists (select 1 from pg_namespace where nspowner = r.oid) as owns,
      exists (select 1 from pg_auth_members where member = r.oid) as member
    from pg_roles r where rolname in ('thalamus_reader', 'thalamus_writer') order by 1`);
    expect(rows).toHaveLength(2);
    for (const row of rows as Record<string, unknown>[])
      for (const [name, value] of Object.entries(row))
        if (name !== 'rolname') expect([row['rolname'], name, value]).toEqual([row['rolname'], name, false]);
  });

  it.each(['reader', 'writer'] as const)('of the %s become no other and take no wall down', async (role) => {
    const other = role === 'reader' ? 'thalamus_writer' : 'thalamus_reader';
    for (const statement of [
      `set role ${other}`,
      `set local role ${other}`,
      `set session authorization ${other}`,
      `grant ${other} to thalamus_${role}`,
      'alter table patient disable row level security',
      'alter table patient no force row level security',
      'alter policy reads on patient using (true)',
      'drop policy reads on patient',
      `create policy mine on patient to thalamus_${role} using (true)`,
      `alter role thalamus_${role} bypassrls`,
      'set session_replication_role = replica',
      'create function f() returns int language sql security definer as $$ select 1 $$',
      `select pg_read_file('/etc/passwd')`,
      `copy patient to program 'cat'`,
    ])
      await expect(mesh.pools[role].query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('of the reader reaches nothing with row security turned off, but an error', async () => {
    const client = await mesh.pools.reader.connect();
    try {
      await client.query('set row_security = off');
      for (const table of ['patient', 'consent_effect', 'quarantine'])
        await expect(client.query(`select 1 from ${table}`)).rejects.toMatchObject({ code: '42501' });
    } finally {
      client.release(true);
    }
  });
});
