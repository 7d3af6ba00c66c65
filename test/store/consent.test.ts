import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { pipeline } from '../../src/domains/patients/pipeline.js';
import { compileConsent } from '../../src/domains/patients/formats/consent-effect.js';
import { permits, type ConsentRequest } from '../../src/domains/patients/formats/consent-permits.js';
import { readConsent, type ConsentRecord } from '../../src/domains/patients/formats/fhir-consent.js';
import { ALL_LABELS, MODALITIES, labelBits, type EntityDeclaration, type PlanValues } from '../../src/kernel/index.js';
import { migrate } from '../../src/store/migrate.js';
import { SqlBuilder } from '../../src/store/sql-builder.js';
import { predicateSql } from '../../src/store/sql-rules.js';
import { writeRows } from '../../src/store/writer.js';
import { openPools, type Pools } from '../../src/store/pool.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let pools: Pools;
beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
});
afterAll(async () => {
  await pools.end();
  await database.drop();
});

const OBSERVATION: EntityDeclaration = {
  kind: 'entity',
  table: 'observation',
  key: ['patient_id', 'observation_id'],
  tags: ['clinical'],
  modality: 'CLINICAL',
  patient: 'patient_id',
  occurred: 'effective_at',
  description: 'Rows of the test.',
};
const LEVELS = ['N', 'R', 'V'] as const;
const PERSON = '00000000-0000-7000-8000-000000000001';

type RowFacts = Pick<ConsentRequest, 'sensitivity' | 'labels' | 'occurred' | 'refs'>;
type Caller = Pick<ConsentRequest, 'purpose' | 'identities' | 'at'>;

const effect = pipeline.derived?.find((one) => one.table === 'consent_effect');
if (effect === undefined) throw new Error('The product derives what consents permit.');
const { columns, key, rows: derivedRows } = effect;

/** The row of table `consent` that a consent is stored as. */
const stored = (consent: ConsentRecord): Record<string, unknown> => ({
  consent_id: consent.resourceId,
  status: consent.status,
  scope: consent.scope,
  stated_at: consent.dateTime,
  provisions: JSON.stringify(consent.provisions),
  understood: consent.notUnderstood.length === 0,
});

async function write(consents: readonly ConsentRecord[], rows: readonly RowFacts[]): Promise<void> {
  const client = await pools.writer.connect();
  try {
    await client.query('delete from consent_effect');
    await client.query('delete from observation');
    await writeRows(client, { table: 'consent_effect', columns, key, onConflict: 'update' }, derivedRows(PERSON, consents.map(stored)));
    await client.query(
      `insert into observation (patient_id, site_id, sensitivity, label_bits, refs, source_digest, source_ordinal, observation_id, id, effective_at)
       select $1, 'north', sensitivity, labels, refs, '', 0, n::text, $1, occurred from jsonb_to_recordset($2)
         as r(n int, sensitivity int, labels int, refs text[], occurred timestamptz)`,
      [
        PERSON,
        JSON.stringify(
          rows.map((row, n) => ({
            n,
            sensitivity: LEVELS.indexOf(row.sensitivity),
            labels: row.labels,
            refs: row.refs,
            occurred: row.occurred === null ? null : new Date(row.occurred).toISOString(),
          })),
        ),
      ],
    );
  } finally {
    client.release();
  }
}

async function visible(entity: EntityDeclaration, caller: Caller): Promise<number[]> {
  const builder = new SqlBuilder();
  const where = predicateSql(builder, entity, 't', { op: 'consent' });
  const values = { ...caller, now: new Date(caller.at).toISOString() } as unknown as PlanValues;
  const { rows } = await pools.writer.query<{ n: number }>(
    `select observation_id::int as n from observation t where ${where} order by 1`,
    builder.binds.map((bind) => bind(values)),
  );
  return rows.map((row) => row.n);
}

const consent = (provision: object, more: object = {}): ConsentRecord =>
  readConsent({ status: 'active', scope: { coding: [{ code: 'patient-privacy' }] }, dateTime: '2022-06-13', provision, ...more }, 'c');
const coded = (...codes: string[]): object[] => codes.map((code) => ({ code }));

describe('the SQL of consent', () => {
  const names = ['Practitioner/x', 'Practitioner/y'];
  const rule = fc.letrec((tie) => ({
    rule: fc.record(
      {
        type: fc.constantFrom('permit', 'permit', 'deny'),
        purpose: fc.subarray(['TREAT', 'HRESCH', 'BTG'], { minLength: 1 }).map((codes) => coded(...codes)),
        securityLabel: fc.subarray(['N', 'R', 'V', 'PSY', 'ETH'], { minLength: 1 }).map((codes) => coded(...codes)),
        class: fc
          .subarray(['CLINICAL', 'NOTES'], { minLength: 1 })
          .map((codes) => codes.map((code) => ({ system: 'urn:thalamus:category', code }))),
        dataPeriod: fc.constantFrom({ start: '2022-01-01', end: '2022-12-31' }, { end: '2021' }),
        data: fc
          .tuple(fc.constantFrom('authoredby', 'instance'), fc.constantFrom(...names))
          .map(([meaning, reference]) => [{ meaning, reference: { reference } }]),
        actor: fc.constantFrom(...names).map((reference) => [{ reference: { reference } }]),
        period: fc.constant({ end: '2024-12-31' }),
        provision: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['type'] },
    ),
  })).rule as fc.Arbitrary<object>;
  const row: fc.Arbitrary<RowFacts> = fc.record({
    sensitivity: fc.constantFrom(...LEVELS),
    labels: fc.constantFrom(0, 0, 1, 4, 16, 17, ALL_LABELS),
    occurred: fc.constantFrom(null, Date.UTC(2021, 5), Date.UTC(2022, 0, 1), Date.UTC(2022, 11, 31, 23), Date.UTC(2023, 0, 1)),
    refs: fc.subarray(['author=Practitioner/x', 'author=Practitioner/y', 'author=?', 'self=Practitioner/x']),
  });
  const caller: fc.Arbitrary<Caller> = fc.record({
    purpose: fc.constantFrom('TREAT', 'HRESCH', 'BTG'),
    identities: fc.subarray(['sub', ...names]),
    at: fc.constantFrom(Date.UTC(2024), Date.UTC(2026)),
  });
  // half of the lists start from an open permit, so that what later rules carve out of it is compared too
  const roots = fc
    .tuple(fc.boolean(), fc.array(rule, { maxLength: 2 }))
    .map(([open, rules]) => (open ? [{ type: 'permit' }, ...rules] : rules));

  it('shows the same rows as the rule does, for any consents, rows and callers', async () => {
    let compared = 0;
    let shown = 0;
    const rowsOf = fc.array(row, { minLength: 20, maxLength: 20 });
    const callers = fc.array(caller, { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(roots, rowsOf, callers, async (list, rows, asking) => {
        const consents = list.map((root, at) => consent(root, { dateTime: `202${at}` }));
        await write(consents, rows);
        const effects = compileConsent(consents);
        for (const one of asking) {
          const expected = rows.flatMap((facts, n) => (permits(effects, { ...facts, ...one, category: MODALITIES.CLINICAL }) ? [n] : []));
          expect(await visible(OBSERVATION, one)).toEqual(expected);
          const asPerson = rows.flatMap((facts, n) =>
            permits(effects, { ...facts, ...one, category: MODALITIES.CLINICAL, ofPerson: true }) ? [n] : [],
          );
          expect(await visible({ ...OBSERVATION, key: ['patient_id'] }, one)).toEqual(asPerson);
          compared += rows.length;
          shown += expected.length;
        }
      }),
      { numRuns: 80 },
    );
    // the expected share is about a fifth: a twentieth of it would say that the comparison has become empty
    expect(compared).toBeGreaterThanOrEqual(2_000);
    expect(shown).toBeGreaterThan(compared / 100);
  });

  const PLAIN: RowFacts = { sensitivity: 'N', labels: 0, occurred: null, refs: [] };
  const treating: Caller = { purpose: 'TREAT', identities: ['sub'], at: Date.UTC(2024) };

  it('takes rows of a table without a clinical time for undated ones', async () => {
    await write([consent({ type: 'permit', dataPeriod: { start: '2022' } })], [{ ...PLAIN, occurred: Date.UTC(2023) }]);
    expect(await visible(OBSERVATION, treating)).toEqual([0]);
    const untimed = Object.fromEntries(Object.entries(OBSERVATION).filter(([name]) => name !== 'occurred')) as unknown as EntityDeclaration;
    expect(await visible(untimed, treating)).toEqual([]);
  });

  it('lets a withdrawal act on the next request', async () => {
    await write([consent({ type: 'permit', purpose: coded('TREAT') })], [PLAIN, { ...PLAIN, sensitivity: 'R', labels: 1 }]);
    expect(await visible(OBSERVATION, treating)).toEqual([0, 1]);
    await write([consent({ type: 'permit', purpose: coded('TREAT') }), consent({ type: 'deny' }, { dateTime: '2023' })], [PLAIN]);
    expect(await visible(OBSERVATION, treating)).toEqual([]);
  });

  it('shows no row with a sensitivity label without a consent, not even one of normal level', async () => {
    await write([], [PLAIN, { ...PLAIN, sensitivity: 'R', labels: 1 }, { ...PLAIN, labels: 1 }, { ...PLAIN, sensitivity: 'R' }]);
    expect(await visible(OBSERVATION, treating)).toEqual([0]);
  });

  it('is served by the key where nothing is bound', async () => {
    await write([], [PLAIN]);
    const builder = new SqlBuilder();
    const where = predicateSql(builder, OBSERVATION, 't', { op: 'consent' });
    const values = { ...treating, now: new Date(treating.at).toISOString() } as unknown as PlanValues;
    await pools.owner.query(
      `insert into consent_effect (patient_id, purpose, atom, sensitivity_max, categories, valid_from, valid_to)
       select gen_random_uuid(), 'TREAT', 'a', 0, 31, '-infinity', 'infinity' from generate_series(1, 2000)`,
    );
    await pools.owner.query('analyze consent_effect');
    const { rows } = await pools.writer.query<{ 'QUERY PLAN': string }>(
      `explain select 1 from observation t where t.patient_id = '${PERSON}' and ${where}`,
      builder.binds.map((bind) => bind(values)),
    );
    expect(rows.map((one) => one['QUERY PLAN']).join('\n')).toContain('consent_effect_pkey');
  });
});

describe('the migration', () => {
  it('holds the columns on every table with row level security about a person', async () => {
    const { rows } = await pools.owner.query<{ table: string }>(
      `select c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
        where c.relkind = 'r' and c.relrowsecurity
          and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'sensitivity')
          and 2 <> (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('label_bits', 'refs') and a.attnotnull)`,
    );
    expect(rows).toEqual([]);
  });

  it('keeps what was permitted before: restricted data whatever the label, normal data without one; notes get the bits of their labels', async () => {
    const older = await createDatabase('template0');
    const at = MIGRATIONS.findIndex(({ name }) => name.startsWith('ExtendConsent'));
    const source = new DataSource({
      type: 'postgres',
      installExtensions: false,
      migrations: MIGRATIONS.slice(0, at),
      migrationsTableName: 'schema_migration',
      ...(older.config.connectionString === undefined ? {} : { url: older.config.connectionString }),
      extra: { ...older.config, max: 1 },
    });
    await source.initialize();
    try {
      await source.runMigrations();
      await source.query(
        `insert into consent_effect select $1::uuid, 'TREAT', n, 31, '-infinity', 'infinity' from generate_series(0, 2) n`,
        [PERSON],
      );
      await source.query(`alter table note disable row level security`);
      for (const [n, labels] of [[], ['ETH', 'HIV'], ['ETH', 'NOVEL']].entries())
        await source.query(
          `insert into note (patient_id, site_id, source_digest, source_ordinal, note_id, authored_key, labels, body, masked_body, body_digest, has_text)
           values ($1, 'north', '', $2, gen_random_uuid(), '2020-01-01', $3, '', '', '', false)`,
          [PERSON, n, labels],
        );
      await source.query(`alter table note enable row level security`);
      await source.destroy();
      expect((await migrate(older.config))[0]).toMatch(/^ExtendConsent/);
      await source.initialize();
      expect(await source.query('select sensitivity_max, labels, bound from consent_effect order by 1')).toEqual([
        { sensitivity_max: 0, labels: 0, bound: false },
        { sensitivity_max: 1, labels: ALL_LABELS, bound: false },
        { sensitivity_max: 2, labels: ALL_LABELS, bound: false },
      ]);
      await source.query(`alter table note disable row level security`);
      expect(await source.query('select label_bits from note order by source_ordinal')).toEqual(
        [[], ['ETH', 'HIV'], ['ETH', 'NOVEL']].map((labels) => ({ label_bits: labelBits(labels) })),
      );
    } finally {
      if (source.isInitialized) await source.destroy();
      await older.drop();
    }
  });
});
