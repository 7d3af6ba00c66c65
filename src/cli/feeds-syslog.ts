import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { RunStream, syslogFeed, type AuditEvent, type EvidenceRun, type SyslogOrigin } from '../evidence/index.js';
import { eventsOfRecords, siteAt, type RecordOfPersons } from '../gateway/index.js';
import { CodedError } from '../kernel/index.js';
import type { EvidenceStore } from '../store/index.js';
import type { Environment, FeedParts } from './feeds-settings.js';

const TIMEOUT_MS = 10_000;
/** Port of syslog over TLS (RFC 5425, section 4.1). */
const PORT = 6514;

/**
 * Sends the events of every run to `AUDIT_SYSLOG_URL` (tls://host:port) as ATNA messages; null where none is named. `AUDIT_SYSLOG_CA` is a file with the
 * certificates to trust, `AUDIT_SYSLOG_CERT` and `AUDIT_SYSLOG_KEY` those with the certificate and key of this side. Throws CONFIG_INVALID.
 */
export function syslogFeedOf(env: Environment, { evidence, cursor, source, log }: FeedParts): RunStream | null {
  const { AUDIT_SYSLOG_URL: url } = env;
  if (!url) return null;
  const target = targetOf(url, env);
  const origin: SyslogOrigin = { hostname: hostname(), appName: 'thalamus', procId: String(process.pid) };
  const site = siteAt(env['PUBLIC_URL'] || 'urn:thalamus:gateway');
  return new RunStream({
    name: 'syslog',
    cursor,
    source,
    log,
    async deliver(runs, signal) {
      const events = await eventsOfRecords(evidence.keys, await withPersons(evidence, runs), site, true);
      await sendAll(target, origin, events.flat(), signal);
      return null;
    },
  });
}

/** Records with the persons behind them. */
export async function withPersons(evidence: EvidenceStore, runs: readonly EvidenceRun[]): Promise<RecordOfPersons[]> {
  const sets = await evidence.runs.personsBehind(runs);
  return runs.map(({ record }) => ({ record, ordinals: record.set === null ? [] : (sets.get(record.set) ?? []) }));
}

function targetOf(text: string, env: Environment): ConnectionOptions {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'tls:' || url.hostname === '' || !/^\/?$/.test(url.pathname))
    throw new CodedError('CONFIG_INVALID', 'AUDIT_SYSLOG_URL has the form tls://host:port.');
  const { AUDIT_SYSLOG_CA: ca, AUDIT_SYSLOG_CERT: cert, AUDIT_SYSLOG_KEY: key } = env;
  if (!cert !== !key) throw new CodedError('CONFIG_INVALID', 'AUDIT_SYSLOG_CERT and AUDIT_SYSLOG_KEY go together.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: url.port === '' ? PORT : Number(url.port),
    minVersion: 'TLSv1.2',
    ...(ca ? { ca: readFile('AUDIT_SYSLOG_CA', ca) } : {}),
    ...(cert && key ? { cert: readFile('AUDIT_SYSLOG_CERT', cert), key: readFile('AUDIT_SYSLOG_KEY', key) } : {}),
  };
}

function readFile(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new CodedError('CONFIG_INVALID', `The file that ${name} names cannot be read.`);
  }
}

/** One connection a batch: it counts as taken once the server has closed behind the last byte, since syslog knows no answers. */
async function sendAll(target: ConnectionOptions, origin: SyslogOrigin, events: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
  if (events.length === 0) return;
  const socket = connect(target);
  const end = (): void => void socket.destroy(new Error('ended'));
  let complete = false;
  const closed = closing(socket, () => complete);
  // A fault is met where the next step waits; here it only must not go unheard.
  closed.catch(() => undefined);
  signal.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([connected(socket), closed]);
    const feed = syslogFeed(origin, (bytes) => Promise.race([written(socket, bytes), closed]));
    await feed.send(events);
    complete = true;
    socket.end();
    await closed;
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

const connected = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('secureConnect', resolve);
  });

const written = (socket: TLSSocket, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/** Resolves when the connection is closed after all was written; rejects where it ended before, or nothing moves any more. */
function closing(socket: TLSSocket, isComplete: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(Object.assign(new Error('the server is silent'), { code: 'ETIMEDOUT' })));
    socket.on('error', reject);
    socket.once('close', () => {
      if (isComplete() && socket.writableFinished) resolve();
      else reject(Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' }));
    });
    // What a server says is not read, but has to be taken for its end to be seen.
    socket.resume();
  });
}
