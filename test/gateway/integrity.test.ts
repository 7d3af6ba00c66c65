/** Stored rows and files that are not what was written: refused whole, named, and on record; with a real database. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryRunner } from 'typeorm';
import { DigestBlocks20261122190200 } from '../../migrations/20261122190200-digest-blocks.js';
import { principalOf } from '../../src/cli/who.js';
import { loadProducts } from '../../src/products.js';
import { ask as askMesh, type Answer } from '../../src/gateway/index.js';
import { contentDigest, type ContentDigest } from '../../src/kernel/index.js';
import { localObjects, verifyStored, type Damage } from '../../src/store/index.js';
import { storedTypes } from '../../src/store/stored-types.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';

let mesh: TestMesh;
let digests: ContentDigest[];
let patient: string;
/** A chunk of the person, as its row lies in the table. */
let chunk: { metric: string; device: string; day: string; bytes: number };
let block: { bucket: number; variant_id: string; callset_id: string; chrom: string; pos: number; bytes: number };

const owner = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await mesh.pools.owner.query<T>({ text, values, types: storedTypes })).rows;

beforeAll(async () => {
  mesh = await openTestMesh();
  digests = (await loadProducts()).flatMap((product) => (product.pipeline?.assets ?? []).flatMap((each) => each.digests ?? []));
  // A disk writes no history.
  await owner('alter table wear_chunk disable trigger user; alter table genotype_block disable trigger user');
  const chunks = await owner<typeof chunk & { patient_id: string }>(
    `select c.patient_id, c.metric, c.device, c.day::text as day, length(c.vals) as bytes from wear_chunk c join patient p using (patient_id)
      where p.site_id = 'north' and c.metric = 'heart_rate' order by length(c.vals) desc, 1, 2, 3, 4 limit 1`,
  );
  const [found] = chunks;
  if (!found) throw new Error('the cohort has no chunk');
  ({ patient_id: patient, ...chunk } = found);
  const [packed] = await owner<typeof block>(
    `select b.bucket, b.variant_id, b.callset_id, v.chrom, v.pos, length(b.codes) as bytes from genotype_block b join variant v using (bucket, variant_id)
      order by length(b.codes) desc, 2, 3 limit 1`,
  );
  if (!packed) throw new Error('the cohort has no genotypes');
  block = packed;
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

const CHUNK = 'patient_id = $1 and metric = $2 and device = $3 and day = $4';
const chunkKey = (): unknown[] => [patient, chunk.metric, chunk.device, chunk.day];
const BLOCK = 'bucket = $1 and variant_id = $2 and callset_id = $3';
const blockKey = (): unknown[] => [block.bucket, block.variant_id, block.callset_id];

const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
const QUERIES = {
  series: `query($id: ID!, $from: DateTimeISO!, $to: DateTimeISO!) { patient(id: $id) { id wearableSeries(metric: "heart_rate", from: $from, to: $to, maxPoints: 10) { t value } } }`,
  windows: `query($id: ID!, $from: DateTimeISO!, $to: DateTimeISO!) { patient(id: $id) { id wearableWindows(metric: "heart_rate", from: $from, to: $to, size: "1h") { n mean } } }`,
  days: `query($id: ID!, $day: LocalDate!, $next: LocalDate!) { patient(id: $id) { id wearableDays(metric: "heart_rate", from: $day, to: $next, first: 5) { edges { node { day minimum maximum mean sum count } } } } }`,
  genotypes: `query($id: ID!, $variants: [ID!]!) { patient(id: $id) { id genotypes(variantIds: $variants, includeReference: true) { variantId genotype } } }`,
  frequency: `query($variant: ID!) { variant(id: $variant) { id frequency { ac an af } } }`,
  carriers: `query($variant: ID!) { variant(id: $variant) { id carriers(first: 5) { genotype } } }`,
} as const;
type Name = keyof typeof QUERIES;

const asked = (name: Name, choice: 'auto' | 'reference' = 'auto'): Promise<Answer> =>
  askMesh(
    mesh.mesh,
    principalOf('clinician'),
    {
      query: QUERIES[name],
      variables: Object.fromEntries(
        Object.entries({
          id: patient,
          from: `${chunk.day}T00:00:00Z`,
          to: `${dayAfter(chunk.day)}T00:00:00Z`,
          day: chunk.day,
          next: dayAfter(chunk.day),
          variants: [block.variant_id],
          variant: block.variant_id,
        }).filter(([variable]) => QUERIES[name].includes(`$${variable}:`)),
      ),
    },
    choice,
  );

const chunkPlace = (): string => `wear_chunk heart_rate ${chunk.day}`;
const blockPlace = (): string => `genotype_block ${block.chrom}:${block.pos}`;

/** Undefined where the answer was refused whole with the place of the damage. */
function leak({ data, errors, path }: Answer, place: string): unknown {
  const [first, ...more] = errors;
  const whole = data === null && path === 'refused' && more.length === 0;
  return whole && first?.code === 'DATA_CORRUPT' && first.place === place ? undefined : { data, errors, path };
}

/** Runs `work` while the row is damaged, and mends it. */
async function damaged<T>(table: string, where: string, key: unknown[], set: string, work: () => Promise<T>): Promise<T> {
  const [before] = await owner<Record<string, unknown>>(`select * from ${table} where ${where}`, key);
  const names = [...set.matchAll(/(\w+) = /g)].map((each) => each[1] ?? '');
  await owner(`update ${table} set ${set} where ${where}`, key);
  try {
    return await work();
  } finally {
    const values = names.map((name) => before?.[name]);
    await owner(`update ${table} set ${names.map((name, at) => `${name} = $${key.length + at + 1}`).join(', ')} where ${where}`, [
      ...key,
      ...values,
    ]);
  }
}

const flip = (column: string, byte: number, bit: number): string =>
  `${column} = set_byte(${column}, ${byte}, get_byte(${column}, ${byte}) # ${1 << bit})`;

describe('stored rows', () => {
  test('are served on either path while they are what was written', async () => {
    for (const name of Object.keys(QUERIES) as Name[])
      for (const choice of ['auto', 'reference'] as const) {
        const { errors, data } = await asked(name, choice);
        expect([name, errors, data === null]).toEqual([name, [], false]);
      }
  });

  test('have digests that the products and the database compute alike, past rows included', async () => {
    expect(digests.map((each) => `${each.table}.${each.column}`).sort()).toEqual([
      'genotype_block.content_digest',
      'wear_chunk.content_digest',
      'wear_chunk.header_digest',
    ]);
    const forms: Record<string, string> = {
      'genotype_block.content_digest': 'genotype_block_digest',
      'wear_chunk.content_digest': 'wear_chunk_digest',
      'wear_chunk.header_digest': 'wear_header_digest',
    };
    for (const { table, column, of } of digests) {
      const args = Object.entries(of).map(([name, type]) => (type === 'int' ? `${name}::int` : name));
      const rows = await owner<Record<string, unknown>>(
        `select *, ${forms[`${table}.${column}`]}(${args.join(', ')}) as by_sql from ${table} limit 500`,
      );
      expect(rows.length).toBeGreaterThan(100);
      for (const row of rows) {
        expect(row[column]).toEqual(row['by_sql']);
        expect(contentDigest(of, row)).toEqual(row['by_sql']);
      }
    }
  });

  test('with one flipped bit anywhere are refused whole by every reader: 100 % found, nothing served', async () => {
    const found: unknown[] = [];
    for (let at = 0; at < 320; at += 1) {
      const name = at % 2 === 0 ? 'series' : 'windows';
      const set = flip('vals', (at * 7) % chunk.bytes, at % 8);
      const answer = await damaged('wear_chunk', CHUNK, chunkKey(), set, () => asked(name, at % 5 === 0 ? 'reference' : 'auto'));
      found.push(leak(answer, chunkPlace()));
    }
    const names = ['genotypes', 'frequency', 'carriers'] as const;
    for (let at = 0; at < 320; at += 1) {
      const name = names[at % 3] ?? 'genotypes';
      const set = flip('codes', at % block.bytes, (at + Math.floor(at / block.bytes)) % 8);
      const answer = await damaged('genotype_block', BLOCK, blockKey(), set, () => asked(name, at % 5 === 0 ? 'reference' : 'auto'));
      found.push(leak(answer, blockPlace()));
    }
    for (const column of ['content_digest', 'header_digest'])
      for (let byte = 0; byte < 32; byte += 1)
        found.push(leak(await damaged('wear_chunk', CHUNK, chunkKey(), flip(column, byte, byte % 8), () => asked('series')), chunkPlace()));
    expect(found.length).toBeGreaterThan(700);
    expect(found.filter((each) => each !== undefined)).toEqual([]);
  }, 120_000);

  test('of a day that SQL serves by itself prove their numbers: each change is refused, in lists, on either path', async () => {
    const found: unknown[] = [];
    const columns = ['mn', 'mx', 'sm', 'sq'];
    for (let at = 0; at < 300; at += 1) {
      const column = columns[at % 4] ?? 'mn';
      const set = `${column} = ${column} + ${column} * power(2, -${1 + (at % 50)})`;
      const answer = await damaged('wear_chunk', CHUNK, chunkKey(), set, () => asked('days', at % 5 === 0 ? 'reference' : 'auto'));
      found.push(leak(answer, chunkPlace()));
    }
    const others = [
      'n = n + 1',
      'version = version # 1',
      `unit = '/s'`,
      'offset_minutes = coalesce(offset_minutes, 0) + 1',
      'step_ms = step_ms # 1',
    ];
    for (const set of others) found.push(leak(await damaged('wear_chunk', CHUNK, chunkKey(), set, () => asked('days')), chunkPlace()));
    expect(found.filter((each) => each !== undefined)).toEqual([]);
  }, 60_000);

  test('that changed places or were cut are refused', async () => {
    const [other] = await owner<{ codes: Buffer; content_digest: Buffer }>(
      'select codes, content_digest from genotype_block where variant_id <> $1 and codes <> (select codes from genotype_block where variant_id = $1 limit 1) limit 1',
      [block.variant_id],
    );
    const hex = (bytes: Buffer | undefined): string => `'\\x${bytes?.toString('hex') ?? ''}'::bytea`;
    for (const set of [
      `codes = ${hex(other?.codes)}, content_digest = ${hex(other?.content_digest)}`,
      `codes = substr(codes, 2)`,
      `codes = codes || '\\x00'::bytea`,
    ])
      expect(leak(await damaged('genotype_block', BLOCK, blockKey(), set, () => asked('genotypes')), blockPlace())).toBeUndefined();
    const [day] = await owner<{ vals: Buffer; content_digest: Buffer }>(
      `select vals, content_digest from wear_chunk where metric = 'heart_rate' and patient_id <> $1 limit 1`,
      [patient],
    );
    for (const set of [
      `vals = ${hex(day?.vals)}, content_digest = ${hex(day?.content_digest)}`,
      'vals = substr(vals, 1, length(vals) - 1)',
    ])
      expect(leak(await damaged('wear_chunk', CHUNK, chunkKey(), set, () => asked('series')), chunkPlace())).toBeUndefined();
  });

  test('do not stop those who may not see them, and leave a record of the refusal without persons', async () => {
    const set = flip('header_digest', 0, 0);
    const refused = await damaged('wear_chunk', CHUNK, chunkKey(), set, async () => {
      const [stranger] = await owner<{ patient_id: string }>(
        `select patient_id from patient where patient_id <> $1 and site_id = 'north' order by mrn limit 1`,
        [patient],
      );
      const answer = await askMesh(mesh.mesh, principalOf('clinician'), {
        query: `query($id: ID!) { patient(id: $id) { id wearableDays(first: 5) { edges { node { sum } } } } }`,
        variables: { id: stranger?.patient_id ?? '' },
      });
      expect(answer.errors).toEqual([]);
      return asked('days');
    });
    const [record] = await owner<{ record: string }>(
      'select a.record from lineage_run r join audit_log a on a.log_id = r.log_id and a.seq = r.log_seq where r.run_id = $1',
      [refused.lineageId],
    );
    expect(JSON.parse(record?.record ?? '{}')).toMatchObject({
      kind: 'refused',
      code: 'DATA_CORRUPT',
      patients: 0,
      bytes: 0,
      result: null,
    });
    expect(mesh.logged).toContain(`${refused.lineageId} ${chunkPlace()}`);
    expect(refused.receipt).not.toBeNull();
  });
});

test('a scan of all that is stored names what is damaged, and nothing where nothing is', async () => {
  const objects = localObjects(join(mesh.home, 'files'));
  const scan = async (): Promise<[Damage[], { objects: number; rows: number; damaged: number }]> => {
    const list: Damage[] = [];
    const report = await verifyStored({ pool: mesh.pools.writer, objects, digests, found: (each) => list.push(each) });
    return [list, report];
  };
  const [clean, whole] = await scan();
  expect([clean, whole.damaged]).toEqual([[], 0]);
  expect([whole.objects > 100, whole.rows > 1_000]).toEqual([true, true]);
  const [file] = await owner<{ digest: string }>('select digest from raw_file where bytes > 0 order by digest limit 1');
  const path = join(mesh.home, 'files', 'objects', file?.digest.slice(0, 2) ?? '', file?.digest ?? '');
  const bytes = readFileSync(path);
  const size = statSync(path).size;
  try {
    writeFileSync(path, Buffer.from(bytes.map((each, at) => (at === size >> 1 ? each ^ 1 : each))));
    const [list] = await damaged('wear_chunk', CHUNK, chunkKey(), 'sm = sm + 1', () =>
      damaged('genotype_block', BLOCK, blockKey(), flip('codes', 0, 0), scan),
    );
    expect(list.map(({ kind, code, place }) => `${kind} ${code} ${place}`).sort()).toEqual(
      [`object FILE_CHANGED ${file?.digest ?? ''}`, `row DATA_CORRUPT ${blockPlace()}`, `row DATA_CORRUPT ${chunkPlace()}`].sort(),
    );
  } finally {
    writeFileSync(path, bytes);
  }
}, 60_000);

test('rows from before there were digests are proven by the migration, past ones too, and make no version', async () => {
  await owner('alter table wear_chunk enable trigger user; alter table genotype_block enable trigger user');
  await owner(`update wear_chunk set unit = unit || '?' where ${CHUNK}`, chunkKey());
  const versions = (): Promise<unknown[]> => owner('select dataset, version from dataset_version order by 1');
  const before = await versions();
  await owner(`drop policy intact on wear_chunk; drop policy intact on history.wear_chunk; drop view asof.wear_chunk; drop view asof.genotype_block;
    drop function refuse_corrupt; drop function wear_chunk_digest; drop function wear_header_digest; drop function genotype_block_digest;
    alter table raw_file drop column chunks_digest;
    ${['', 'history.'].map((schema) => `alter table ${schema}wear_chunk drop column content_digest, drop column header_digest; alter table ${schema}genotype_block drop column content_digest;`).join('\n')}`);
  await new DigestBlocks20261122190200().up({ query: (text: string) => owner(text) } as unknown as QueryRunner);
  const found: Damage[] = [];
  const report = await verifyStored({
    pool: mesh.pools.writer,
    objects: localObjects(join(mesh.home, 'files')),
    digests,
    found: (each) => found.push(each),
  });
  expect([found, await versions()]).toEqual([[], before]);
  const [rows] = await owner<{ n: number }>(
    `select sum(n)::int as n from (select count(*) n from wear_chunk union all select count(*) from history.wear_chunk
       union all select count(*) from genotype_block union all select count(*) from history.genotype_block) t`,
  );
  expect(report.rows).toBe(rows?.n);
  const [past] = await owner<{ n: number }>('select count(*)::int as n from history.wear_chunk');
  expect(past?.n).toBe(1);
  expect((await asked('days')).errors).toEqual([]);
}, 60_000);
