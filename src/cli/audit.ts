import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { exportLog, originOf, publicKeyOf, vkeyOf, type Keyring } from '../evidence/index.js';
import { CodedError } from '../kernel/index.js';
import type { EvidenceStore } from '../store/index.js';
import { exportAuditEvents } from './export-evidence.js';
import { auditKeys, rotateAuditKey } from './home.js';
import { EXIT, put, say } from './output.js';
import { recordAct } from './record-act.js';
import type { Running } from './wire.js';

type Act = (work: (running: Running) => Promise<number>) => Promise<void>;

const VERIFIER = join(__dirname, '..', '..', '..', 'bin', 'audit-verify.mjs');

/** The log of this installation: what an auditor takes away, and what checks it. */
export function auditVerbs(verb: (name: string, description: string) => Command, act: Act): void {
  const audit = verb('audit', 'the audit log');
  const json = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json === true;
  audit
    .command('verify')
    .description('checks every record, tree, signature and cosignature by the stand-alone verifier')
    .option('--receipts <file>', 'receipts of answers, one JSON a line, that must be in the log')
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: { receipts?: string }, command: Command) => {
      await act((running) => verifyStored(running, options.receipts ?? null, json(command)));
    });
  audit
    .command('export')
    .description('writes the logs as C2SP tiles and checkpoints, for anybody to verify, or their events as FHIR resources')
    .argument('[folder]')
    .option('--fhir <file>', 'write FHIR R4 AuditEvents to this file instead, one JSON a line')
    .option('--json', 'print one JSON object as the last line')
    .action(async (folder: string | undefined, options: { fhir?: string }, command: Command) => {
      await act((running) => exported(running, folder, options.fhir, json(command)));
    });
  audit
    .command('roll-up')
    .description('packs records that are older than 400 days; nothing is lost by it, and questions read both')
    .option('--days <n>', 'records stay as rows for so many days, 30 at least', '400')
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: { days: string }, command: Command) => {
      await act(async (running) => {
        const rolled = await packRecords(running, Number(options.days));
        put(json(command) ? JSON.stringify(rolled) : `${rolled.records} records packed.`);
        return EXIT.fine;
      });
    });
  audit
    .command('keys')
    .description('prints the verifier keys of the logs, which an auditor should have from outside the log')
    .action(async () => {
      await act(async (running) => {
        for (const line of await verifierKeys(running.evidence, auditKeys(running.home))) put(line);
        return EXIT.fine;
      });
    });
  audit
    .command('rotate-key')
    .description('makes a new signing key; each log goes over to it by a record that the old key signs')
    .action(async () => {
      await act(async (running) => {
        const publicKey = rotateAuditKey(running.home);
        await recordAct(running, { act: 'audit rotate-key', key: publicKey });
        say('Gateways that run go over to the new key when they are started again.');
        return EXIT.fine;
      });
    });
}

async function exported(running: Running, folder: string | undefined, file: string | undefined, json: boolean): Promise<number> {
  if ((folder === undefined) === (file === undefined)) throw new CodedError('BAD_INPUT', 'Either a folder is named or --fhir with a file.');
  if (file !== undefined) {
    const { events, records } = await exportAuditEvents(running, file);
    put(json ? JSON.stringify({ events, records, file }) : `${events} events of ${records} records are in ${file}.`);
    return EXIT.fine;
  }
  if (folder === undefined) return EXIT.usage;
  // A head that was kept a moment ago may still be on its way to the witness.
  await running.feeds.drain();
  const { logs, records } = await exportLogs(running.evidence, auditKeys(running.home), folder);
  await recordAct(running, { act: 'audit export', log: 'exported', logs, records });
  put(json ? JSON.stringify({ logs, records, folder }) : `${records} records of ${logs} logs are in ${folder}.`);
  return EXIT.fine;
}

/** Packs old records and makes a record of it where there were any. */
export async function packRecords(running: Running, hotDays?: number): Promise<{ readonly packed: number; readonly records: number }> {
  if (hotDays !== undefined && !Number.isInteger(hotDays)) throw new CodedError('BAD_INPUT', 'Days are a whole number.');
  const { packed, records } = await running.evidence.rollUp({
    now: running.mesh.parts.clock(),
    ...(hotDays === undefined ? {} : { hotDays }),
  });
  if (records > 0) await recordAct(running, { act: 'audit roll-up', packed, records });
  return { packed, records };
}

/** Looking at the log is recorded first, so the record of it is among what is looked at. */
async function verifyStored(running: Running, receipts: string | null, json: boolean): Promise<number> {
  await recordAct(running, { act: 'audit verify', log: 'verified' });
  await running.feeds.drain();
  const folder = await mkdtemp(join(tmpdir(), 'thalamus-audit-'));
  try {
    const keys = auditKeys(running.home);
    await exportLogs(running.evidence, keys, join(folder, 'log'));
    await writeFile(join(folder, 'keys'), `${(await verifierKeys(running.evidence, keys)).join('\n')}\n`);
    const given = [...(receipts === null ? [] : ['--receipts', receipts]), ...(await keptOutside(running, folder))];
    const code = await run([VERIFIER, join(folder, 'log'), '--key', join(folder, 'keys'), ...given, ...(json ? ['--json'] : [])]);
    return code === 0 ? EXIT.fine : code === 1 ? EXIT.integrity : EXIT.fault;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the settings name of outside: the key of the witness, and heads that were deposited. */
async function keptOutside({ feeds: { anchoring } }: Running, folder: string): Promise<string[]> {
  const { witness, deposit } = anchoring;
  const given: string[] = [];
  if (witness) {
    await writeFile(join(folder, 'witness'), `${witness.vkey}\n`);
    given.push('--witness', join(folder, 'witness'));
  }
  if (deposit !== null && existsSync(deposit)) given.push('--checkpoints', deposit);
  else if (deposit !== null) say('The file of AUDIT_DEPOSIT is not there: heads that were deposited are not compared.');
  return given;
}

function run(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code ?? 2);
    });
  });
}

/** Every log into a folder of its own, as it stands at this moment; what was tampered with is written as it is found. */
export async function exportLogs(store: EvidenceStore, keys: Keyring, folder: string): Promise<{ logs: number; records: number }> {
  let logs = 0;
  let records = 0;
  for (const head of await store.heads()) {
    if (head.checkpoint === '') continue;
    const kept = await store.checkpoints(head.logId);
    const written = await exportLog(join(folder, head.logId), {
      records: store.leaves(head.logId),
      checkpoint: head.checkpoint,
      checkpoints: kept.map((each) => each.checkpoint),
      vkey: vkeyFor(head.logId, keys.publicKeys[0] ?? ''),
      asFound: true,
    });
    logs += 1;
    records += written.size;
  }
  return { logs, records };
}

const vkeyFor = (logId: string, publicKey: string): string => vkeyOf(originOf(logId), publicKeyOf(Buffer.from(publicKey, 'base64')));

async function verifierKeys(store: EvidenceStore, keys: Keyring): Promise<string[]> {
  const heads = await store.heads();
  return heads.flatMap((head) => keys.publicKeys.map((key) => vkeyFor(head.logId, key)));
}
