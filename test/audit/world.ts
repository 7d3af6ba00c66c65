import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import {
  CompactRange,
  WitnessClient,
  exportLog,
  leafHash,
  signCheckpoint,
  verifierKey,
  vkeyOf,
  type HashReader,
  type Receipt,
} from '../../src/evidence/index.js';
import { canonical } from '../../src/kernel/index.js';
import { Witness } from '../support/witness.js';
import type { Draw } from '../fuzz/random.js';

/** What a log is made from. */
export interface LogPlan {
  readonly size: number;
  readonly writers: number;
  /** Index of the record that names a new key, if there is one. */
  readonly rotateAt: number | null;
  /** Whether the last head is shown to the witness, or only that of the last time it was due. */
  readonly witnessedToTheEnd: boolean;
}

/** A log as its writer has it: everything an insider can lay hands on. */
export interface Log {
  readonly logId: string;
  readonly origin: string;
  readonly records: string[];
  readonly checkpoints: string[];
  head: string;
  /** First key, and the one that signs now. */
  readonly keys: KeyObject[];
  readonly receipts: Receipt[];
}

export interface World {
  readonly logs: Log[];
  readonly witness: Witness;
  /** Milliseconds since 1970. */
  now: number;
}

/** Key of 32 bytes that a seed gives: the same seed makes the same logs. */
export function keyOf(random: Draw): KeyObject {
  const seed = createHash('sha256').update(String(random.uniform())).update(String(random.uniform())).digest();
  return createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

export const signerOf = (log: Log): KeyObject => log.keys.at(-1)!;
export const vkeyText = (log: Log, key = signerOf(log)): string => vkeyOf(log.origin, key);
/** The 32 bytes of the public key in base64, as a record that names a new key has them. */
const rawText = (key: KeyObject): string => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');

/** So many hexadecimal digits. */
function hexOf(random: Draw, digits: number): string {
  let hex = '';
  while (hex.length < digits)
    hex += Math.floor(random.uniform() * 4_294_967_296)
      .toString(16)
      .padStart(8, '0');
  return hex.slice(0, digits);
}

export function uuid(random: Draw): string {
  const hex = hexOf(random, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A record of the usual length, about 700 bytes. */
export function recordOf(
  random: Draw,
  place: { readonly seq: number; readonly at: number; readonly mono: number; readonly writer: string },
  more: Readonly<Record<string, unknown>> = {},
): string {
  const digest = (): string => hexOf(random, 64);
  return canonical({
    ...place,
    at: new Date(place.at).toISOString(),
    kind: random.pick(['query', 'query', 'query', 'mutation', 'refused']),
    run: uuid(random),
    principal: `user-${random.int(0, 99)}`,
    roles: ['clinician'],
    purpose: 'TREAT',
    recipient: null,
    caller: digest(),
    policy: digest().slice(0, 16),
    plan: digest(),
    patients: random.int(0, 99),
    set: digest(),
    rows: random.int(0, 999),
    result: digest(),
    bytes: random.int(0, 99_999),
    versions: { condition: random.int(0, 8), patient: random.int(0, 8) },
    code: null,
    facts: { router: 'ünï' },
    sealed: null,
    ...more,
  });
}

export const treeOf = (records: readonly string[], onNode?: Parameters<CompactRange['append']>[1]): CompactRange => {
  const range = CompactRange.empty();
  for (const each of records) range.append(leafHash(each), onNode);
  return range;
};

/** Signed head over records. */
export const signHead = (log: Log, records: readonly string[], key: KeyObject): string => {
  const range = treeOf(records);
  return signCheckpoint({ origin: log.origin, size: range.size, root: range.root() }, key);
};

/** Writes one log as its writer would, with a head at each commit, kept ones shown to the witness. */
async function writeLog(world: World, random: Draw, plan: LogPlan): Promise<void> {
  const logId = uuid(random);
  const log: Log = {
    logId,
    origin: `audit.thalamus.local/${logId}`,
    records: [],
    checkpoints: [],
    head: '',
    keys: [keyOf(random)],
    receipts: [],
  };
  world.logs.push(log);
  const nodes = new Map<string, Buffer>();
  const read: HashReader = async (asked) => asked.map(({ level, index }) => nodes.get(`${level}/${index}`)!);
  const { witness } = world;
  const client = new WitnessClient({
    url: 'http://witness',
    key: witness.key,
    timeoutMs: 1_000,
    post: async (_url, { body }) => {
      const reply = witness.addCheckpoint(body);
      return { status: reply.status, text: async () => reply.body };
    },
  });
  const range = CompactRange.empty();
  const sign = (key = signerOf(log)): string => signCheckpoint({ origin: log.origin, size: range.size, root: range.root() }, key);
  const show = async (head: string): Promise<string> => {
    const answer = await client.cosign(head, read);
    if (!answer.ok) throw new Error(`the witness refuses: ${answer.fault}`);
    return answer.checkpoint;
  };
  const writers = Array.from({ length: plan.writers }, () => ({ id: uuid(random), mono: random.int(0, 1e9) }));
  let kept = { size: 0, at: world.now };
  for (let seq = 0; seq < plan.size;) {
    const writer = writers[Math.floor((seq * plan.writers) / plan.size)]!;
    const commit = Math.min(
      plan.size - seq,
      1 + random.int(0, 39),
      plan.rotateAt !== null && seq <= plan.rotateAt ? plan.rotateAt + 1 - seq : 64,
    );
    const added: { readonly run: string; readonly seq: number }[] = [];
    // A head is due before it would have to cover too much or what is too old.
    const millis = random.int(0, 59);
    if (range.size > kept.size && (range.size - kept.size + commit > 256 || world.now + millis - kept.at > 900)) {
      log.checkpoints.push(await show(sign()));
      kept = { size: range.size, at: world.now };
    }
    world.now += millis;
    if (range.size === kept.size) kept.at = world.now;
    for (let i = 0; i < commit; i += 1, seq += 1) {
      writer.mono += random.int(0, 999);
      const rotates = seq === plan.rotateAt;
      const next = rotates ? keyOf(random) : null;
      const record = recordOf(
        random,
        { seq, at: world.now, mono: writer.mono, writer: writer.id },
        next ? { kind: 'log.key', facts: { key: rawText(next) } } : {},
      );
      range.append(leafHash(record), (level, index, node) => nodes.set(`${level}/${index}`, node));
      log.records.push(record);
      added.push({ run: (JSON.parse(record) as { run: string }).run, seq });
      if (next) {
        log.checkpoints.push(await show(sign()));
        log.keys.push(next);
        kept = { size: range.size, at: world.now };
      }
    }
    const checkpoint = sign();
    for (const { run, seq: logIndex } of added) log.receipts.push({ id: run, logId, logIndex, checkpoint });
  }
  log.head = plan.witnessedToTheEnd ? await show(sign()) : sign();
}

export async function writeWorld(random: Draw, plans: readonly LogPlan[]): Promise<World> {
  const logs: Log[] = [];
  const keysOf = (): ReturnType<typeof verifierKey>[] => logs.flatMap((log) => log.keys.map((key) => verifierKey(log.origin, key)));
  const world: World = {
    logs,
    now: Date.parse('2026-03-01T00:00:00Z') + random.int(0, 1e9),
    witness: new Witness(keysOf, () => 1_772_000_000),
  };
  for (const plan of plans) await writeLog(world, random, plan);
  return world;
}

async function* each(records: readonly string[]): AsyncGenerator<string> {
  for (const record of records) yield record;
}

/** Writes a log below the directory, as its writer or an insider has it now. */
export async function publish(dir: string, log: Log): Promise<void> {
  await exportLog(`${dir}/${log.logId}`, {
    records: each(log.records),
    checkpoint: log.head,
    checkpoints: log.checkpoints,
    vkey: vkeyText(log),
  });
}

/** A plan of any size, of several writers perhaps, with a new key perhaps. */
export function anyPlan(random: Draw, size: number): LogPlan {
  return {
    size,
    writers: 1 + random.int(0, 2),
    rotateAt: size > 3 && random.int(0, 2) === 0 ? 1 + random.int(0, size - 3) : null,
    witnessedToTheEnd: random.int(0, 1) === 0,
  };
}
