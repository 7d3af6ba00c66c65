import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Kind, type DocumentNode } from 'graphql';
import { lineagePlan } from '../evidence/index.js';
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
import { openChecked, rowSource, storedFiles, withReadSession, type CheckedObject, type StoredFile } from '../store/index.js';
import { distinctEdges, sourceReadEdges } from './lineage-edges.js';
import { sameText } from './file-token.js';
import { rangeOf, type ByteRange } from './file-range.js';
import type { Mesh } from './mesh.js';
import type { MeshRequest } from './request.js';

export const FILES_PATH = '/files/';

/** A file is asked for by its address. */
const NO_DOCUMENT: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] };

/** Spans up to this size are held in memory between their check and their way out; larger ones are read twice. */
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
  Object.assign(question.facts, { file: granted.asset, digest });
  const checked = await asArrived(openChecked(mesh.parts.objects, digest, granted.stored));
  const etag = mesh.fileTokens.etagOf(digest);
  const headers = request.headersDistinct;
  const known = (headers['if-none-match'] ?? []).some((each) => each === '*' || each.split(',', 16).some((tag) => tag.trim() === etag));
  const ifRange = headers['if-range'];
  const range = known || (ifRange !== undefined && ifRange[0] !== etag) ? null : rangeOf(headers['range'] ?? [], checked.bytes);
  const status = known ? 304 : range === null ? 200 : range === 'unsatisfiable' ? 416 : 206;
  const span: ByteRange = status === 206 ? (range as ByteRange) : { from: 0, to: status === 200 ? checked.bytes : 0 };
  const held = await asArrived(checkedSpan(checked, span));
  Object.assign(question.facts, {
    status,
    method: head ? 'HEAD' : 'GET',
    range: head || span.to === 0 ? null : `${span.from}-${span.to - 1}/${checked.bytes}`,
  });
  const plan = lineagePlan(NO_DOCUMENT, distinctEdges(question.columns), [], question.runtime.policyClass.policyVersion);
  await question.record({ kind: 'query', plan, data: null, versions: granted.versions, rows: 1, bytes: head ? 0 : span.to - span.from });
  response.statusCode = status;
  for (const [name, value] of Object.entries(headersOf(granted, etag, question.runId))) response.setHeader(name, value);
  if (status === 416 || status === 206)
    response.setHeader('content-range', status === 416 ? `bytes */${checked.bytes}` : `bytes ${span.from}-${span.to - 1}/${checked.bytes}`);
  if (status !== 304) response.setHeader('content-length', span.to - span.from);
  if (head || span.to === span.from) response.end();
  else if (held) response.end(held);
  else await sendBytes(response, checked, span);
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
      read: (what) => {
        question.columns.push(...sourceReadEdges(claim.asset, what));
      },
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

/** Gives bytes that were held against their digests. Throws FILE_CHANGED, for a file that is gone too; the digest goes to the operator only. */
async function asArrived<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (isCoded(error))
      throw new CodedError('FILE_CHANGED', 'The stored file is not what it was when it arrived.', {
        cause: error,
        detail: `${error.message} ${error.place ?? ''}`.trim(),
      });
    throw error;
  }
}

/** Reads the span to its end before any byte of it leaves; returns it where it is small enough to be held. */
async function checkedSpan(checked: CheckedObject, { from, to }: ByteRange): Promise<Buffer | null> {
  const held: Uint8Array[] | null = to - from <= HELD_BYTES_MAX ? [] : null;
  for await (const part of checked.span(from, to)) held?.push(part);
  return held && Buffer.concat(held);
}

/** Read a second time, each chunk is checked once more before it leaves, so a file that changed meanwhile is never complete. */
async function sendBytes(response: ServerResponse, checked: CheckedObject, { from, to }: ByteRange): Promise<void> {
  try {
    for await (const part of checked.span(from, to)) {
      if (response.destroyed) return;
      if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  } catch {
    response.destroy();
  }
}
