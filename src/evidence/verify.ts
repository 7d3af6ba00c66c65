import { chainHash, type AuditRow } from './audit-log.js';

export interface AuditFinding {
  readonly logId: string;
  readonly seq: number;
  readonly finding: 'missing' | 'edited' | 'chain-broken' | 'clock-back' | 'head-lost';
}

export interface AuditVerification {
  readonly ok: boolean;
  readonly logs: number;
  readonly records: number;
  readonly findings: readonly AuditFinding[];
}

/**
 * Checks every log: sequence without gap, each hash over its record and the one before, time that does not run back, and the heads that
 * later logs name. Rows come ordered by log and sequence.
 */
export async function verifyAudit(rows: AsyncIterable<AuditRow>): Promise<AuditVerification> {
  const findings: AuditFinding[] = [];
  const hashes = new Map<string, Map<number, string>>();
  const anchors: { logId: string; seq: number; hash: string }[] = [];
  let log = '';
  let expected = 0;
  let prev = Buffer.alloc(32);
  let at = 0;
  let records = 0;
  for await (const row of rows) {
    if (row.logId !== log) {
      log = row.logId;
      expected = 0;
      prev = Buffer.alloc(32);
      at = 0;
    }
    const report = (finding: AuditFinding['finding']): void => {
      findings.push({ logId: row.logId, seq: row.seq, finding });
    };
    if (row.seq !== expected) report('missing');
    if (!row.prev.equals(prev)) report('chain-broken');
    if (!chainHash(row.prev, row.record).equals(row.hash)) report('edited');
    const content = JSON.parse(row.record) as {
      seq: number;
      at: string;
      kind: string;
      heads?: { logId: string; seq: number; hash: string }[];
    };
    if (content.seq !== row.seq) report('edited');
    if (Date.parse(content.at) < at) report('clock-back');
    at = Date.parse(content.at);
    if (content.kind === 'log.opened') anchors.push(...(content.heads ?? []));
    const known = hashes.get(log) ?? new Map<number, string>();
    known.set(row.seq, row.hash.toString('hex'));
    hashes.set(log, known);
    expected = row.seq + 1;
    prev = Buffer.from(row.hash);
    records += 1;
  }
  for (const anchor of anchors) {
    if (hashes.get(anchor.logId)?.get(anchor.seq) !== anchor.hash)
      findings.push({ logId: anchor.logId, seq: anchor.seq, finding: 'head-lost' });
  }
  return { ok: findings.length === 0, logs: hashes.size, records, findings };
}
