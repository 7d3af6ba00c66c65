/** Files under the policy of their rows: addresses that say nothing, for one caller, for some minutes. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { rangeOf } from '../../src/gateway/file-range.js';
import { FileTokens } from '../../src/gateway/file-token.js';
import { ask, codesOf, column, openWorld, type World } from '../gateway/support.js';
import { COLLEAGUE, DOCTOR, asks, broken, personsAt, recordsWith, tokenOf, type Claims } from './emergency-support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 120_000);
afterAll(() => world.close(), 20_000);

interface Link {
  readonly url: string;
  readonly expiresAt: string;
  readonly mediaType: string;
  readonly bytes: number;
}
interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

const LINK = 'file { url expiresAt mediaType bytes }';
const IMAGES = `query($id: ID!) { patient(id: $id) { imagingStudies(first: 5) { edges { node { series(first: 5) { edges { node {
  instances(first: 5) { edges { node { id fileDigest incomplete ${LINK} } } } } } } } } } } }`;
const NOTES = `query($id: ID!) { patient(id: $id) { notes(first: 20) { edges { node { id ${LINK} } } } } }`;

/** Every object of an answer that has a file, or could have one. */
function holders(value: unknown): { id: string; fileDigest?: string; file: Link | null }[] {
  if (Array.isArray(value)) return value.flatMap(holders);
  if (value === null || typeof value !== 'object') return [];
  return 'file' in value ? [value as never] : Object.values(value).flatMap(holders);
}

async function linksOf(who: Claims, id: string, query = IMAGES): Promise<ReturnType<typeof holders>> {
  const reply = await asks(world, who, query, { id });
  expect(codesOf(reply)).toEqual([]);
  return holders(reply.body.data);
}

/** A request as it is written: no client tidies its path. */
async function get(path: string, who: Claims | null, headers: Record<string, string | string[]> = {}, method = 'GET'): Promise<Got> {
  const { hostname, port } = new URL(world.gateway.url);
  const authorization = who === null ? {} : { authorization: `Bearer ${await tokenOf(world, who)}` };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, method, headers: { ...authorization, ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(parts) }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Status, headers and body without what differs in every run. */
const plain = ({ status, headers, bytes }: Got): string =>
  JSON.stringify([status, { ...headers, date: '' }, bytes.toString().replaceAll(/"lineageId":"[^"]*"/g, '')]);

let patient: string;
let link: Link;
let digest: string;
const objectAt = (of: string): string => join(world.running.home, 'files', 'objects', of.slice(0, 2), of);
beforeAll(async () => {
  for (const id of await personsAt(world, 'north', 'imaging_instance')) {
    const found = (await linksOf(DOCTOR, id)).find((each) => each.file);
    if (!found?.file) continue;
    [patient, link, digest] = [id, found.file, found.fileDigest ?? ''];
    return;
  }
  throw new Error('the cohort has no image at the site');
});

const unknownAnswer = async (): Promise<string> => plain(await get(`/files/${randomBytes(570).toString('base64url')}`, DOCTOR));

describe('a file', () => {
  it('comes as it arrived, with headers that keep it from caches and browsers, and HEAD has the same ones', async () => {
    const got = await get(link.url, DOCTOR);
    expect(got.status).toBe(200);
    expect(createHash('sha256').update(got.bytes).digest('hex')).toBe(digest);
    expect(link).toMatchObject({ bytes: got.bytes.length, mediaType: 'application/dicom' });
    expect(Date.parse(link.expiresAt) - world.now).toBeLessThanOrEqual(300_000);
    expect(got.headers).toMatchObject({
      'content-type': 'application/dicom',
      'content-length': String(got.bytes.length),
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment; filename="file"',
      'accept-ranges': 'bytes',
    });
    const head = await get(link.url, DOCTOR, {}, 'HEAD');
    const same = ({ headers }: Got): unknown => ({ ...headers, date: '', 'x-lineage-id': '' });
    expect([head.status, head.bytes.length, same(head)]).toEqual([200, 0, same(got)]);
  });

  it('has an address that says nothing: neither name, digest, person, caller nor length', async () => {
    const token = link.url.slice('/files/'.length);
    const text = Buffer.from(token, 'base64url').toString('latin1');
    for (const word of [patient, digest, 'imaging', 'dr-ada', 'TREAT']) expect(`${token} ${text}`).not.toContain(word);
    const notes = (await Promise.all((await personsAt(world, 'north', 'note')).slice(0, 4).map((id) => linksOf(DOCTOR, id, NOTES)))).flat();
    const lengths = new Set(notes.flatMap((each) => (each.file ? [each.file.url.length] : [])));
    expect([...lengths]).toEqual([link.url.length]);
  });

  it('of a note is its document, and a file with several records has no address', async () => {
    const of = new Map<string, number>();
    for (const each of await column<string>(world, 'select source_digest as value from note')) of.set(each, (of.get(each) ?? 0) + 1);
    let documents = 0;
    for (const id of (await personsAt(world, 'north', 'note')).slice(0, 10)) {
      for (const note of await linksOf(DOCTOR, id, NOTES)) {
        const [source] = await column<string>(world, 'select source_digest as value from note where note_id = $1', [note.id]);
        if ((of.get(source ?? '') ?? 0) > 1) expect(note.file).toBeNull();
        if (!note.file) continue;
        const got = await get(note.file.url, DOCTOR);
        expect(createHash('sha256').update(got.bytes).digest('hex')).toBe(source);
        documents += 1;
      }
    }
    expect(documents).toBeGreaterThan(0);
    const batch = await column<string>(world, 'select digest as value from ingest_checkpoint where next_ordinal > 1');
    expect(batch.length).toBeGreaterThan(0);
  });

  it.each(['analyst', 'steward', 'officer', 'engineer'])('has no address for the %s: the field does not exist', async (who) => {
    const reply = await ask(
      world,
      who,
      '{ imagingStudies(first: 1) { edges { node { series(first: 1) { edges { node { instances(first: 1) { edges { node { file { url } } } } } } } } } } }',
    );
    expect(reply.status).toBe(400);
    expect((await ask(world, who, '{ __type(name: "FileLink") { name } }')).body.data?.['__type']).toBeNull();
  });

  it('is read with a record before it, with the bytes that were asked for', async () => {
    const got = await get(link.url, DOCTOR, { range: 'bytes=128-131' });
    expect([got.status, got.bytes.toString(), got.headers['content-range']]).toEqual([206, 'DICM', `bytes 128-131/${link.bytes}`]);
    const record = (await recordsWith(world, 'file')).at(-1);
    expect(record).toMatchObject({
      kind: 'query',
      principal: 'dr-ada',
      patients: 1,
      rows: 1,
      facts: { file: 'imaging.instance_file', digest, method: 'GET', status: 206, range: `128-131/${link.bytes}` },
    });
    expect(record?.['run']).toBe(got.headers['x-lineage-id']);
  });

  it('does not leave where the record cannot be made', async () => {
    const append = jest.spyOn(world.running.mesh.audit, 'append').mockRejectedValue(new Error('away'));
    const got = await get(link.url, DOCTOR);
    append.mockRestore();
    expect([got.status, got.bytes.includes('DICM')]).toEqual([503, false]);
  });

  it('that was changed where it lies is never served, in whole or in part', async () => {
    const path = objectAt(digest);
    const bytes = readFileSync(path);
    const changed = Buffer.from(bytes);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    writeFileSync(path, changed);
    try {
      for (const headers of [{}, { range: 'bytes=0-3' }, { 'if-none-match': '*' }] as Record<string, string>[]) {
        const got = await get(link.url, DOCTOR, headers);
        expect([got.status, got.bytes.toString()]).toEqual([422, expect.stringContaining('FILE_CHANGED') as string]);
      }
    } finally {
      writeFileSync(path, bytes);
    }
    expect((await get(link.url, DOCTOR)).status).toBe(200);
  });

  it('answers 304 to whoever holds it, after every check', async () => {
    const etag = (await get(link.url, DOCTOR)).headers['etag'];
    const got = await get(link.url, DOCTOR, { 'if-none-match': String(etag) });
    expect([got.status, got.bytes.length, got.headers['etag']]).toEqual([304, 0, etag]);
    expect(String(etag)).not.toContain(digest);
    expect(plain(await get(link.url, COLLEAGUE, { 'if-none-match': String(etag) }))).toBe(await unknownAnswer());
  });

  it('is gone with the consent, and under broken glass with the glass', async () => {
    const who = { ...DOCTOR, sub: 'dr-files' };
    const [own] = (await linksOf(who, patient)).flatMap((each) => (each.file ? [each.file] : []));
    expect((await get(own?.url ?? '', who)).status).toBe(200);
    const { owner } = world.running.pools;
    await owner.query('create table kept as select * from consent_effect where patient_id = $1', [patient]);
    await owner.query('delete from consent_effect where patient_id = $1', [patient]);
    expect(plain(await get(own?.url ?? '', who))).toBe(await unknownAnswer());
    const glass = await broken(world, who, patient);
    const [emergency] = (await linksOf(who, patient)).flatMap((each) => (each.file ? [each.file] : []));
    expect((await get(emergency?.url ?? '', who)).status).toBe(200);
    expect((await recordsWith(world, 'file')).at(-1)?.facts['breakGlass']).toEqual([glass]);
    await asks(world, who, 'mutation($id: ID!) { endBreakGlass(id: $id) { id } }', { id: glass });
    expect(plain(await get(emergency?.url ?? '', who))).toBe(await unknownAnswer());
    await owner.query('insert into consent_effect select * from kept');
  });
});

describe('ATK-30: path traversal on the file endpoint', () => {
  it.each([
    '/files/../secret.json',
    '/files/../../secret.json',
    '/files/%2e%2e%2fsecret.json',
    '/files/..%2f..%2fetc%2fpasswd',
    '/files/....//....//secret.json',
    '/files/%00',
    '/files/',
    '/files/objects/aa',
    `/files/${'A'.repeat(5000)}`,
    '/files//etc/passwd',
    '/files/..\\..\\secret.json',
  ])('denies %s like any address that never was', async (path) => {
    expect(plain(await get(path, DOCTOR))).toBe(await unknownAnswer());
  });

  it('opens no object by its digest, which is no address', async () => {
    expect(plain(await get(`/files/${digest}`, DOCTOR))).toBe(await unknownAnswer());
    expect(readdirSync(join(world.running.home, 'files', 'objects')).length).toBeGreaterThan(0);
  });
});

describe('ATK-31: a signed address after its time', () => {
  it('denies it from the second that it names', async () => {
    const began = world.now;
    try {
      world.now = Date.parse(link.expiresAt) - 1;
      expect((await get(link.url, DOCTOR)).status).toBe(200);
      world.now = Date.parse(link.expiresAt);
      expect(plain(await get(link.url, DOCTOR))).toBe(await unknownAnswer());
    } finally {
      world.now = began;
    }
  });
});

describe('ATK-32: the address of one with the token of another', () => {
  it.each([
    ['a colleague', COLLEAGUE],
    ['the same name at another site', { ...DOCTOR, sites: ['south'] }],
    ['the same name for another purpose', { ...DOCTOR, roles: ['privacy_officer'], purpose: 'HOPERAT' }],
    ['the same name without the role', { ...DOCTOR, roles: ['analyst'], purpose: 'HRESCH' }],
  ] as [string, Claims][])('denies %s', async (_, who) => {
    expect(plain(await get(link.url, who))).toBe(plain(await get(`/files/${randomBytes(570).toString('base64url')}`, who)));
    expect((await get(link.url, who)).status).toBe(404);
  });

  it('denies whoever shows no token, or shows it in the address', async () => {
    expect((await get(link.url, null)).status).toBe(401);
    expect((await get(`${link.url}?access_token=${await tokenOf(world, DOCTOR)}`, null)).status).toBe(401);
  });

  it('denies every address that differs in one character', async () => {
    const token = link.url.slice('/files/'.length);
    const expected = await unknownAnswer();
    for (const at of [0, 15, 16, 40, Math.floor(token.length / 2), token.length - 20, token.length - 1]) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(plain(await get(`/files/${token.slice(0, at)}${other}${token.slice(at + 1)}`, DOCTOR))).toBe(expected);
    }
  });

  it('opens only what this installation sealed, whatever the claim', () => {
    const [ours, theirs] = [new FileTokens(Buffer.alloc(32, 1)), new FileTokens(Buffer.alloc(32, 2))];
    const claim = fc.record({
      asset: fc.string(),
      patient: fc.uuid(),
      key: fc.uuid(),
      digest: fc.string(),
      sub: fc.string({ maxLength: 255 }),
      purpose: fc.string(),
      expires: fc.nat(),
    });
    fc.assert(
      fc.property(claim, fc.nat(), (made, at) => {
        const token = ours.seal(made);
        expect(ours.open(token)).toEqual(made);
        expect(theirs.open(token)).toBeNull();
        const bytes = Buffer.from(token, 'base64url');
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
        expect(ours.open(bytes.toString('base64url'))).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

describe('ATK-33: a Range header with 1,000 ranges', () => {
  it.each([
    ['1,000 ranges', `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(',')}`],
    ['two ranges', 'bytes=0-1,4-5'],
    ['another unit', 'items=0-1'],
    ['no numbers', 'bytes=a-b'],
    ['an end before its beginning', 'bytes=9-3'],
    ['nothing', 'bytes=-'],
  ])('sends the whole once for %s', async (_, range) => {
    const got = await get(link.url, DOCTOR, { range });
    expect([got.status, got.bytes.length, got.headers['content-range']]).toEqual([200, link.bytes, undefined]);
  });

  it('sends one range, and says where there is none', async () => {
    const whole = (await get(link.url, DOCTOR)).bytes;
    const cases: [string, number, Buffer][] = [
      ['bytes=0-0', 206, whole.subarray(0, 1)],
      ['bytes=100-', 206, whole.subarray(100)],
      ['bytes=-7', 206, whole.subarray(-7)],
      [`bytes=0-${'9'.repeat(15)}`, 206, whole],
    ];
    for (const [range, status, bytes] of cases) {
      const got = await get(link.url, DOCTOR, { range });
      expect([got.status, got.bytes.equals(bytes)]).toEqual([status, true]);
    }
    const beyond = await get(link.url, DOCTOR, { range: `bytes=${link.bytes}-` });
    expect([beyond.status, beyond.bytes.length, beyond.headers['content-range']]).toEqual([416, 0, `bytes */${link.bytes}`]);
    const stale = await get(link.url, DOCTOR, { range: 'bytes=0-0', 'if-range': '"other"' });
    expect([stale.status, stale.bytes.length]).toEqual([200, link.bytes]);
  });

  it('never leaves the file, whatever the header', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
          fc.nat().map((n) => `bytes=-${n}`),
        ),
        fc.nat(),
        (header, bytes) => {
          const range = rangeOf([header], bytes);
          if (range === null || range === 'unsatisfiable') return true;
          return range.from >= 0 && range.from < range.to && range.to <= bytes;
        },
      ),
    );
  });
});

test('the answer to what is unknown is one answer', async () => {
  const reply = await get(`/files/${randomBytes(570).toString('base64url')}`, DOCTOR);
  expect(reply.status).toBe(404);
  expect(JSON.parse(reply.bytes.toString())).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
});
