import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { dataTypes } from '../governance/index.js';
import {
  CodedError,
  DECLARATION,
  entityOf,
  isCoded,
  type FieldDeclaration,
  type FileAsset,
  type ReaderField,
  type Tag,
} from '../kernel/index.js';
import { rowSource, storedFiles, withReadSession, type ObjectStore, type StoredFile } from '../store/index.js';
import { sameText } from './file-token.js';
import { rangeOf, type ByteRange } from './file-range.js';
import type { Mesh } from './mesh.js';
import type { MeshRequest } from './request.js';

export const FILES_PATH = '/files/';

/** Files up to this size are held in memory between their check and their way out; larger ones are read twice. */
const HELD_BYTES_MAX = 8 * 1024 * 1024;

/** A file that the caller may have now. */
interface Granted {
  readonly asset: string;
  readonly digest: string;
  readonly stored: StoredFile;
  readonly versions: Readonly<Record<string, number>>;
}

/**
 * GET and HEAD of one file under its address. Whatever is wrong with an address, one that never was, one of somebody else, one that is over, and one
 * whose row the caller may no longer read in the clear get the same answer. The record of the read, with its bytes, is durable before the first of them leaves.
 * Throws NOT_FOUND, FILE_CHANGED, AUDIT_UNAVAILABLE, and EpochMoved where rights have changed.
 */
export async function serveFile(question: MeshRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { mesh } = question;
  const head = request.method === 'HEAD';
  if (!head && request.method !== 'GET') throw unknown(question, 'method');
  const granted = await grantedFile(question, (request.url ?? '').split('?', 1)[0]?.slice(FILES_PATH.length) ?? '');
  const { digest } = granted;
  const checked = await checkedBytes(mesh.parts.objects, digest);
  const etag = mesh.fileTokens.etagOf(digest);
  const headers = request.headersDistinct;
  const known = (headers['if-none-match'] ?? []).some((each) => each === '*' || each.split(',', 16).some((tag) => tag.trim() === etag));
  const ifRange = headers['if-range'];
  const range = known || (ifRange !== undefined && ifRange[0] !== etag) ? null : rangeOf(headers['range'] ?? [], checked.bytes);
  const status = known ? 304 : range === null ? 200 : range === 'unsatisfiable' ? 416 : 206;
  const span: ByteRange = status === 206 ? (range as ByteRange) : { from: 0, to: status === 200 ? checked.bytes : 0 };
  Object.assign(question.facts, {
    file: granted.asset,
    digest,
    status,
    method: head ? 'HEAD' : 'GET',
    range: head || span.to === 0 ? null : `${span.from}-${span.to - 1}/${checked.bytes}`,
  });
  await question.record({ kind: 'query', plan: null, data: null, versions: granted.versions, rows: 1 });
  response.statusCode = status;
  for (const [name, value] of Object.entries(headersOf(granted, etag, question.runId))) response.setHeader(name, value);
  if (status === 416 || status === 206)
    response.setHeader('content-range', status === 416 ? `bytes */${checked.bytes}` : `bytes ${span.from}-${span.to - 1}/${checked.bytes}`);
  if (status !== 304) response.setHeader('content-length', span.to - span.from);
  if (head || span.to === span.from) response.end();
  else await sendBytes(response, checked, span, mesh.parts.objects, digest);
}

function headersOf({ stored }: Granted, etag: string, runId: string): Record<string, string> {
  return {
    'content-type': stored.mediaType,
    'content-disposition': 'attachment; filename="file"',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'accept-ranges': 'bytes',
    etag,
    'x-lineage-id': runId,
  };
}

/** Judges an address by what the caller may do now. The reason of a refusal goes to the audit record only. */
async function grantedFile(question: MeshRequest, token: string): Promise<Granted> {
  const { mesh, principal, runtime, now } = question;
  const claim = mesh.fileTokens.open(token);
  if (!claim) throw unknown(question, 'address');
  const mine = sameText(claim.sub, principal.sub);
  const purpose = sameText(claim.purpose, principal.purpose);
  if (!mine || !purpose) throw unknown(question, mine ? 'purpose' : 'caller');
  if (now >= claim.expires) throw unknown(question, 'expired');
  const found = assetsOf(mesh).get(claim.asset);
  if (!found) throw unknown(question, 'asset');
  const { file, tags } = found;
  const { policyClass } = runtime;
  const entity = entityOf(file.of());
  return withReadSession(mesh.parts.pools.reader, question.wall, async (session) => {
    const source = rowSource(session, mesh.parts.types, {
      rule: (of) => policyClass.rowRule(of, tags, 'file', 'one'),
      values: { ...question.values, args: [], after: [], cursorDigest: [] },
      now,
      touched: question.touched,
    });
    const [row] = await source.rows({
      of: file.of,
      columns: [file.digest],
      where: { ...file.only, [file.patient]: claim.patient, [file.id]: claim.key },
      limit: 1,
    });
    const stored = (await storedFiles(session, [claim.digest])).get(claim.digest);
    if (!row || !stored || !sameText(String(row[file.digest]), claim.digest)) {
      // Nothing of the person leaves, so nobody stands behind the refusal.
      question.patients.clear();
      throw unknown(question, 'row');
    }
    const { rows } = await session.query<{ version: string }>({
      text: 'select version from dataset_version where dataset = $1',
      values: [entity.table],
    });
    const versions = Object.fromEntries(rows.map((each) => [entity.table, Number(each.version)]));
    return { asset: claim.asset, digest: claim.digest, stored, versions };
  });
}

function unknown(question: MeshRequest, why: string): CodedError {
  question.facts['refused'] = why;
  return new CodedError('NOT_FOUND', 'There is no such file.');
}

interface AssetRule {
  readonly file: FileAsset;
  /** Everything that one grant must cover in the clear. */
  readonly tags: readonly Tag[];
}

/** Files by the name of their asset, as the fields that lead to them declare it. */
function assetsOf(mesh: Mesh): ReadonlyMap<string, AssetRule> {
  const found = new Map<string, AssetRule>();
  for (const type of dataTypes(mesh.schema)) {
    for (const field of Object.values(type.getFields())) {
      const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
      if (declaration?.kind !== 'reader' || !declaration.file) continue;
      found.set(declaration.file.asset, {
        file: declaration.file,
        tags: mesh.classification.readerTags(declaration satisfies ReaderField),
      });
    }
  }
  return found;
}

interface Checked {
  readonly bytes: number;
  /** The whole file where it is small enough to be held. */
  readonly held: Buffer | null;
}

/** Reads a file to its end against its digest, before any byte of it leaves. Throws FILE_CHANGED, for one that is gone too. */
async function checkedBytes(objects: ObjectStore, digest: string): Promise<Checked> {
  let held: Buffer[] | null = [];
  let bytes = 0;
  try {
    for await (const part of objects.open(digest, { verify: true })) {
      bytes += part.length;
      if (bytes > HELD_BYTES_MAX) held = null;
      held?.push(Buffer.from(part));
    }
  } catch (error) {
    if (isCoded(error))
      throw new CodedError('FILE_CHANGED', 'The stored file is not what it was when it arrived.', { cause: error, detail: error.message });
    throw error;
  }
  return { bytes, held: held && Buffer.concat(held) };
}

async function sendBytes(
  response: ServerResponse,
  { bytes, held }: Checked,
  span: ByteRange,
  objects: ObjectStore,
  digest: string,
): Promise<void> {
  if (held) {
    response.end(held.subarray(span.from, span.to));
    return;
  }
  const whole = span.from === 0 && span.to === bytes;
  try {
    // Read a second time, the whole file is checked once more; its end is held back, so one that changed meanwhile is never complete.
    let waiting: Uint8Array | null = null;
    for await (const part of whole ? objects.open(digest, { verify: true }) : objects.open(digest, span)) {
      if (response.destroyed) return;
      if (waiting && !response.write(waiting)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      waiting = part;
    }
    response.end(waiting);
  } catch {
    response.destroy();
  }
}
