import { CodedError } from '../kernel/index.js';

/** The fetch of the platform, or one of a test. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const MS_MAX = 5_000;
const BYTES_MAX = 65_536;

/**
 * Reads a JSON object from an issuer: no redirects, at most 5 s and 64 kB.
 * Throws UNAVAILABLE; what was wrong goes to the operator in `detail`.
 */
export async function fetchDocument(url: URL, get: Fetch): Promise<Readonly<Record<string, unknown>>> {
  try {
    const response = await get(url.href, {
      redirect: 'error',
      signal: AbortSignal.timeout(MS_MAX),
      headers: { accept: 'application/json' },
    });
    const body = await textOf(response);
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const document: unknown = JSON.parse(body);
    if (typeof document !== 'object' || document === null || Array.isArray(document)) throw new Error('no JSON object');
    return document as Record<string, unknown>;
  } catch (error) {
    throw new CodedError('UNAVAILABLE', 'A document of the token issuer cannot be read.', {
      detail: `${url.origin}${url.pathname}: ${error instanceof Error ? error.message : 'unknown'}`,
      cause: error,
    });
  }
}

async function textOf(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > BYTES_MAX) {
      await reader.cancel();
      throw new Error('too large');
    }
    chunks.push(value);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** A URL by which an issuer may be asked: https, or http on this machine where `local` allows it. Null for any other. */
export function issuerUrl(url: unknown, local: boolean): URL | null {
  if (typeof url !== 'string' || url.length > 2_048 || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') return null;
  if (parsed.protocol === 'https:') return parsed;
  return local && parsed.protocol === 'http:' && LOOPBACK.test(parsed.hostname) ? parsed : null;
}
