import { AuditLog, Keyring, entryOf, exceeded, newStoredKey, parseCheckpoint, type EvidenceEntry } from '../../src/evidence/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { EvidenceStore, bulkMeter, openPools, type Pools } from '../../src/store/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let pools: Pools;
let store: EvidenceStore;
let now = Date.parse('2026-06-01T00:00:00Z');
const first = newStoredKey();
const logs: AuditLog[] = [];

beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
  store = new EvidenceStore(pools.writer, Buffer.alloc(32, 1), bulkMeter({ windowMonths: 12, exceeded }));
}, 20_000);
beforeEach(async () => {
  for (const each of logs.splice(0)) await each.close().catch(() => undefined);
  await pools.owner.query(
    'set session_replication_role = replica; truncate audit_log, audit_head, audit_checkpoint, lineage_run, lineage_plan; set session_replication_role = origin',
  );
});
afterAll(async () => {
  for (const each of logs.splice(0)) await each.close().catch(() => undefined);
  await pools.end();
  await database.drop();
});

const entry = (): EvidenceEntry =>
  entryOf({
    runId: newUuid(now),
    kind: 'query',
    at: (now += 10),
    principal: 'somebody',
    roles: ['analyst'],
    purpose: 'HRESCH',
    policyVersion: 'v1',
  });

function open(sink: EvidenceStore = store, keys: readonly string[] = [first]): AuditLog {
  const made = new AuditLog({
    sink,
    keyring: () => Keyring.of(keys),
    sealKey: Buffer.alloc(32, 2),
    clock: () => now,
    monotonic: () => performance.now(),
  });
  logs.push(made);
  return made;
}

const kinds = async (logId: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { record } of store.leaves(logId)) found.push((JSON.parse(record) as { kind: string }).kind);
  return found;
};

/** The store with a fault at its next write. */
function failingOnce(fail: (write: () => Promise<void>) => Promise<void>): EvidenceStore {
  let armed = true;
  const failing = Object.create(store) as EvidenceStore;
  failing.write = async (batch) => {
    const write = (): Promise<void> => store.write(batch);
    if (!armed || batch.runs.length === 0) return write();
    armed = false;
    return fail(write);
  };
  return failing;
}

describe('a log', () => {
  it('gives each record its place and a checkpoint that covers it', async () => {
    const log = open();
    const receipts = await Promise.all(Array.from({ length: 700 }, () => log.append(entry())));
    expect(receipts.map((receipt) => receipt.logIndex)).toEqual(Array.from({ length: 700 }, (_, i) => i + 1));
    for (const { checkpoint, logIndex } of receipts) expect(parseCheckpoint(checkpoint)?.size).toBeGreaterThan(logIndex);
    expect(new Set(receipts.map((receipt) => receipt.checkpoint)).size).toBe(2);
  });

  it('is continued by the next process once it is handed over', async () => {
    const before = open();
    const { logId } = await before.append(entry());
    await before.close();
    expect((await open().append(entry())).logId).toBe(logId);
    expect(await kinds(logId)).toEqual(['log.opened', 'query', 'log.opened', 'query']);
  });

  it('opens no later than the record for which it was opened, though the clock goes on between them', async () => {
    const log = open();
    const made = entry();
    now += 60_000;
    const { logId } = await log.append(made);
    const instants: string[] = [];
    for await (const { record } of store.leaves(logId)) instants.push((JSON.parse(record) as { at: string }).at);
    expect(instants).toEqual([...instants].sort());
  });

  it('belongs to one process at a time: another begins one of its own', async () => {
    const one = await open().append(entry());
    const other = await open().append(entry());
    expect(other.logId).not.toBe(one.logId);
  });

  it('shuts out a writer whose lease was taken over, who then goes on elsewhere', async () => {
    const slow = open();
    const { logId } = await slow.append(entry());
    await pools.writer.query(`update audit_head set lease_until = now() - interval '1 minute'`);
    expect((await open().append(entry())).logId).toBe(logId);
    await expect(slow.append(entry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect((await slow.append(entry())).logId).not.toBe(logId);
    expect(await kinds(logId)).toEqual(['log.opened', 'query', 'log.opened', 'query']);
  });

  it('is not gone on with where its head is not what its checkpoint signs', async () => {
    const log = open();
    await log.append(entry());
    await log.close();
    await pools.writer.query(`update audit_head set frontier = sha256('x') || substr(frontier, 33)`);
    await expect(open().append(entry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  it('hands itself to a new key by a record that the old key signs', async () => {
    const log = open();
    const { logId } = await log.append(entry());
    await log.close();
    const second = newStoredKey();
    const rotated = open(store, [first, second]);
    expect((await rotated.append(entry())).logId).toBe(logId);
    await rotated.close();
    expect(await kinds(logId)).toEqual(['log.opened', 'query', 'log.opened', 'log.key', 'query']);
    await open(store, [first, second]).append(entry());
    expect((await kinds(logId)).filter((kind) => kind === 'log.key')).toHaveLength(1);
  });
});

describe('a commit that fails', () => {
  it('refuses the answer, and the next record stands where it would have stood', async () => {
    const log = open(failingOnce(() => Promise.reject(new Error('no space'))));
    await expect(log.append(entry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    const receipt = await log.append(entry());
    expect(await kinds(receipt.logId)).toEqual(['log.opened', 'log.opened', 'query']);
  });

  it('leaves the log whole where it was made after all and only its answer was lost', async () => {
    const log = open(
      failingOnce(async (write) => {
        await write();
        throw new Error('connection lost');
      }),
    );
    await expect(log.append(entry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    const receipt = await log.append(entry());
    expect(await kinds(receipt.logId)).toEqual(['log.opened', 'query', 'log.opened', 'query']);
  });

  it('does not take others with it where one record is refused for what it says', async () => {
    const log = open();
    const long = { ...entry(), facts: { text: 'x'.repeat(70_000) } };
    const settled = await Promise.allSettled([log.append(entry()), log.append(long), log.append(entry())]);
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { code: 'LIMIT_EXCEEDED' } });
  });

  it('does not outlast keys that are away: the next record finds them again', async () => {
    let away = true;
    const log = new AuditLog({
      sink: store,
      keyring: () => {
        if (away) throw new Error('no such file');
        return Keyring.of([first]);
      },
      sealKey: Buffer.alloc(32),
      clock: () => now,
      monotonic: () => performance.now(),
    });
    logs.push(log);
    await expect(log.append(entry())).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    away = false;
    await expect(log.append(entry())).resolves.toMatchObject({ logIndex: 1 });
  });
});

it('neither the writer nor the owner changes a record without turning the guard off', async () => {
  await open().append(entry());
  for (const statement of ['update audit_log set record = record', 'delete from audit_log', 'truncate audit_log']) {
    await expect(pools.writer.query(statement)).rejects.toMatchObject({ code: '42501' });
    await expect(pools.owner.query(statement)).rejects.toMatchObject({ code: '55000' });
  }
  await expect(pools.writer.query('update audit_head set size = size - 1')).rejects.toMatchObject({ code: '55000' });
});
