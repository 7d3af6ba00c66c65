import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateCohort } from '../../src/demo/index.js';
import { unpackGenotypes } from '../../src/domains/genomics/formats/genotype-codec.js';
import { BLOCK_DIGEST } from '../../src/domains/genomics/tables.js';
import { isIntact, type Erase } from '../../src/kernel/index.js';
import { ingestFile, ingestPaths, planPipelines, type PipelineDeps } from '../../src/pipeline/index.js';
import { loadProducts } from '../../src/products.js';
import { erasePerson, type Erasure } from '../../src/store/erasure.js';
import { localObjects, type ObjectStore } from '../../src/store/objects.js';
import { writeStore } from '../../src/store/pipeline-store.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { withReadSession } from '../../src/store/session.js';
import { storedTypes } from '../../src/store/stored-types.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(120_000);

const NOW = Date.parse('2026-06-01T00:00:00Z');
type Row = Record<string, unknown>;

let database: TestDatabase;
let pools: Pools;
let folder: string;
let objects: ObjectStore;
let deps: PipelineDeps;
let erase: Erase[];
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  folder = mkdtempSync(join(tmpdir(), 'thalamus-erasure-'));
  objects = localObjects(join(folder, 'files'));
  const products = await loadProducts();
  erase = products.flatMap((product) => product.pipeline?.erase ?? []);
  deps = {
    plan: planPipelines(products),
    store: writeStore(pools.writer, objects),
    evidence: { ingested: () => Promise.resolve('lineage') },
    now: () => NOW,
    actor: 'tester',
  };
  const cohort = join(folder, 'cohort');
  await generateCohort({ patients: 24, seed: 3, outDir: cohort, now: NOW });
  await ingestPaths([cohort], deps);
});
afterAll(async () => {
  await pools.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const rowsOf = async <T extends object = Row>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await pools.owner.query<T & Row>({ text, values, types: storedTypes })).rows;
const tablesOf = async (column: string): Promise<string[]> =>
  (
    await rowsOf<{ name: string }>(
      `select n.nspname || '."' || c.relname || '"' as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'history')
        join pg_attribute a on a.attrelid = c.oid and a.attname = $1 where c.relkind = 'r' order by 1`,
      [column],
    )
  ).map((row) => row.name);

/** A person with everything, of whom each table holds past rows too. */
async function someone(not: string[] = []): Promise<string> {
  const [found] = await rowsOf<{ id: string }>(
    `select p.patient_id as id from patient p where p.patient_id <> all($1::uuid[]) and exists (select from sample_index s where s.patient_id = p.patient_id)
        and exists (select from imaging_study s where s.patient_id = p.patient_id) and exists (select from note s where s.patient_id = p.patient_id)
      order by exists (select from wear_chunk s where s.patient_id = p.patient_id) desc, p.ordinal limit 1`,
    [not],
  );
  const id = found?.id ?? '';
  for (const [table, set] of [
    ['patient', `language = 'xx'`],
    ['note', `title = 'later'`],
    ['observation', 'value = 0'],
    ['sample_index', 'sensitivity = 1'],
  ] as const)
    await pools.owner.query(`update ${table} set ${set} where patient_id = $1`, [id]);
  return id;
}

/** Texts that only this person has: identifiers, address, the text of notes. */
async function canariesOf(id: string): Promise<string[]> {
  const found = await rowsOf<{ v: string }>(
    `select value as v from identity_key where patient_id = $1 union select address_line from patient where patient_id = $1
     union select email from patient where patient_id = $1 union select social_security_number from patient where patient_id = $1
     union select body from note where patient_id = $1 union select sample_id from sample_index where patient_id = $1`,
    [id],
  );
  const texts = found.map((row) => row.v).filter((text) => typeof text === 'string' && text.length >= 6);
  expect(texts.length).toBeGreaterThan(5);
  return texts;
}

/** Tables in which any of the texts stands, in clear or as bytes. */
async function holding(texts: readonly string[]): Promise<string[]> {
  const tables = await rowsOf<{ name: string }>(
    `select n.nspname || '."' || c.relname || '"' as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'history')
      where c.relkind = 'r' order by 1`,
  );
  const needles = texts.flatMap((text) => [
    JSON.stringify(text).slice(1, -1).slice(0, 60),
    text.slice(0, 60),
    Buffer.from(text).toString('hex').slice(0, 120),
  ]);
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await rowsOf<{ n: number }>(
      `select count(*)::int as n from ${name} t where exists (select from unnest($1::text[]) q where position(q in to_jsonb(t)::text) > 0 or position(q in t::text) > 0)`,
      [[...new Set(needles)]],
    );
    if ((row?.n ?? 0) > 0) found.push(name);
  }
  return found;
}

/** Everything that is stored of others: a digest of the rows by table. */
async function others(id: string): Promise<Row> {
  const digests: Row = {};
  for (const table of await tablesOf('patient_id')) {
    const [row] = await rowsOf<{ d: string }>(
      `select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) as d from ${table} t where t.patient_id is distinct from $1`,
      [id],
    );
    digests[table] = row?.d;
  }
  return digests;
}

/** Calls of each block of a call set by sample; blocks prove themselves on the way. */
async function callsOf(callset: string): Promise<Map<string, number[]>> {
  const blocks = await rowsOf<{ variant_id: string; enc: number; codes: Buffer; samples: number; ac: number; missing: number } & Row>(
    'select * from genotype_block where callset_id = $1 order by variant_id',
    [callset],
  );
  for (const block of blocks) expect(isIntact(BLOCK_DIGEST, block)).toBe(true);
  return new Map(blocks.map((block) => [block.variant_id, [...unpackGenotypes(block.enc, block.codes, block.samples)]]));
}

const vcf = (sample: string): string =>
  [
    '##fileformat=VCFv4.2',
    '##reference=GRCh38',
    '##contig=<ID=21,length=46709983,assembly=GRCh38>',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${sample}`,
    '21\t33000777\t.\tA\tACCGTTA\t50\tPASS\t.\tGT\t0/1',
    '',
  ].join('\n');
const fileOf = (name: string, content: string | Buffer): Parameters<typeof ingestFile>[0] => ({
  name,
  async *open() {
    yield await Promise.resolve(Buffer.from(content));
  },
});

describe('the erasure of a person', () => {
  it('leaves nothing of the person in any table, past version or file of the person alone, and all of everybody else', async () => {
    const id = await someone();
    const [sample] = await rowsOf<{ callset_id: string; ordinal: number; sample_id: string }>(
      'select callset_id, ordinal, sample_id from sample_index where patient_id = $1',
      [id],
    );
    if (!sample) throw new Error('the person has no sample');
    const own = await ingestFile(fileOf('private/alone.vcf', vcf(sample.sample_id)), deps);
    expect(own.status).toBe('ingested');
    await pools.owner.query('create table newcomer (patient_id uuid, word text); grant select, delete on newcomer to thalamus_writer');
    await pools.owner.query('insert into newcomer values ($1, $2)', [id, 'told yesterday']);
    await pools.owner.query(`update genotype_block set qual = 1 where callset_id = $1`, [sample.callset_id]);
    const texts = await canariesOf(id);
    const versions = Object.fromEntries(
      (await rowsOf<{ dataset: string; version: number }>('select dataset, version from dataset_version')).map((row) => [
        row.dataset,
        row.version,
      ]),
    );
    const before = {
      others: await others(id),
      calls: await callsOf(sample.callset_id),
      private: await rowsOf(`select 1 from variant where alt = 'ACCGTTA'`),
    };
    expect(before.private).toHaveLength(1);
    expect((await holding(texts)).length).toBeGreaterThan(6);

    const done = await erasePerson(deps.store as Parameters<typeof erasePerson>[0], id, { now: NOW, erase });

    expect(await holding(texts)).toEqual([]);
    const left: string[] = [];
    for (const table of await tablesOf('patient_id')) {
      if ((await rowsOf(`select 1 from ${table} where patient_id = $1 limit 1`, [id])).length > 0)
        left.push(table.replaceAll(/public\.|"/g, ''));
    }
    expect(left.filter((table) => !done.kept.includes(table))).toEqual([]);
    expect(await rowsOf('select 1 from identity_event where patient_id = $1 and value_digest is not null', [id])).toEqual([]);
    expect(await others(id)).toEqual(before.others);
    expectCounts(done);

    const calls = await callsOf(sample.callset_id);
    expect([...calls.keys()]).toEqual([...before.calls.keys()]);
    for (const [variant, codes] of before.calls)
      expect(calls.get(variant)).toEqual(codes.map((code, at) => (at === sample.ordinal ? 3 : code)));
    expect(
      await rowsOf(`select 1 from variant where alt = 'ACCGTTA' union all select 1 from history.variant where alt = 'ACCGTTA'`),
    ).toEqual([]);

    expect(done.files.removed).toContain(own.digest);
    for (const digest of done.files.removed) expect(existsSync(join(folder, 'files/objects', digest.slice(0, 2), digest))).toBe(false);
    for (const digest of done.files.shared) expect(await objects.has(digest)).toBe(true);
    await expectOnlySharedFilesTell(texts, done);
    for (const table of ['patient', 'note', 'observation', 'sample_index']) expect(await pastOf(table, versions[table] ?? 0, id)).toBe(0);
    expect(done.versions['note']).toBe((versions['note'] ?? 0) + 1);

    // Once more finds nothing; and the same bytes may come again as a new file.
    const again = await erasePerson(deps.store as Parameters<typeof erasePerson>[0], id, { now: NOW, erase });
    expect([again.rows, again.files]).toEqual([{}, { removed: [], shared: [] }]);
    expect((await ingestFile(fileOf('private/alone.vcf', vcf(sample.sample_id)), deps)).status).not.toBe('duplicate');
  });

  it('is done whole or not at all: what is cut off is found again', async () => {
    const id = await someone();
    const everything = async (): Promise<unknown> => [
      await others(id),
      await rowsOf('select count(*) from history.note'),
      await rowsOf('select digest from raw_file order by 1'),
    ];
    const before = await everything();
    let broken = 0;
    const failing: ObjectStore = {
      ...objects,
      remove: (digest) => ((broken += 1) === 2 ? Promise.reject(new Error('the disk is gone')) : objects.remove(digest)),
    };
    await expect(erasePerson(writeStore(pools.writer, failing), id, { now: NOW, erase })).rejects.toThrow('the disk is gone');
    expect(await everything()).toEqual(before);
    expect(await rowsOf('select 1 from patient where patient_id = $1', [id])).toHaveLength(1);
    const done = await erasePerson(writeStore(pools.writer, objects), id, { now: NOW, erase });
    expect(done.files.removed.length).toBeGreaterThan(0);
    expect(await rowsOf('select 1 from patient where patient_id = $1', [id])).toEqual([]);
  });

  it('finds the archive in which a file of the person came, and files whose rows were there before', async () => {
    const id = await someone();
    const [note] = await rowsOf<{ source_digest: string }>(
      'select source_digest from note where patient_id = $1 order by note_id limit 1',
      [id],
    );
    const bytes = readFileSync(join(folder, 'files/objects', note?.source_digest.slice(0, 2) ?? '', note?.source_digest ?? ''));
    const archive = await ingestFile(fileOf('inbox/some.tar', tarOf('again.xml', bytes)), deps);
    expect(archive.format).toBe('tar');
    const done = await erasePerson(writeStore(pools.writer, objects), id, { now: NOW, erase });
    expect([...done.files.removed, ...done.files.shared]).toContain(archive.digest);
    expect([...done.files.removed, ...done.files.shared]).toContain(note?.source_digest);
  });

  it('of nobody is refused, and of one who is unknown does nothing', async () => {
    await expect(erasePerson(writeStore(pools.writer, objects), 'x', { now: NOW, erase })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const done = await erasePerson(writeStore(pools.writer, objects), '00000000-0000-7000-8000-000000000001', { now: NOW, erase });
    expect([done.rows, done.versions]).toEqual([{}, {}]);
  });
});

function expectCounts({ rows, kept, files }: Erasure): void {
  for (const table of [
    'patient',
    'identity_key',
    'consent',
    'observation',
    'sample_index',
    'note',
    'newcomer',
    'source_person',
    'imaging_instance',
  ])
    expect([table, rows[table]]).toEqual([table, expect.any(Number)]);
  for (const table of [
    'history.patient',
    'history.note',
    'history.observation',
    'history.sample_index',
    'genotype_block',
    'history.genotype_block',
    'callset',
  ])
    expect([table, rows[table]]).toEqual([table, expect.any(Number)]);
  expect(kept).toEqual(expect.arrayContaining(['break_glass', 'identity_event']));
  expect(files.shared.length).toBeGreaterThan(0);
}

async function pastOf(table: string, version: number, id: string): Promise<number | null> {
  const wall = { sites: '*' as const, clearance: 2, asOf: { [table]: version } };
  const text = `select 1 from ${table} where patient_id = $1`;
  return (await withReadSession(pools.reader, wall, (session) => session.query({ text, values: [id] }))).rowCount;
}

/** Files as they lie on the disk: those that still hold a text of the person are named as shared. */
async function expectOnlySharedFilesTell(texts: readonly string[], done: Erasure): Promise<void> {
  const needles = texts.map((text) => Buffer.from(text.slice(0, 60)));
  const stored = await rowsOf<{ digest: string }>('select digest from raw_file');
  const telling: string[] = [];
  for (const { digest } of stored) {
    const bytes = readFileSync(join(folder, 'files/objects', digest.slice(0, 2), digest));
    if (needles.some((needle) => bytes.includes(needle))) telling.push(digest);
  }
  expect(telling.filter((digest) => !done.files.shared.includes(digest))).toEqual([]);
}

/** One member in ustar (POSIX.1-1988). */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512), Buffer.alloc(1024)]);
}
