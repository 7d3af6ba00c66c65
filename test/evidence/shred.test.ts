import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { exportLogs } from '../../src/cli/audit.js';
import { eraseVerb } from '../../src/cli/erase.js';
import { principalOf } from '../../src/cli/who.js';
import { OPERATOR, openMesh, type Running } from '../../src/cli/wire.js';
import { openLineageEvents, openQuestion, type EvidenceRun, type Receipt } from '../../src/evidence/index.js';
import { ask, erasePatient, reapplyErasures, type Answer } from '../../src/gateway/index.js';
import { decodeOrdinals } from '../../src/kernel/index.js';
import { ingestPaths } from '../../src/pipeline/index.js';
import { erasureOfRecord, scrub, startEngine, type Engine } from '../../src/store/index.js';
import { verifiedLogs } from '../support/audit.js';
import { CANARIES, CONTROL, PERSONS, scan, writePeople } from './shred-support.js';

jest.setTimeout(120_000);

const NOW = Date.parse('2026-06-01T00:00:00Z');
const NOBODY = '00000000-0000-7000-8000-000000000001';
const ONE = 'query One($id: ID!) { patient(id: $id) { id familyName notes(first: 5) { edges { node { body } } } } }';
const ALL = '{ patients(first: 100) { edges { node { id familyName } } } }';

let folder: string;
let engine: Engine;
let here: Running;
let elsewhere: Running;
let ids: { erased: string; stays: string };
const logged: string[] = [];
const receipts: Receipt[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shred-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  const log = (line: string): void => void logged.push(line);
  engine = await startEngine({ kind: 'embedded', dataDir: join(home, 'database'), log });
  here = await openMesh({ engine, home, clock: () => NOW, log });
  elsewhere = await openMesh({ engine, home, clock: () => NOW, log });
  const inbox = join(folder, 'inbox');
  writePeople(inbox, NOW);
  await ingestPaths([join(inbox, 'crosswalk'), inbox], here.pipeline(OPERATOR));
  rmSync(inbox, { recursive: true });
  // Most common values stand in statistics as they are.
  await here.pools.owner.query('analyze');
  ids = { erased: await idOf(CANARIES.family), stays: await idOf(CONTROL) };
});
afterAll(async () => {
  await here.close();
  await elsewhere.close();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function idOf(family: string): Promise<string> {
  const { rows } = await here.pools.owner.query<{ id: string }>('select patient_id as id from patient where family_name = $1', [family]);
  return rows[0]?.id ?? '';
}

async function asked(who: string, query: string, variables: Readonly<Record<string, unknown>> = {}, at = here): Promise<Answer> {
  const answer = await ask(at.mesh, principalOf(who), { query, variables });
  if (answer.receipt) receipts.push(answer.receipt);
  return answer;
}

/** What was asked in a run, as its keys open it now; null where they do not. */
async function questionOf(runId: string): Promise<unknown> {
  const run = await here.evidence.pastRun(runId);
  if (!run?.sealed) throw new Error('a run has no question');
  const keys = await here.evidence.keys.byOrdinals(run.ordinals ? decodeOrdinals(run.ordinals) : []);
  return keys && openQuestion(run.sealed, here.mesh.sealKey, keys, runId);
}

/** Everything that leaves or lies about: the data folder, the log as an auditor takes it away, events of lineage, lines for the operator. */
async function everything(): Promise<string[]> {
  await here.pools.owner.query('checkpoint');
  const out = mkdtempSync(join(folder, 'out-'));
  await exportLogs(here.evidence, here.mesh.parts.keyring(), join(out, 'log'));
  const events: unknown[] = [];
  for (const { logId } of await here.evidence.heads())
    for (const run of await here.evidence.runs.from<EvidenceRun['record']['kind']>(logId, 0, 10_000))
      events.push(...openLineageEvents(run, { namespace: 'thalamus.test', producer: 'https://thalamus.local/thalamus/0.1.0' }));
  writeFileSync(join(out, 'events.ndjson'), events.map((event) => JSON.stringify(event)).join('\n'));
  writeFileSync(join(out, 'operator.log'), logged.join('\n'));
  return [join(folder, 'home'), out];
}

const cachedIn = ({ evidence }: Running): ReadonlyMap<string, unknown> =>
  (evidence.keys as unknown as { cached: ReadonlyMap<string, unknown> }).cached;
const canaries = Object.values(CANARIES);
const refusal = (patientId: string, by = OPERATOR): Promise<unknown> =>
  erasePatient(here.mesh, { patientId, reason: 'test', by }).then(
    () => 'erased',
    (error: unknown) => (error as Error).message,
  );

describe('erasure of a person, end to end', () => {
  const about: string[] = [];
  let other: string;
  let seenBefore: number;

  it('begins with a person who is everywhere', async () => {
    about.push((await asked('clinician', ONE, { id: ids.erased })).lineageId);
    about.push((await asked('clinician', `{ patient(id: "${ids.erased}") { id mrn phone familyName } }`)).lineageId);
    about.push(
      (
        await asked('clinician', 'query Both($a: ID!) { a: patient(id: $a) { id } b: patients(first: 100) { edges { node { id } } } }', {
          a: ids.erased,
        })
      ).lineageId,
    );
    const none = `{ patients(site: "${CANARIES.city}", first: 3) { edges { node { id } } } }`;
    for (const who of ['clinician', 'analyst', 'steward', 'officer', 'engineer']) await asked(who, none);
    await asked('analyst', 'query Typo($site: String) { patientCount(site: $site) }', { site: `${CANARIES.family} ${CANARIES.mrn}` });
    other = (await asked('clinician', ONE, { id: ids.stays })).lineageId;
    const list = await asked('clinician', ALL, {}, elsewhere);
    seenBefore = edgesOf(list).length;
    expect(seenBefore).toBe(PERSONS);
    expect(JSON.stringify(list.data)).toContain(CANARIES.family);
    for (const run of [...about, other]) expect(await questionOf(run)).not.toBeNull();
    expect(cachedIn(elsewhere).has(ids.erased)).toBe(true);
    const found = await scan(await everything(), canaries);
    for (const place of ['pg_wal', 'base', 'objects']) expect(found.hits.some((hit) => hit.includes(`/${place}/`))).toBe(true);
    for (const text of canaries) expect(found.hits.some((hit) => hit.endsWith(text))).toBe(true);
    expect(found.hits.filter((hit) => hit.includes('/out-') || hit.includes('postgres.log'))).toEqual([]);
  });

  it('refuses whoever is unknown, foreign or held, alike where nothing may be told, and records it', async () => {
    const south = { ...OPERATOR, sites: ['south'] };
    expect(await refusal(NOBODY)).toBe('There is no such patient.');
    expect(await refusal('no identifier')).toBe(await refusal(NOBODY));
    expect(await refusal(ids.erased, south)).toBe(await refusal(NOBODY));
    const hold = { id: NOBODY, scope: 'person' as const, by: 'tester', at: NOW, reason: 'law' };
    const ordinal = await here.evidence.keys.ordinalOf(ids.erased);
    await here.evidence.hold({ ...hold, subject: String(ordinal) });
    await expect(erasePatient(here.mesh, { patientId: ids.erased, reason: 'x', by: OPERATOR })).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
      status: 409,
    });
    await here.evidence.releaseHold(hold);
    await here.pools.writer.query(
      `insert into disclosure_hold (hold_id, event, patient_id, kind, until, by, at, reason) values ($1, 'placed', $2, $3, $4, 'tester', $5, 'law')`,
      [NOBODY, ids.erased, await holdKind(), new Date(NOW + 1000), new Date(NOW)],
    );
    await expect(erasePatient(here.mesh, { patientId: ids.erased, reason: 'x', by: OPERATOR })).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
    });
    await here.pools.writer.query(
      `insert into disclosure_hold (hold_id, event, patient_id, kind, until, by, at, reason) select hold_id, 'ended', patient_id, kind, until, by, at, reason from disclosure_hold`,
    );
    const { rows } = await here.pools.owner.query<{ code: string; n: number }>(
      `select code, count(*)::int as n from lineage_run where kind = 'refused' and facts ->> 'act' = 'erasure' group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { code: 'LEGAL_HOLD', n: 2 },
      { code: 'NOT_FOUND', n: 5 },
    ]);
    expect(await idOf(CANARIES.family)).toBe(ids.erased);
  });

  it('is run again where it was broken off, and its beginning is recorded before anything is gone', async () => {
    const { objects } = here.mesh.parts;
    const broken = { ...here.mesh.parts, objects: { ...objects, remove: () => Promise.reject(new Error('the disk is gone')) } };
    const mesh = Object.create(here.mesh, { parts: { value: broken } }) as Running['mesh'];
    await expect(erasePatient(mesh, { patientId: ids.erased, reason: 'x', by: OPERATOR })).rejects.toThrow('the disk is gone');
    expect(await idOf(CANARIES.family)).toBe(ids.erased);
    expect((await erasures()).map(({ state }) => state)).toEqual(['begun']);
  });

  it('leaves nothing of the person in any file, while the log still verifies', async () => {
    const { rows: vault } = await here.pools.owner.query('select patient_id, ordinal, wrapped from person_key where patient_id = $1', [
      ids.erased,
    ]);
    const told = await verb(['erase', '--patient', ids.erased, '--reason', `asked by ${CANARIES.given} ${CANARIES.family}`, '--json']);
    const erased = JSON.parse(told.out) as {
      ordinal: number;
      receipt: Receipt;
      rows: Record<string, number>;
      files: { removed: string[]; shared: string[] };
      scrub: { wal: { left: number } };
    };
    receipts.push(erased.receipt);
    expect(told.exit).toBe(0);
    expect(erased.files.shared).toEqual([]);
    expect(erased.files.removed.length).toBeGreaterThan(7);
    for (const table of ['patient', 'person_key', 'note', 'identity_key', 'genotype_block', 'wear_chunk', 'imaging_instance'])
      expect(erased.rows[table]).toBeGreaterThan(0);
    expect(erased.scrub.wal.left).toBe(0);

    const found = await scan(await everything(), canaries);
    const control = await scan([join(folder, 'home')], [CONTROL]);
    process.stdout.write(
      `A6: ${found.files} files, ${found.bytes} bytes, ${canaries.length} canaries in 9 encodings, ${found.hits.length} hits; control ${control.hits.length} hits\n`,
    );
    expect(found.hits).toEqual([]);
    expect(control.hits.length).toBeGreaterThan(3);

    const verdict = await verifiedLogs(here, receipts);
    expect(verdict.findings).toEqual([]);
    expect(verdict.ok).toBe(true);
    expect((await erasures()).map(({ state }) => state)).toEqual(['begun', 'begun', 'done']);

    // A vault that comes back from a backup is emptied again.
    await here.pools.owner.query('insert into person_key (patient_id, ordinal, wrapped) values ($1, $2, $3)', [
      vault[0]?.patient_id,
      vault[0]?.ordinal,
      vault[0]?.wrapped,
    ]);
    expect(await questionOf(about[0] ?? '')).not.toBeNull();
    expect((await reapplyErasures(here.mesh, OPERATOR)).map(({ ordinal }) => ordinal)).toEqual([erased.ordinal]);
    expect(await reapplyErasures(here.mesh, OPERATOR)).toEqual([]);
  });

  it('shreds what was asked about the person and nothing else', async () => {
    for (const run of about) expect(await questionOf(run)).toBeNull();
    expect(await questionOf(other)).not.toBeNull();
  });

  it('reaches the memory of other processes with their next question, and all answers', async () => {
    const list = await asked('clinician', ALL, {}, elsewhere);
    expect(cachedIn(elsewhere).has(ids.erased)).toBe(false);
    expect(edgesOf(list).length).toBe(seenBefore - 1);
    expect(JSON.stringify(list.data)).not.toContain(CANARIES.family);
    for (const at of [here, elsewhere]) {
      const gone = await asked('clinician', ONE, { id: ids.erased }, at);
      const unknown = await asked('clinician', ONE, { id: NOBODY }, at);
      expect({ data: gone.data, errors: gone.errors }).toEqual({ data: unknown.data, errors: unknown.errors });
    }
    expect(await refusal(ids.erased)).toBe(await refusal(NOBODY));
  });

  it('is closed by the next start where only its end was not recorded', async () => {
    const { audit } = here.mesh;
    let calls = 0;
    const failing = {
      append: (entry: Parameters<typeof audit.append>[0]) =>
        (calls += 1) === 2 ? Promise.reject(new Error('cut off')) : audit.append(entry),
    };
    const mesh = Object.create(here.mesh, { audit: { value: failing } }) as Running['mesh'];
    await expect(erasePatient(mesh, { patientId: ids.stays, reason: 'x', by: OPERATOR })).rejects.toThrow('cut off');
    expect((await erasures()).at(-1)?.state).toBe('begun');
    await reapplyErasures(here.mesh, OPERATOR);
    expect((await erasures()).at(-1)?.state).toBe('done');
    expect((await verifiedLogs(here, receipts)).ok).toBe(true);
  });

  it('leaves texts in the files of the database until they are scrubbed', async () => {
    const home = join(folder, 'home');
    expect((await scan([home], [CONTROL])).hits).not.toEqual([]);
    expect(await verb(['erase', '--scrub', '--json'])).toMatchObject({ exit: 0 });
    expect((await scan([home], [CONTROL])).hits).toEqual([]);
    await expect(verb(['erase', '--scrub', '--patient', NOBODY])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(verb(['erase', '--patient', NOBODY])).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('takes the statistics of a table that has become empty, and does not scrub while an older transaction may read', async () => {
    const { owner } = here.pools;
    await owner.query(`create table scrap (name text); insert into scrap select '${CONTROL}' from generate_series(1, 9); analyze scrap`);
    const reader = await here.pools.writer.connect();
    await reader.query('begin isolation level repeatable read');
    await reader.query('select pg_current_xact_id()');
    await owner.query('delete from scrap');
    await expect(scrub(owner, { tables: ['scrap'], patienceMs: 200 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await reader.query('rollback');
    reader.release();
    expect(await scrub(owner, { tables: ['scrap'] })).toMatchObject({ tables: 1, statistics: true, wal: { left: 0 } });
    expect((await owner.query(`select 1 from pg_statistic where starelid = 'scrap'::regclass`)).rowCount).toBe(0);
    expect((await scan([join(folder, 'home')], [CONTROL])).hits).toEqual([]);
  });
});

const edgesOf = (answer: Answer): readonly unknown[] => (answer.data as { patients: { edges: unknown[] } }).patients.edges;

async function erasures(): Promise<ReturnType<typeof erasureOfRecord>[number][]> {
  const found: ReturnType<typeof erasureOfRecord>[number][] = [];
  for (const { logId } of await here.evidence.heads())
    for await (const { record } of here.evidence.leaves(logId)) found.push(...erasureOfRecord(record));
  return found;
}

async function holdKind(): Promise<string> {
  const { rows } = await here.pools.owner.query<{ text: string }>(
    `select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = 'disclosure_hold'::regclass and pg_get_constraintdef(oid) like '%kind%'`,
  );
  return /'([A-Z_a-z]+)'/.exec(rows[0]?.text ?? '')?.[1] ?? 'law-enforcement';
}

/** The verb as its user calls it, on the mesh of this test. */
async function verb(args: readonly string[]): Promise<{ exit: number; out: string }> {
  const program = new Command('thalamus').exitOverride();
  let exit = -1;
  let out = '';
  eraseVerb(
    (name, description) => program.command(name).description(description).option('--json', 'one JSON object'),
    async (work) => {
      exit = await work(here);
    },
  );
  const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    written.mockRestore();
  }
  return { exit, out: out.trim().split('\n').at(-1) ?? '' };
}
