import { AuditLog, verifyAudit, type AuditFinding, type EvidenceEntry } from '../../src/evidence/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { evidenceStore, openPools, type Pools } from '../../src/store/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let pools: Pools;
let log: AuditLog;
let now = Date.parse('2026-06-01T00:00:00Z');

beforeAll(async () => {
  database = await createDatabase();
  pools = await openPools(database.engine);
}, 20_000);
beforeEach(async () => {
  await tamper('truncate audit_log, lineage_run');
  log = await written(10);
});
afterAll(async () => {
  await pools.end();
  await database.drop();
});

const entry = (): EvidenceEntry => ({
  runId: newUuid(now),
  kind: 'query',
  at: (now += 1000),
  principal: 'somebody',
  roles: ['analyst'],
  purpose: 'HRESCH',
  policyVersion: 'v1',
  plan: null,
  patients: new Set(),
  rows: 0,
  resultDigest: null,
  bytes: 0,
  versions: {},
  code: null,
  facts: {},
});

/** A log of its own with so many records besides its opening. */
async function written(records: number): Promise<AuditLog> {
  const made = new AuditLog(evidenceStore(pools.writer), newUuid((now += 1000)), () => now);
  for (let i = 0; i < records; i += 1) await made.append(entry());
  return made;
}

/** What an intruder with all rights of the database does. */
async function tamper(...statements: string[]): Promise<void> {
  await pools.owner.query(`set session_replication_role = replica; ${statements.join('; ')}; set session_replication_role = origin`);
}
const at = (seq: number): string => `log_id = '${log.logId}' and seq = ${seq}`;
const findings = async (): Promise<readonly AuditFinding['finding'][]> => {
  const result = await verifyAudit(evidenceStore(pools.writer).auditRows());
  expect(result.ok).toBe(result.findings.length === 0);
  return result.findings.map((each) => each.finding);
};

it('a log that nobody touched verifies', async () => {
  expect(await findings()).toEqual([]);
});

it('a log whose clock went on between a record and its commit verifies', async () => {
  let ticks = now;
  const ticking = new AuditLog(evidenceStore(pools.writer), newUuid((now += 1000)), () => (ticks += 60_000));
  await ticking.append(entry());
  await ticking.append(entry());
  expect(await findings()).toEqual([]);
});

describe('a log is found broken after', () => {
  it('an edit of a record', async () => {
    await tamper(`update audit_log set record = replace(record, 'somebody', 'nobody') where ${at(4)}`);
    expect(await findings()).toEqual(['edited']);
  });

  it('an edit of a record with its own hash made anew', async () => {
    await tamper(
      `update audit_log set record = replace(record, 'somebody', 'nobody') where ${at(4)}`,
      `update audit_log set hash = sha256('\\x00'::bytea || prev_hash || convert_to(record, 'UTF8')) where ${at(4)}`,
    );
    expect(await findings()).toEqual(['chain-broken']);
  });

  it('the removal of a record', async () => {
    await tamper(`delete from audit_log where ${at(5)}`);
    expect(await findings()).toEqual(['missing', 'chain-broken']);
  });

  it('the removal of the first record', async () => {
    await tamper(`delete from audit_log where ${at(0)}`);
    expect(await findings()).toEqual(['missing', 'chain-broken']);
  });

  it('the exchange of two records', async () => {
    await tamper(
      `update audit_log set seq = -1 where ${at(3)}`,
      `update audit_log set seq = 3 where ${at(4)}`,
      `update audit_log set seq = 4 where log_id = '${log.logId}' and seq = -1`,
    );
    expect(await findings()).toContain('chain-broken');
  });

  it('a record put between', async () => {
    await tamper(
      `update audit_log set seq = seq + 100 where log_id = '${log.logId}' and seq > 5`,
      `update audit_log set seq = seq - 99 where log_id = '${log.logId}' and seq > 100`,
      `insert into audit_log select log_id, 6, at, hash, hash, record from audit_log where ${at(5)}`,
    );
    expect(await findings()).toContain('edited');
  });

  it('the cutting of its end, once a later log has named its head', async () => {
    await written(1);
    await tamper(`delete from audit_log where log_id = '${log.logId}' and seq > 7`);
    expect(await findings()).toEqual(['head-lost']);
  });

  it('the removal of a whole log that a later one names', async () => {
    await written(1);
    await tamper(`delete from audit_log where log_id = '${log.logId}'`);
    expect(await findings()).toEqual(['head-lost']);
  });

  it('a rewriting of the whole chain, once a later log has named its head', async () => {
    await written(1);
    await tamper(
      `update audit_log set record = replace(record, 'somebody', 'nobody') where log_id = '${log.logId}'`,
      `do $$ declare r record; h bytea := decode(repeat('00', 32), 'hex');
      begin for r in select seq, record from audit_log where log_id = '${log.logId}' order by seq loop
        update audit_log set prev_hash = h, hash = sha256('\\x00'::bytea || h || convert_to(r.record, 'UTF8')) where log_id = '${log.logId}' and seq = r.seq returning hash into h; end loop; end $$`,
    );
    expect(await findings()).toEqual(['head-lost']);
  });

  it('a clock that was set back', async () => {
    now -= 60_000;
    await log.append(entry());
    expect(await findings()).toEqual(['clock-back']);
  });
});

it('neither the writer nor the owner changes a record without turning the guard off', async () => {
  for (const statement of ['update audit_log set record = record', 'delete from audit_log', 'truncate audit_log']) {
    await expect(pools.writer.query(statement)).rejects.toMatchObject({ code: '42501' });
    await expect(pools.owner.query(statement)).rejects.toMatchObject({ code: '55000' });
  }
});
