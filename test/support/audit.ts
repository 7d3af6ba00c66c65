import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportLogs } from '../../src/cli/audit.js';
import { originOf, publicKeyOf, vkeyOf, type Receipt } from '../../src/evidence/index.js';
import type { Running } from '../../src/cli/wire.js';
import { runVerifier, type Finding } from '../audit/verifier.js';

/** What the stand-alone verifier says of all logs of a mesh, as an auditor would run it. */
export async function verifiedLogs(
  { evidence, mesh }: Pick<Running, 'evidence' | 'mesh'>,
  receipts: readonly Receipt[] = [],
): Promise<{ readonly ok: boolean; readonly records: number; readonly findings: readonly Finding[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'audit-logs-'));
  try {
    const keys = mesh.parts.keyring();
    await exportLogs(evidence, keys, folder);
    const names = (await evidence.heads()).map((head) => head.logId);
    const vkeys = names.flatMap((name) => keys.publicKeys.map((key) => vkeyOf(originOf(name), publicKeyOf(Buffer.from(key, 'base64')))));
    const { out, err } = await runVerifier(folder, { keys: vkeys, witnesses: [], checkpoints: [], receipts }, '--json');
    const last = out.trim().split('\n').at(-1);
    if (!last) throw new Error(err);
    return JSON.parse(last) as Awaited<ReturnType<typeof verifiedLogs>>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
