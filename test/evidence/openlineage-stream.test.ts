import { openPools, exportCursor, type Pools } from '../../src/store/index.js';
import { LineageStream, type EvidenceRun, type ExportCursor, type PostEvents, type RunEvent } from '../../src/evidence/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const MESH = { namespace: 'thalamus.test', producer: 'https://thalamus.local/thalamus/0.1.0' };

const runOf = (logId: string, seq: number): EvidenceRun => ({
  logId,
  plan: null,
  record: {
    seq,
    at: '2026-06-01T00:00:00.000Z',
    mono: seq,
    writer: '019a9f00-0000-7000-8000-0000000000ff',
    kind: 'query',
    run: `019a9f00-0000-7000-8000-${logId.length.toString(16).padStart(4, '0')}${seq.toString(16).padStart(8, '0')}`,
    principal: 'somebody',
    roles: [],
    purpose: 'TREAT',
    recipient: null,
    caller: null,
    policy: 'v1',
    plan: null,
    patients: 0,
    set: null,
    rows: 0,
    result: null,
    bytes: 0,
    versions: {},
    code: null,
    facts: {},
    sealed: null,
  },
});

/** A cursor in memory, as the store's. */
class Cursor implements ExportCursor {
  readonly next = new Map<string, number>();
  cursorOf(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(this.next));
  }
  advance(_name: string, logId: string, next: number): Promise<void> {
    this.next.set(logId, next);
    return Promise.resolve();
  }
}

const told: RunEvent[] = [];
const lines: string[] = [];
let logs: Record<string, number>;
let cursor: Cursor;
beforeEach(() => {
  told.length = 0;
  lines.length = 0;
  logs = { one: 25, other: 3 };
  cursor = new Cursor();
});

const source = {
  logs: () => Promise.resolve(Object.keys(logs)),
  runsFrom: (logId: string, next: number, limit: number) =>
    Promise.resolve(Array.from({ length: Math.max(0, Math.min(limit, (logs[logId] ?? 0) - next)) }, (_, i) => runOf(logId, next + i))),
};
const take: PostEvents = (events) => {
  told.push(...events);
  return Promise.resolve(200);
};
const streamTo = (post: PostEvents, more: Partial<ConstructorParameters<typeof LineageStream>[0]> = {}): LineageStream =>
  new LineageStream({
    name: 'marquez',
    mesh: MESH,
    cursor,
    source,
    post,
    log: (line) => lines.push(line),
    batchRuns: 10,
    tries: 3,
    backOffMs: 1,
    backOffMaxMs: 4,
    idleMs: 1,
    ...more,
  });
const indexes = (logId: string): number[] =>
  told
    .filter((event) => event.eventType === 'COMPLETE' && event.run.facets['thalamus_receipt']?.['logId'] === logId)
    .map((event) => Number(event.run.facets['thalamus_receipt']?.['logIndex']));
const upTo = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

it('tells every run of every log in its order, and afterwards only what is new', async () => {
  expect(await streamTo(take).round()).toEqual({ told: 28, left: false });
  expect(indexes('one')).toEqual(upTo(25));
  expect(indexes('other')).toEqual(upTo(3));
  logs['one'] = 27;
  expect(await streamTo(take).round()).toEqual({ told: 2, left: false });
  expect(indexes('one')).toEqual(upTo(27));
  expect(lines).toEqual([]);
});

it('tries a batch again, and passes none over', async () => {
  let calls = 0;
  const flaky: PostEvents = (events, signal) => {
    calls += 1;
    return calls % 2 === 1 ? Promise.resolve(503) : take(events, signal);
  };
  expect(await streamTo(flaky).round()).toEqual({ told: 28, left: false });
  expect(indexes('one')).toEqual(upTo(25));
});

it('leaves a log where the endpoint stays away, tells its operator without its words, and goes on there', async () => {
  let calls = 0;
  const away: PostEvents = () => {
    calls += 1;
    return Promise.reject(Object.assign(new Error('connect to secret-host.internal:5000 failed'), { code: 'ECONNREFUSED' }));
  };
  expect(await streamTo(away).round()).toEqual({ told: 0, left: true });
  expect(calls).toBe(6);
  expect(lines).toEqual([
    'evidence feed marquez: the endpoint did not take 10 runs: no answer (ECONNREFUSED); they are kept for the next round',
    'evidence feed marquez: the endpoint did not take 3 runs: no answer (ECONNREFUSED); they are kept for the next round',
  ]);
  expect(cursor.next.size).toBe(0);
  await streamTo(take).round();
  expect(indexes('one')).toEqual(upTo(25));
});

it('tells a batch again, byte for byte, where its cursor was not moved', async () => {
  const lost = streamTo(take, { cursor: { cursorOf: () => cursor.cursorOf(), advance: () => Promise.reject(new Error('gone')) } });
  expect(await lost.round()).toEqual({ told: 0, left: true });
  const first = told.splice(0);
  await streamTo(take).round();
  expect(JSON.stringify(told.slice(0, 20))).toBe(JSON.stringify(first.slice(0, 20)));
  expect(lines[0]).toBe('evidence feed marquez: what is to be told could not be read (unknown fault)');
});

it('runs beside everything else until it is stopped, also while it waits', async () => {
  const stream = streamTo(take);
  stream.start();
  while (told.length < 56) await new Promise((resolve) => setTimeout(resolve, 1));
  logs['other'] = 5;
  while (told.length < 60) await new Promise((resolve) => setTimeout(resolve, 1));
  await stream.stop();
  const waiting = streamTo(() => Promise.resolve(500), { backOffMs: 600_000, backOffMaxMs: 600_000 });
  logs['other'] = 6;
  waiting.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await waiting.stop();
  expect(cursor.next.get('other')).toBe(5);
  expect(lines).toEqual([]);
});

describe('the cursor of the store', () => {
  let database: TestDatabase;
  let pools: Pools;
  beforeAll(async () => {
    database = await createDatabase();
    pools = await openPools(database.engine);
  }, 20_000);
  afterAll(async () => {
    await pools.end();
    await database.drop();
  });

  it('keeps a place for each name and log, and never moves back', async () => {
    const kept = exportCursor(pools.writer);
    expect(await kept.cursorOf('marquez')).toEqual(new Map());
    await kept.advance('marquez', 'one', 10);
    await kept.advance('marquez', 'one', 7);
    await kept.advance('marquez', 'other', 1);
    await kept.advance('siem', 'one', 3);
    expect(await kept.cursorOf('marquez')).toEqual(new Map(Object.entries({ one: 10, other: 1 })));
    expect(await kept.cursorOf('siem')).toEqual(new Map([['one', 3]]));
  });

  it('is nothing that the reader of data may see', async () => {
    await expect(pools.reader.query('select * from export_cursor')).rejects.toMatchObject({ code: '42501' });
  });
});
