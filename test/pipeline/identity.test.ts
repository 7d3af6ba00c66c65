import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discardQuarantine, ingestFile, releaseQuarantine } from '../../src/pipeline/index.js';
import { codeOf, fileOf, linesOf, openBench, type Bench, type Line } from './harness.js';

jest.setTimeout(60_000);

let bench: Bench;
beforeEach(async () => (bench = await openBench()));
afterEach(() => bench.close());

const load = (lines: readonly Line[], name: string): ReturnType<typeof ingestFile> =>
  ingestFile(fileOf(linesOf(lines, name), name), bench.deps);
const key = (issuer: string, value: string): { issuer: string; value: string } => ({ issuer, value });
const must = (id: string, ...keys: { issuer: string; value: string }[]): Line => ({ id, value: 1, asset: 't_must', keys });
const held = (): Promise<{ id: string; code: string }[]> =>
  bench.rows(`select quarantine_id as id, code from quarantine where state = 'held' order by digest, ordinal, place`);

describe('identity', () => {
  it('registers a person once, numbers persons from 0, and finds them by any key', async () => {
    await load(
      [
        { register: [key('mrn', '1'), key('fhir', 'a')] },
        { register: [key('mrn', '2')] },
        { register: [key('fhir', 'a'), key('ssn', '9')], value: 7 },
      ],
      'p1',
    );
    await load([{ register: [key('ssn', '9')], value: 8 }, { register: [key('mrn', '3')] }], 'p2');
    expect(await bench.rows('select ordinal, value, site_id from t_person order by ordinal')).toEqual([
      { ordinal: 0, value: 8, site_id: 'north' },
      { ordinal: 1, value: 0, site_id: 'north' },
      { ordinal: 2, value: 0, site_id: 'north' },
    ]);
    const found = await load([must('x', key('unheard', 'of'), key('ssn', '9')), must('y', key('mrn', '2'))], 'r');
    expect(found).toMatchObject({ rows: { t_must: 2 }, quarantined: 0 });
    expect(await bench.rows('select p.ordinal from t_must m join t_person p using (patient_id) order by m.id')).toEqual([
      { ordinal: 0 },
      { ordinal: 1 },
    ]);
    expect(
      await bench.rows('select kind, count(*)::int n, count(distinct actor)::int actors from identity_event group by kind order by kind'),
    ).toEqual([
      { kind: 'linked', n: 5, actors: 1 },
      { kind: 'registered', n: 3, actors: 1 },
    ]);
  });

  it('quarantines rows of unknown persons, and of identifiers that lead to two', async () => {
    await load([{ register: [key('mrn', '1')] }, { register: [key('mrn', '2')] }], 'p');
    const report = await load(
      [must('u', key('mrn', '9')), must('c', key('mrn', '1'), key('mrn', '2')), must('e', key('', '1')), must('k', key('mrn', '1'))],
      'r',
    );
    expect(report).toMatchObject({ rows: { t_must: 1 }, quarantined: 3 });
    expect((await held()).map((row) => row.code)).toEqual(['PATIENT_UNKNOWN', 'IDENTITY_CONTESTED', 'PATIENT_UNKNOWN']);
    expect(await load([{ register: [key('mrn', '1'), key('mrn', '2')] }], 'm')).toMatchObject({
      status: 'partly',
      quarantined: 1,
      faults: [{ code: 'IDENTITY_CONTESTED' }],
    });
  });

  it('links keys by an anchor; a key of another person becomes contested for both', async () => {
    await load([{ register: [key('mrn', '1')] }, { register: [key('mrn', '2')] }], 'p');
    const links = await load(
      [
        { anchors: [key('mrn', '1')], keys: [key('sample', 'S')] },
        { anchors: [key('mrn', '2')], keys: [key('sample', 'S')] },
        { anchors: [key('mrn', '8')], keys: [key('sample', 'T')] },
      ],
      'x',
    );
    expect(links.faults.map((fault) => fault.code)).toEqual(['IDENTITY_CONTESTED', 'PATIENT_UNKNOWN']);
    expect(await bench.rows("select contested, basis from identity_key where issuer = 'sample'")).toEqual([
      { contested: true, basis: 'EXPLICIT_CROSSWALK' },
      { contested: true, basis: 'EXPLICIT_CROSSWALK' },
    ]);
    expect(await load([must('m', key('sample', 'S'))], 'r')).toMatchObject({ faults: [{ code: 'IDENTITY_CONTESTED' }] });
  });

  it('keeps rows that may wait for their person, and links them when the key arrives', async () => {
    const early = await load(
      [
        { id: 'S', asset: 't_later', keys: [key('sample', 'S')] },
        { id: 'T', asset: 't_later', keys: [key('sample', 'T')] },
      ],
      'v',
    );
    expect(early).toMatchObject({ rows: { t_later: 2 }, quarantined: 2, faults: [{ code: 'PATIENT_UNKNOWN', count: 2 }] });
    await load([{ register: [key('mrn', '1')] }, { anchors: [key('mrn', '1')], keys: [key('sample', 'S')] }], 'p');
    expect(await bench.rows('select id, patient_id is not null as linked, site_id from t_later order by id')).toEqual([
      { id: 'S', linked: true, site_id: 'north' },
      { id: 'T', linked: false, site_id: null },
    ]);
    const release = await releaseQuarantine(
      (await held()).map((row) => row.id),
      'steward',
      'The crosswalk came.',
      bench.deps,
    );
    expect([release.released.length, release.held.length]).toEqual([1, 1]);
    expect(await bench.rows('select count(*)::int n from t_later where patient_id is not null')).toEqual([{ n: 1 }]);
  });

  it('derives the rows of each person touched anew', async () => {
    await load([{ register: [key('mrn', '1')] }, { register: [key('mrn', '2')] }], 'p');
    expect(await bench.rows('select total from t_total')).toEqual([{ total: 0 }, { total: 0 }]);
    await load([must('a', key('mrn', '1')), must('b', key('mrn', '1'))], 'r1');
    await load([must('c', key('mrn', '1'))], 'r2');
    expect(await bench.rows('select total from t_total order by total')).toEqual([{ total: 0 }, { total: 3 }]);
  });
});

describe('quarantine', () => {
  it('lets a record in under its first id once the person is known, with who decided and why', async () => {
    const first = await load([must('u', key('mrn', '1')), must('v', key('mrn', '9'))], 'r');
    expect(await codeOf(releaseQuarantine([], 'steward', ' ', bench.deps))).toBe('BAD_INPUT');
    await load([{ register: [key('mrn', '1')] }], 'p');
    const ids = (await held()).map((row) => row.id);
    const release = await releaseQuarantine(ids, 'steward', 'The person was loaded.', bench.deps);
    expect(release.released).toHaveLength(1);
    expect(release.held).toEqual([expect.objectContaining({ code: 'PATIENT_UNKNOWN' })]);
    expect(await bench.rows('select id, source_digest, source_ordinal from t_must')).toEqual([
      { id: 'u', source_digest: first.digest, source_ordinal: 0 },
    ]);
    expect(await bench.rows("select decided_by, decision_reason from quarantine where state = 'released'")).toEqual([
      { decided_by: 'steward', decision_reason: 'The person was loaded.' },
    ]);
    expect((await releaseQuarantine(release.released, 'steward', 'Again.', bench.deps)).released).toEqual([]);
    expect(await discardQuarantine(ids, 'steward', 'Nobody knows the person.', bench.deps)).toBe(1);
    expect(await held()).toEqual([]);
  });

  it('takes nothing from a raw file that is no longer what arrived, and takes it once the same file came again', async () => {
    const lines = [must('u', key('mrn', '1')), must('v', key('mrn', '9'))];
    const { digest } = await load(lines, 'r');
    await load([{ register: [key('mrn', '1')] }], 'p');
    const ids = (await held()).map((row) => row.id);
    const path = join(bench.folder, 'objects', digest.slice(0, 2), digest);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes.toString().replace('"u"', '"w"')));
    expect(await codeOf(releaseQuarantine(ids, 'steward', 'Try.', bench.deps))).toBe('FILE_CHANGED');
    expect([await bench.rows('select id from t_must'), (await held()).length]).toEqual([[], 2]);
    await load(lines, 'r');
    expect(readFileSync(path)).toEqual(bytes);
    expect((await releaseQuarantine(ids, 'steward', 'The file came again.', bench.deps)).released).toHaveLength(1);
  });

  it('keeps a record that still breaks an expectation', async () => {
    await load([{ id: 'x', value: 12 }], 'e');
    const release = await releaseQuarantine(
      (await held()).map((row) => row.id),
      'steward',
      'Try.',
      bench.deps,
    );
    expect(release).toMatchObject({ released: [], held: [{ code: 'EXPECTATION_FAILED' }] });
  });

  it('keeps what is about a file as a whole: the file must come again', async () => {
    await load([{ fail: 'file' }], 'w');
    const release = await releaseQuarantine(
      (await held()).map((row) => row.id),
      'steward',
      'Try.',
      bench.deps,
    );
    expect(release).toMatchObject({ released: [], held: [{ code: 'JSON_INVALID' }] });
  });
});
