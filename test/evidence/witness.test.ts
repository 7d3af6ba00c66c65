import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  CompactRange,
  WitnessClient,
  leafHash,
  signCheckpoint,
  verifierKey,
  verifyNote,
  type HashReader,
  type PostText,
} from '../../src/evidence/index.js';
import { Witness, serveWitness, type WitnessReply } from '../support/witness.js';

const origin = 'audit.example/log';
const keys = generateKeyPairSync('ed25519');
const logKey = verifierKey(origin, keys.publicKey);
const post: PostText = (url, init) => fetch(url, init);

/** A log that grows, with what a client needs of it. */
class Growing {
  private readonly nodes = new Map<string, Buffer>();
  private readonly range = CompactRange.empty();
  constructor(private readonly name = 'record') {}

  to(size: number, key: KeyObject = keys.privateKey): string {
    while (this.range.size < size)
      this.range.append(leafHash(`${this.name} ${this.range.size}`), (level, index, node) => this.nodes.set(`${level}/${index}`, node));
    return signCheckpoint({ origin, size, root: this.range.root() }, key);
  }

  readonly read: HashReader = async (asked) => asked.map(({ level, index }) => this.nodes.get(`${level}/${index}`)!);
}

let witness: Witness;
let asked: string[];
let reply: (body: string) => WitnessReply | Promise<WitnessReply>;
let served: Awaited<ReturnType<typeof serveWitness>>;
const client = (url = served.url, timeoutMs = 2_000): WitnessClient => new WitnessClient({ url, key: witness.key, post, timeoutMs });

beforeAll(async () => {
  served = await serveWitness((body) => {
    asked.push(body.split('\n')[0]!);
    return reply(body);
  });
});
beforeEach(() => {
  witness = new Witness(
    () => [logKey],
    () => 1_772_000_000,
  );
  asked = [];
  reply = (body) => witness.addCheckpoint(body);
});
afterAll(() => served.close());

it('cosigns each head of a growing log, the proof beginning where it last signed', async () => {
  const log = new Growing();
  const asking = client();
  for (const size of [1, 1, 2, 7, 256, 300]) {
    const head = log.to(size);
    const answer = await asking.cosign(head, log.read);
    expect(answer).toMatchObject({ ok: true, at: 1_772_000_000 });
    if (answer.ok) expect(verifyNote(answer.checkpoint, [logKey, witness.key])?.signatures).toHaveLength(2);
  }
  expect(asked).toEqual(['old 0', 'old 1', 'old 1', 'old 2', 'old 7', 'old 256']);
});

it('a client that forgot is told the size, and proves from there', async () => {
  const log = new Growing();
  await client().cosign(log.to(100), log.read);
  expect(await client().cosign(log.to(130), log.read)).toMatchObject({ ok: true });
  expect(asked).toEqual(['old 0', 'old 0', 'old 100']);
});

it('another tree of the same log is not cosigned', async () => {
  const log = new Growing();
  const asking = client();
  await asking.cosign(log.to(100), log.read);
  const forked = new Growing('other');
  expect(await asking.cosign(forked.to(130), forked.read)).toEqual({ ok: false, fault: 'inconsistent' });
  const same = new Growing('other');
  expect(await asking.cosign(same.to(100), same.read)).toEqual({ ok: false, fault: 'inconsistent' });
  expect(witness.signed).toHaveLength(1);
});

it('a log that went back is not cosigned', async () => {
  const log = new Growing();
  await client().cosign(log.to(100), log.read);
  const back = new Growing();
  expect(await client().cosign(back.to(60), back.read)).toEqual({ ok: false, fault: 'ahead' });
});

it('a key or a log that the witness does not know is named', async () => {
  const log = new Growing();
  const foreign = generateKeyPairSync('ed25519').privateKey;
  expect(await client().cosign(log.to(3, foreign), log.read)).toEqual({ ok: false, fault: 'key-refused' });
  witness = new Witness(
    () => [],
    () => 0,
  );
  expect(await client().cosign(log.to(4), log.read)).toEqual({ ok: false, fault: 'unknown-log' });
});

it.each<[string, () => WitnessReply]>([
  ['nothing', () => ({ status: 200, body: '' })],
  [
    'a signature by another witness',
    () => ({
      status: 200,
      body: new Witness(
        () => [logKey],
        () => 1,
      ).addCheckpoint(`old 0\n\n${new Growing().to(3)}`).body,
    }),
  ],
  ['text', () => ({ status: 200, body: 'thank you\n' })],
  ['a note of its own', () => ({ status: 200, body: `\n${new Growing().to(9)}` })],
])('an answer that holds %s does not count', async (_what, made) => {
  reply = made;
  const log = new Growing();
  expect(await client().cosign(log.to(3), log.read)).toEqual({ ok: false, fault: 'bad-cosignature' });
});

it('lines of others in a good answer are not taken over', async () => {
  reply = (body) => {
    const good = witness.addCheckpoint(body);
    const other = new Witness(
      () => [logKey],
      () => 1,
    ).addCheckpoint(body);
    return { status: 200, body: other.body + good.body };
  };
  const log = new Growing();
  const answer = await client().cosign(log.to(3), log.read);
  expect(answer.ok && verifyNote(answer.checkpoint, [logKey, witness.key])?.signatures).toHaveLength(2);
});

it('a witness that names one size after another is given up', async () => {
  let size = 0;
  reply = () => ({ status: 409, body: `${(size += 1)}\n` });
  const log = new Growing();
  expect(await client().cosign(log.to(50), log.read)).toEqual({ ok: false, fault: 'bad-answer' });
  expect(asked).toHaveLength(3);
});

it.each([
  [422, 'inconsistent'],
  [500, 'bad-answer'],
  [301, 'bad-answer'],
] as const)('status %d is the fault %s', async (status, fault) => {
  reply = () => ({ status, body: '' });
  const log = new Growing();
  expect(await client().cosign(log.to(3), log.read)).toEqual({ ok: false, fault });
});

it('a witness that is away or silent is named', async () => {
  const log = new Growing();
  expect(await client('http://127.0.0.1:1').cosign(log.to(3), log.read)).toEqual({ ok: false, fault: 'unreachable' });
  reply = () =>
    new Promise(() => {
      // Never answers.
    });
  expect(await client(served.url, 50).cosign(log.to(3), log.read)).toEqual({ ok: false, fault: 'timeout' });
});
