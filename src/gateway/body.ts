import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { CodedError, LIMITS, isCoded } from '../kernel/index.js';

/** The body as JSON, at most 2 MB after decompression. Throws LIMIT_EXCEEDED or BAD_INPUT. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.method !== 'POST') return {};
  const type = (request.headers['content-type'] ?? '').toLowerCase();
  if (Number(request.headers['content-length'] ?? 0) > LIMITS.request_body_bytes_max) throw tooLarge();
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'gzip' && encoding !== 'identity')
    throw new CodedError('BAD_INPUT', 'The body is encoded in a way that is not read here; gzip is.');
  if (/charset=(?!"?utf-?8"?\s*(?:;|$))/.test(type)) throw new CodedError('BAD_INPUT', 'The body is read as UTF-8 only.');
  const bytes = await bytesOf(encoding === 'gzip' ? request.pipe(createGunzip()) : request);
  if (!type.startsWith('application/json')) return {};
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new CodedError('BAD_INPUT', 'The body is not JSON.');
  }
}

async function bytesOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of source) {
      size += part.length;
      if (size > LIMITS.request_body_bytes_max) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    throw isCoded(error) ? error : new CodedError('BAD_INPUT', 'The body cannot be read to its end.', { cause: error });
  }
  return Buffer.concat(parts);
}

const tooLarge = (): CodedError => new CodedError('LIMIT_EXCEEDED', 'The body is larger than the limit.');

/** The status of a reply in a form that the caller does not take. */
export const NOT_ACCEPTABLE = 406;

/** A refusal with a status of HTTP that its code does not have: 405, 406. */
export class HttpRefusal extends CodedError {
  constructor(
    readonly httpStatus: number,
    message: string,
  ) {
    super('BAD_INPUT', message);
  }
}

/** What Apollo refused before there was an operation, in the words of the closed table. Its sentences are fixed ones. */
export function refusalOf(status: number, body: string): CodedError {
  if (status < 400 || status >= 500) return new CodedError('INTERNAL', 'The request could not be answered.');
  const { errors } = JSON.parse(body) as { errors?: { message: string }[] };
  return new HttpRefusal(status, errors?.[0]?.message ?? 'The request is none that can be answered.');
}
