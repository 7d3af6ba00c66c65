import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { localObjects } from '../../src/store/objects.js';
import { writeStore, type WriteStore, type WriteTransaction } from '../../src/store/pipeline-store.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { EpochMoved, withReadSession, type Wall } from '../../src/store/session.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let pools: Pools;
let store: WriteStore;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  folder = mkdtempSync(join(tmpdir(), 'thalamus-versions-'));
  store = writeStore(pools.writer, localObjects(folder));
});
afterAll(async () => {
  await pools.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

type Row = Record<string, unknown>;
const ALL: Wall = { sites: '*', clearance: 2 };
const COLUMNS = 'observation_id, site_id, sensitivity, value, value_text, source_digest';
const PERSON = '00000000-0000-7000-8000-000000000001';

/** Rows of observation under a wall, at a version or as they are. */
async function observations(version: number | null, wall: Wall = ALL): Promise<Row[]> {
  const at = version === null ? wall : { ...wall, asOf: { observation: version } };
  const text = `select ${COLUMNS} from observation order by observation_id`;
  return (await withReadSession(pools.reader, at, (session) => session.query<Row>({ text, values: [], name: 'observations' }))).rows;
}

/** As pipelines do it: the version is raised last. */
async function change(work: (tx: WriteTransaction) => Promise<unknown>, tables = ['observation']): Promise<number> {
  return store.transaction(async (tx) => {
    await work(tx);
    return raise(tx, tables);
  });
}

async function raise(tx: WriteTransaction, tables: readonly string[]): Promise<number> {
  const raised = await tx.query<{ version: number }>(
    `with raised as (
       insert into dataset_version (dataset, version, at) select name, 1, now() from unnest($1::text[]) as name order by name
       on conflict (dataset) do update set version = dataset_version.version + 1 returning dataset, version, at),
     changed as (insert into dataset_change select dataset, version, current_setting('thalamus.change')::bigint, at from raised)
     select version from raised`,
    [tables],
  );
  return raised[0]?.version ?? 0;
}

const put = `insert into observation (patient_id, site_id, sensitivity, source_digest, source_ordinal, observation_id, id, value, value_text)
  values ($1, $2, $3, 'd', 0, $4, $1, $5, $6) on conflict (patient_id, observation_id) do update set value = excluded.value, value_text = excluded.value_text`;

interface Step {
  readonly op: 'put' | 'set' | 'same' | 'delete' | 'deleteAll';
  readonly key: number;
  readonly value: number;
}
interface Turn {
  readonly end: 'commit' | 'rollback' | 'statements';
  readonly steps: readonly Step[];
}

/** One step in the database and, with the same meaning, in memory. */
const STATEMENTS: Record<Step['op'], (step: Step) => { text: string; values: unknown[] }> = {
  put: ({ key, value }) => ({ text: put, values: [PERSON, 'north', 0, `o${key}`, value, 'x'.repeat(value)] }),
  set: ({ key, value }) => ({ text: 'update observation set value = $2 where observation_id = $1', values: [`o${key}`, value] }),
  same: () => ({ text: 'update observation set value = value, value_text = value_text', values: [] }),
  delete: ({ key }) => ({ text: 'delete from observation where observation_id = $1', values: [`o${key}`] }),
  deleteAll: () => ({ text: 'delete from observation', values: [] }),
};

function inMemory(rows: Map<string, Row>, { op, key, value }: Step): void {
  const name = `o${key}`;
  const stored = rows.get(name);
  if (op === 'put')
    rows.set(name, {
      observation_id: name,
      site_id: 'north',
      sensitivity: 0,
      value,
      value_text: 'x'.repeat(value),
      source_digest: 'd',
    });
  if (op === 'set' && stored) rows.set(name, { ...stored, value });
  if (op === 'delete') rows.delete(name);
  if (op === 'deleteAll') rows.clear();
}

const sorted = (rows: Map<string, Row>): Row[] =>
  [...rows.values()].sort((a, b) => (String(a['observation_id']) < String(b['observation_id']) ? -1 : 1));
const present = async (): Promise<number> =>
  Number(
    (await pools.owner.query<{ version: string }>(`select version from dataset_version where dataset = 'observation'`)).rows[0]?.version ??
      0,
  );

describe('a past version', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    op: fc.constantFrom<Step['op'][]>('put', 'put', 'put', 'set', 'same', 'delete', 'deleteAll'),
    key: fc.integer({ min: 0, max: 4 }),
    value: fc.integer({ min: 0, max: 3 }),
  });
  const turn: fc.Arbitrary<Turn> = fc.record({
    end: fc.constantFrom<Turn['end'][]>('commit', 'commit', 'rollback', 'statements'),
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  });

  it('holds what was recorded then, after any inserts, updates and deletes in any transactions', async () => {
    const recorded = new Map<number, Row[]>([[0, []]]);
    const rows = new Map<string, Row>();
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 3, maxLength: 8 }), async (turns) => {
        for (const { end, steps } of turns) await takeTurn(end, steps);
        const versions = [...recorded.keys()];
        for (const version of versions.slice(-12).concat(versions.slice(0, 3))) {
          const seen = await observations(version);
          expect([version, seen]).toEqual([version, recorded.get(version)]);
          compared += seen.length;
        }
        expect(await observations(null)).toEqual(sorted(rows));
      }),
      { numRuns: 25 },
    );
    expect(recorded.size).toBeGreaterThan(60);
    expect(compared).toBeGreaterThan(200);

    async function takeTurn(end: Turn['end'], steps: readonly Step[]): Promise<void> {
      if (end === 'statements') {
        for (const each of steps) {
          await pools.writer.query(STATEMENTS[each.op](each));
          inMemory(rows, each);
          recorded.set(await present(), sorted(rows));
        }
        return;
      }
      const before = new Map(rows);
      const work = change(async (tx) => {
        for (const each of steps) {
          const { text, values } = STATEMENTS[each.op](each);
          await tx.query(text, values);
          if (end === 'commit') inMemory(rows, each);
        }
        if (end === 'rollback') throw new Error('the load breaks');
      });
      if (end === 'commit') recorded.set(await work, sorted(rows));
      else await expect(work).rejects.toThrow('breaks');
      if (end === 'rollback') expect(sorted(rows)).toEqual(sorted(before));
    }
  });

  it('is in the order of commits and not of beginnings', async () => {
    await change((tx) => tx.query('delete from observation'));
    let begun = (): void => undefined;
    const first = new Promise<void>((resolve) => (begun = resolve));
    let go = (): void => undefined;
    const second = new Promise<void>((resolve) => (go = resolve));
    const early = change(async (tx) => {
      await tx.query(put, [PERSON, 'north', 0, 'early', 1, '']);
      begun();
      await second;
    });
    await first;
    const versionOfLate = await change((tx) => tx.query(put, [PERSON, 'north', 0, 'late', 1, '']));
    go();
    const versionOfEarly = await early;
    expect(versionOfEarly).toBe(versionOfLate + 1);
    const ids = async (version: number): Promise<unknown[]> => (await observations(version)).map((row) => row['observation_id']);
    expect([await ids(versionOfLate - 1), await ids(versionOfLate), await ids(versionOfEarly)]).toEqual([[], ['late'], ['early', 'late']]);
  });

  it('holds exactly the loads that had ended, of many at once', async () => {
    await change((tx) => tx.query('delete from observation'));
    const floor = await present();
    const loads = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const version = await change(async (tx) => {
          // All of them write one row as well.
          await tx.query(put, [PERSON, 'north', 0, 'shared', n, '']);
          await tx.query(put, [PERSON, 'north', 0, `own${n}`, n, '']);
        });
        return { n, version };
      }),
    );
    expect(loads.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => floor + 1 + n));
    for (const { n, version } of loads) {
      const seen = await observations(version);
      const ended = loads.filter((one) => one.version <= version).map((one) => `own${one.n}`);
      expect(seen.map((row) => row['observation_id'])).toEqual([...ended, 'shared'].sort());
      expect(seen.find((row) => row['observation_id'] === 'shared')?.['value']).toBe(n);
    }
  });

  it('leaves nothing of a load that was killed', async () => {
    const before = await observations(null);
    const traces = async (): Promise<Row[]> =>
      (await pools.owner.query<Row>('select (select count(*) from history.observation) as h, (select count(*) from dataset_change) as c'))
        .rows;
    const left = await traces();
    const work = change(async (tx) => {
      await tx.query('delete from observation');
      const [own] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await pools.owner.query('select pg_terminate_backend($1)', [own?.pid]);
      await tx.query('select 1');
    });
    await expect(work).rejects.toBeDefined();
    expect([await observations(null), await traces()]).toEqual([before, left]);
    expect(await observations(await present())).toEqual(before);
  });

  it('names the versions asked for, and only those that are kept can be asked for', async () => {
    const text = `select version from dataset_version where dataset = 'observation'`;
    const asked = async (asOf: Record<string, number>): Promise<Row[]> =>
      (await withReadSession(pools.reader, { ...ALL, asOf }, (session) => session.query<Row>({ text, values: [] }))).rows;
    expect(await asked({ observation: 2 })).toEqual([{ version: '2' }]);
    expect(await asked({ observation: 0 })).toEqual([]);
    expect(await asked({})).toEqual([{ version: String(await present()) }]);
    const later = (await present()) + 1;
    for (const asOf of [{ observation: later }, { observation: -1 }, { nothing: 1 }])
      await expect(asked(asOf)).rejects.toMatchObject({ code: 'NOT_FOUND', place: Object.keys(asOf)[0] });
    // As the migration leaves a table that had versions before changes were kept.
    await pools.owner.query(
      `insert into dataset_version values ('older', 7, now()); insert into dataset_change values ('older', 7, 0, now())`,
    );
    await expect(asked({ older: 7 })).resolves.toHaveLength(1);
    for (const version of [0, 6]) await expect(asked({ older: version })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is no way round the table: rows of the past are not thrown away in one stroke', async () => {
    await expect(pools.owner.query('truncate observation')).rejects.toMatchObject({ code: '55000' });
  });
});

describe('the wall', () => {
  it('stands around the past as around the present', async () => {
    for (const [site, sensitivity] of [
      ['north', 0],
      ['north', 2],
      ['south', 0],
    ] as const)
      await pools.writer.query(put, [PERSON, site, sensitivity, `${site}${sensitivity}`, 1, '']);
    const version = await present();
    await change((tx) => tx.query('delete from observation'));
    const ids = async (wall: Wall): Promise<unknown[]> =>
      (await observations(version, wall)).map((row) => row['observation_id']).filter((id) => /^(north|south)/.test(String(id)));
    expect(await ids(ALL)).toEqual(['north0', 'north2', 'south0']);
    expect(await ids({ sites: ['south'], clearance: 2 })).toEqual(['south0']);
    expect(await ids({ sites: ['north'], clearance: 0 })).toEqual(['north0']);
    expect(await ids({ sites: '*', clearance: -1 })).toEqual([]);
    for (const relation of ['history.observation', 'asof.observation'])
      expect((await pools.reader.query(`select 1 from ${relation}`)).rowCount).toBe(0);
  });

  it('is copied from each table to its twin, whole', async () => {
    const { rows } = await pools.owner.query<Row>(
      `select p.tablename, p.policyname from pg_policies p join pg_class h on h.relname = p.tablename and h.relnamespace = 'history'::regnamespace
        where p.schemaname = 'public' and not exists (
          select from pg_policies t where t.schemaname = 'history' and t.tablename = p.tablename and t.policyname = p.policyname
             and (t.permissive, t.cmd, t.roles, t.qual, t.with_check) is not distinct from (p.permissive, p.cmd, p.roles, p.qual, p.with_check))
       union all
       select c.relname, 'not as forced' from pg_class c join pg_class h on h.relname = c.relname and h.relnamespace = 'history'::regnamespace and h.relkind = 'r'
        where c.relnamespace = 'public'::regnamespace and (c.relrowsecurity, c.relforcerowsecurity) <> (h.relrowsecurity, h.relforcerowsecurity)`,
    );
    expect(rows).toEqual([]);
  });

  it('opens for glass that was broken then, although it was ended since', async () => {
    const now = Date.UTC(2026, 0, 1, 12);
    const at = (minutes: number): Date => new Date(now + minutes * 60_000);
    await pools.owner.query('alter table break_glass disable trigger all');
    const glass = '00000000-0000-7000-8000-0000000000a1';
    await pools.owner.query(
      `insert into break_glass (glass_id, sub, patient_id, reason, started_at, ends_at, run_id) values ($1, 'doctor', $2, 'x', $3, $4, $1)`,
      [glass, PERSON, at(-10), at(20)],
    );
    await pools.owner.query(`insert into break_glass_event (event_id, glass_id, kind, at, actor) values ($1, $1, 'ended', $2, 'doctor')`, [
      glass,
      at(5),
    ]);
    await pools.writer.query(put, [PERSON, 'south', 2, 'behind', 1, '']);
    const version = await present();
    const seen = async (asOf: boolean, minutes: number): Promise<[boolean, boolean]> => {
      let opened = false;
      const caller = {
        sub: 'doctor',
        now: now + minutes * 60_000,
        epoch: { policy: asOf ? 99 : 0, revocation: 0 },
        emergency: false,
        opened: (found: unknown) => (opened = found !== null),
      };
      const wall = { sites: [], clearance: 0, caller, ...(asOf ? { asOf: { observation: version } } : {}) };
      const text = `select 1 from observation where observation_id = 'behind'`;
      const { rowCount } = await withReadSession(pools.reader, wall, (session) => session.query({ text, values: [] }));
      return [opened, rowCount === 1];
    };
    expect([await seen(true, 0), await seen(true, 6), await seen(false, 0)]).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
    const stale = { sub: 'x', now, epoch: { policy: 99, revocation: 0 }, emergency: false, opened: () => undefined };
    await expect(withReadSession(pools.reader, { ...ALL, caller: stale }, () => Promise.resolve())).rejects.toBeInstanceOf(EpochMoved);
  });
});

describe('every versioned table', () => {
  it('has a view of the same columns in the same order, a twin and its triggers', async () => {
    const shape = (schema: string): string => `
      select c.relname, jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation) order by a.attnum) as columns
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where c.relnamespace = '${schema}'::regnamespace
         and exists (select from pg_attribute x where x.attrelid = c.oid and x.attname = 'changed_in') group by c.oid, c.relname order by 1`;
    const [tables, views] = await Promise.all([pools.owner.query<Row>(shape('public')), pools.owner.query<Row>(shape('asof'))]);
    expect(views.rows).toEqual(tables.rows);
    expect(tables.rows.length).toBeGreaterThanOrEqual(19);
    const { rows } = await pools.owner.query<Row>(
      `select c.relname from pg_class c where c.relname = any($1) and c.relnamespace = 'public'::regnamespace and (
         to_regclass('history.' || c.relname) is null
         or 3 <> (select count(*) from pg_trigger t where t.tgrelid = c.oid and t.tgenabled = 'O'
                     and t.tgname in (c.relname || '_versions', c.relname || '_change', c.relname || '_truncate')))`,
      [tables.rows.map((row) => row['relname'])],
    );
    expect(rows).toEqual([]);
  });

  it('is every table about persons that a pipeline may change', async () => {
    const { rows } = await pools.owner.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('patient_id', 'sensitivity'))
          and has_table_privilege('thalamus_writer', c.oid, 'update') and to_regclass('history.' || c.relname) is null order by 1`,
    );
    expect(rows).toEqual([]);
  });

  it('takes a column that is added later into its past', async () => {
    const other = await createDatabase();
    const owner = await openPools(other.engine);
    try {
      await owner.writer.query(put, [PERSON, 'north', 0, 'old', 1, '']);
      await owner.writer.query('delete from observation');
      await owner.owner
        .query(`alter table observation add column reviewed text collate "C" not null default 'no', add column grade numeric(4, 1);
        select make_versioned('observation')`);
      await owner.writer.query(put, [PERSON, 'north', 0, 'new', 1, '']);
      await owner.writer.query(`update observation set reviewed = 'yes', grade = 2.5`);
      const at = async (version: number): Promise<Row[]> =>
        (
          await withReadSession(owner.reader, { ...ALL, asOf: { observation: version } }, (session) =>
            session.query<Row>({ text: 'select observation_id, reviewed, grade from observation', values: [] }),
          )
        ).rows;
      expect([await at(1), await at(2), await at(3), await at(4)]).toEqual([
        [{ observation_id: 'old', reviewed: 'no', grade: null }],
        [],
        [{ observation_id: 'new', reviewed: 'no', grade: null }],
        [{ observation_id: 'new', reviewed: 'yes', grade: '2.5' }],
      ]);
    } finally {
      await owner.end();
      await other.drop();
    }
  });

  it('is read by its key in the past too', async () => {
    await pools.owner.query(
      `insert into history.observation (patient_id, site_id, sensitivity, label_bits, source_digest, source_ordinal, observation_id, id, changed_in, ended_in)
       select gen_random_uuid(), 'north', 0, 0, '', 0, 'x', gen_random_uuid(), 1, 2 from generate_series(1, 5000); analyze history.observation`,
    );
    const plan = await withReadSession(pools.reader, { ...ALL, asOf: { observation: 1 } }, (session) =>
      session.query<Record<string, string>>({
        text: 'explain select (select count(*) from observation o where o.patient_id = p.id) from (select $1::uuid as id offset 0) p',
        values: [PERSON],
      }),
    );
    expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/observation_key/);
  });
});
