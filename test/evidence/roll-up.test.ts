import fc from 'fast-check';
import {
  AuditLog,
  Keyring,
  entryOf,
  exceeded,
  newStoredKey,
  type EvidenceEntry,
  type LineagePlan,
  type Receipt,
} from '../../src/evidence/index.js';
import { decodeOrdinals, digestOf, newUuid } from '../../src/kernel/index.js';
import { EvidenceStore, bulkMeter, disclosureEvents, openPools, type Pools } from '../../src/store/index.js';
import { buildSegment, insertSegment } from '../../src/store/evidence/segments.js';
import { verifiedLogs } from '../support/audit.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const SECRET = Buffer.alloc(32, 1);
const SEGMENT = 256;
const START = Date.parse('2018-03-01T00:00:00Z');
const HOUR = 3_600_000;
const EVER = [0, Date.parse('2100-01-01T00:00:00Z')] as const;
const keyring = Keyring.of([newStoredKey()]);

let database: TestDatabase;
let pools: Pools;
let store: EvidenceStore;
let now = START;
let log: AuditLog;

beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  store = new EvidenceStore(pools.writer, SECRET, bulkMeter({ windowMonths: 12, exceeded }));
}, 20_000);
beforeEach(async () => {
  await (log as AuditLog | undefined)?.close().catch(() => undefined);
  await pools.owner.query(`set session_replication_role = replica;
    truncate audit_log, audit_head, audit_checkpoint, lineage_run, lineage_plan, lineage_caller, lineage_patient_set, audit_segment, audit_posting, evidence_hold;
    set session_replication_role = origin`);
  now = START;
  log = opened();
});
afterAll(async () => {
  await log.close().catch(() => undefined);
  await pools.end();
  await database.drop();
});

/** Persons are named by their ordinals; how they get them is not the matter here. */
function opened(): AuditLog {
  const sink = Object.create(store) as EvidenceStore;
  sink.persons = (ids) =>
    Promise.resolve(
      [...ids].map((id) => ({ ordinal: Number(id), key: Buffer.alloc(32, Number(id)) })).sort((a, b) => a.ordinal - b.ordinal),
    );
  return new AuditLog({ sink, keyring: () => keyring, sealKey: SECRET, clock: () => now, monotonic: () => performance.now() });
}

const plan = (n: number): LineagePlan => ({
  digest: digestOf(`plan ${n}`),
  document: `{field${n}}`,
  columns: [
    { coordinate: `Query.field${n}`, source: `table.column${n % 3}`, type: 'DIRECT', masking: false },
    { coordinate: `Query.field${n}`, source: 'table.site_id', type: 'INDIRECT', masking: false },
  ],
  decisions: [{ coordinate: `Query.field${n}`, verdict: 'allowed', ruleIds: ['r1'] }],
  policyVersion: 'v1',
});

interface Given {
  readonly kind: 'query' | 'mutation' | 'refused' | 'ingest' | 'export';
  readonly principal: number;
  readonly plan: number | null;
  readonly persons: readonly number[];
  readonly told: boolean;
  readonly rows: number;
  readonly step: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  kind: fc.constantFrom('query', 'mutation', 'refused', 'ingest', 'export'),
  principal: fc.nat(3),
  plan: fc.option(fc.nat(5)),
  persons: fc.uniqueArray(fc.oneof(fc.nat(8), fc.nat(700)), { maxLength: 6 }),
  told: fc.boolean(),
  rows: fc.nat(100_000),
  step: fc.integer({ min: -5, max: 40 * HOUR }),
});

function entryFor(each: Given): EvidenceEntry {
  now += each.step;
  const { plan: planned, rows, kind, told } = each;
  return entryOf({
    runId: newUuid(now - 7),
    kind,
    at: now,
    principal: `user${each.principal} "ü"`,
    roles: ['clinician', `r${each.principal % 2}`],
    purpose: each.principal === 3 ? 'HRESCH' : 'TREAT',
    policyVersion: 'v1',
    recipient: each.principal === 0 ? null : { id: `org${each.principal}`, flagged: false },
    caller: { sites: ['a'], principal: each.principal },
    plan: planned === null ? null : plan(planned),
    patients: new Set(each.persons.map(String)),
    rows,
    bytes: rows * 3,
    resultDigest: told ? digestOf(`${now}`) : null,
    code: kind === 'refused' ? 'FORBIDDEN' : null,
    versions: { table: rows % 4 },
    facts: { path: 'compiled', nested: { n: rows % 5 } },
    question: planned === null ? null : { operationName: null, literals: ['10'], variables: { n: rows }, patient: null },
  });
}

async function append(entries: readonly EvidenceEntry[]): Promise<Receipt[]> {
  return Promise.all(entries.map((entry) => log.append(entry)));
}

const some = (count: number): Given[] => fc.sample(given, { numRuns: count, seed: 7 });
const rollUp = (hotDays = 400) => store.rollUp({ now: Date.parse('2026-11-01T00:00:00Z'), hotDays, segmentRecords: SEGMENT });
const count = async (table: string): Promise<number> =>
  (await pools.owner.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? -1;
const verify = (receipts: readonly Receipt[] = []) =>
  verifiedLogs({ evidence: store, mesh: { parts: { keyring: () => keyring } } } as unknown as Parameters<typeof verifiedLogs>[0], receipts);

/** Everything that a reader of evidence can ask, about these runs. */
async function answers(logId: string, runs: readonly string[], [from, to]: readonly [number, number]): Promise<unknown> {
  const records: unknown[] = [];
  for await (const record of store.leaves(logId)) records.push(record);
  const events = disclosureEvents(pools.writer);
  const persons = [0, 1, 5, 8, 255, 256, 699];
  return {
    records,
    hashes: await store.hashes(logId, 3, 200),
    past: await Promise.all(runs.map((run) => store.pastRun(run))),
    impact: await Promise.all(['table.column0', 'table.site_id', 'table.none'].map((source) => store.impact(source, from, to))),
    usage: await store.usageOf(['table.column1', 'table.none'], from, to),
    about: await Promise.all(persons.map((ordinal) => store.runsAbout(ordinal, from, to))),
    saw: await Promise.all(persons.map((ordinal) => store.whoSaw(ordinal, from, to))),
    reach: await events.reachOf({ recipients: ['org1'], purposes: ['HRESCH'] }, from, to),
  };
}

describe('a roll-up', () => {
  it('changes no answer: rows, packed and cold read alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 300, maxLength: 600, size: 'max' }), fc.nat(400), fc.nat(400), async (all, a, b) => {
        await log.close();
        await pools.owner
          .query(`set session_replication_role = replica; truncate audit_log, audit_head, audit_checkpoint, lineage_run, lineage_plan,
          lineage_caller, lineage_patient_set, audit_segment, audit_posting; set session_replication_role = origin`);
        now = START;
        log = opened();
        const entries = all.map(entryFor);
        const [receipt] = await append(entries);
        const { logId } = receipt ?? { logId: '' };
        const runs = [0, 17, 250, 299].map((i) => entries[i]?.runId ?? '');
        const times = [entries[Math.min(a, b) % entries.length]?.at ?? 0, entries[Math.max(a, b) % entries.length]?.at ?? 0];
        const range = [Math.min(...times), Math.max(...times)] as const;
        const hot = [await answers(logId, runs, EVER), await answers(logId, runs, range)];
        expect(await rollUp(100_000)).toMatchObject({ packed: Math.floor((all.length + 1) / SEGMENT), records: 0 });
        expect([await answers(logId, runs, EVER), await answers(logId, runs, range)]).toEqual(hot);
        const gone = Math.floor((all.length + 1) / SEGMENT) * SEGMENT;
        expect(await rollUp()).toEqual({ packed: 0, bundles: gone / 256, records: gone });
        expect(await count('audit_log')).toBe(all.length + 1 - gone);
        expect([await answers(logId, runs, EVER), await answers(logId, runs, range)]).toEqual(hot);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  }, 30_000);

  it('answers what was recorded, as counted by hand', async () => {
    const all = some(600);
    const entries = all.map(entryFor);
    await append(entries);
    await rollUp();
    const left = (each: EvidenceEntry): boolean =>
      each.resultDigest !== null && each.patients.size > 0 && ['query', 'mutation', 'export', 'replay'].includes(each.kind);
    for (const ordinal of [2, 5, 300]) {
      const about = entries.filter((each) => each.patients.has(String(ordinal)));
      const ids = (await store.runsAbout(ordinal, ...EVER)).map((run) => run.runId);
      expect(ids.toSorted()).toEqual(
        about
          .filter(left)
          .map((each) => each.runId)
          .toSorted(),
      );
      expect((await store.whoSaw(ordinal, ...EVER)).reduce((sum, each) => sum + each.runs, 0)).toBe(about.length);
    }
    const touched = entries.filter((each) => each.plan?.columns.some((column) => column.source === 'table.column1'));
    const { usage, plans, coordinates } = await store.impact('table.column1', ...EVER);
    expect(plans.map((each) => each.document).toSorted()).toEqual(['{field1}', '{field4}']);
    expect(coordinates.map((each) => each.coordinate)).toEqual(['Query.field1', 'Query.field4']);
    expect(usage.reduce((sum, each) => sum + each.runs, 0)).toBe(touched.length);
    expect(usage.reduce((sum, each) => sum + each.rows, 0)).toBe(touched.reduce((sum, each) => sum + each.rows, 0));
    expect(Math.min(...usage.map((each) => each.firstAt))).toBe(Math.min(...touched.map((each) => each.at)));
    const [entry] = entries.filter((each) => each.patients.size > 1);
    const past = await store.pastRun(entry?.runId ?? '');
    expect(decodeOrdinals(past?.ordinals ?? Buffer.alloc(0)).map(String)).toEqual(
      [...(entry?.patients ?? [])].toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(await store.pastRun(newUuid(START + HOUR))).toBeNull();
  }, 20_000);

  it('leaves a log that the stand-alone verifier accepts, with the receipts that were given out', async () => {
    const receipts: Receipt[] = [];
    for (const each of [1, 599]) receipts.push(...(await append(some(each).map((one) => entryFor({ ...one, step: HOUR })))));
    await log.close();
    const heads = await store.heads();
    await rollUp();
    expect(await verify(receipts)).toMatchObject({ ok: true, findings: [], records: 601 });
    expect(await store.heads()).toEqual(heads);
    log = opened();
    const [next] = await append(some(1).map((each) => entryFor({ ...each, step: HOUR })));
    expect(next?.logIndex).toBe(602);
    expect((await verify(receipts)).ok).toBe(true);
  }, 20_000);

  it('may end at any step and be done again', async () => {
    await append(some(600).map(entryFor));
    const [head] = await store.heads();
    const logId = head?.logId ?? '';
    const segment = await buildSegment(pools.writer, logId, 0, SEGMENT);
    const before = await answers(logId, [], EVER);
    // Packed by a process that then died, and by another at the same time.
    expect(await insertSegment(pools.writer, segment)).toBe(true);
    expect(await insertSegment(pools.writer, segment)).toBe(false);
    const client = await pools.writer.connect();
    await client.query('begin');
    await client.query('select roll_up_segment($1, 0)', [logId]);
    await client.query('rollback');
    client.release();
    expect(await answers(logId, [], EVER)).toEqual(before);
    expect(await rollUp()).toEqual({ packed: 1, bundles: 2, records: 512 });
    expect(await rollUp()).toEqual({ packed: 0, bundles: 0, records: 0 });
    expect(await answers(logId, [], EVER)).toEqual(before);
  }, 20_000);

  it('keeps the persons of runs that are still rows', async () => {
    const same = some(1).map((each) => ({ ...each, persons: [1, 2, 3], told: true, kind: 'query' as const, step: HOUR }));
    await append(Array.from({ length: 600 }, () => same[0]).flatMap((each) => (each ? [entryFor(each)] : [])));
    await rollUp();
    expect(await count('lineage_patient_set')).toBe(1);
    expect(await store.runsAbout(2, ...EVER)).toHaveLength(600);
  }, 20_000);

  it('does not touch a log that is not what it says', async () => {
    await append(some(300).map(entryFor));
    await pools.owner
      .query(`set session_replication_role = replica; update audit_log set record = replace(record, 'compiled', 'reference') where seq = 100;
      set session_replication_role = origin`);
    await expect(rollUp()).rejects.toThrow('not what its leaf says');
    expect(await count('audit_log')).toBe(301);
  });
});

describe('rows of evidence', () => {
  it.each(['audit_log', 'lineage_run', 'lineage_patient_set', 'audit_checkpoint', 'audit_segment', 'audit_posting', 'evidence_hold'])(
    'of %s are not deleted or changed by the writer',
    async (table) => {
      await append(some(300).map(entryFor));
      await rollUp(100_000);
      const before = await count(table);
      for (const statement of [`delete from ${table}`, `truncate ${table}`])
        await expect(pools.writer.query(`set thalamus.roll_up = 'on'; ${statement}; reset thalamus.roll_up`)).rejects.toMatchObject({
          code: '42501',
        });
      await expect(pools.owner.query(`delete from ${table}`)).rejects.toMatchObject({ code: '55000' });
      expect(await count(table)).toBe(before);
    },
  );

  it('do not go unless the segment has the root of what goes, and is not young', async () => {
    await append(some(300).map(entryFor));
    const [head] = await store.heads();
    const segment = await buildSegment(pools.writer, head?.logId ?? '', 0, SEGMENT);
    await expect(pools.writer.query('select roll_up_segment($1, 0)', [segment.logId])).rejects.toMatchObject({ code: '55000' });
    await insertSegment(pools.writer, { ...segment, root: Buffer.alloc(32) });
    await expect(pools.writer.query('select roll_up_segment($1, 0)', [segment.logId])).rejects.toMatchObject({ code: '55000' });
    await log.close();
    log = opened();
    now = performance.timeOrigin - HOUR;
    await append(some(300).map((each) => entryFor({ ...each, step: 1 })));
    const young = await buildSegment(pools.writer, segment.logId, 256, SEGMENT);
    await insertSegment(pools.writer, young);
    await expect(pools.writer.query('select roll_up_segment($1, 256)', [segment.logId])).rejects.toThrow('too young');
    await expect(pools.writer.query(`update audit_segment set last_at = '2018-01-01'`)).rejects.toMatchObject({ code: '42501' });
    expect(await count('audit_log')).toBe(602);
  }, 20_000);
});

describe('a purge', () => {
  const hold = { id: newUuid(START), by: 'counsel', at: START, reason: 'litigation' };

  it('leaves hashes, so that the tree stays what it was', async () => {
    for (const each of [1, 599]) await append(some(each).map((one) => entryFor({ ...one, step: HOUR })));
    const [head] = await store.heads();
    await rollUp();
    const hashes = await store.hashes(head?.logId ?? '', 0, 601);
    expect(await store.purge(START + 300 * HOUR)).toEqual({ segments: 1, records: 256, held: 0 });
    expect(await store.hashes(head?.logId ?? '', 0, 601)).toEqual(hashes);
    const texts: string[] = [];
    for await (const { record } of store.leaves(head?.logId ?? '')) texts.push(record);
    expect(texts.map((text) => text === '').indexOf(false)).toBe(256);
    expect(await store.purge(START + 300 * HOUR)).toEqual({ segments: 0, records: 0, held: 0 });
  }, 20_000);

  it('refuses what is younger than six years', async () => {
    now = performance.timeOrigin - 5 * 365 * 24 * HOUR;
    await append(some(300).map((each) => entryFor({ ...each, step: HOUR })));
    await rollUp();
    const [head] = await store.heads();
    const leaves = Buffer.concat([...(await store.hashes(head?.logId ?? '', 0, SEGMENT))]);
    await expect(store.purge(performance.timeOrigin)).rejects.toThrow(RangeError);
    await expect(pools.writer.query('select purge_segment($1, 0, $2)', [head?.logId, leaves])).rejects.toMatchObject({ code: '55006' });
    expect(await count('audit_segment where purged_at is null')).toBe(1);
  }, 20_000);

  it.each([
    ['all', ''],
    ['person', '2'],
    ['recipient', 'org1'],
    ['purpose', 'HRESCH'],
  ] as const)(
    'leaves what is held by %s alone until the hold ends',
    async (scope, subject) => {
      await append(some(300).map((each) => entryFor({ ...each, step: HOUR })));
      await rollUp();
      const before = START + 1_000 * HOUR;
      await store.hold({ ...hold, scope, subject });
      expect(await store.purge(before)).toEqual({ segments: 0, records: 0, held: 1 });
      expect(await store.releaseHold(hold)).toBe(true);
      expect(await store.releaseHold(hold)).toBe(false);
      expect(await store.purge(before)).toEqual({ segments: 1, records: 256, held: 0 });
    },
    20_000,
  );

  it('is not kept from what a hold does not cover', async () => {
    await append(some(300).map((each) => entryFor({ ...each, step: HOUR })));
    await rollUp();
    await store.hold({ ...hold, scope: 'person', subject: '9999' });
    expect(await store.purge(START + 1_000 * HOUR)).toEqual({ segments: 1, records: 256, held: 0 });
  }, 20_000);
});
