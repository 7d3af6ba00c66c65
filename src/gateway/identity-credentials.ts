import type { IncomingMessage } from 'node:http';
import { refusedToken } from './token-claims.js';

/** Names under which a token is sent in an address (RFC 6750 section 2.3 and what else is seen). */
const IN_ADDRESS = new Set(['access_token', 'id_token', 'token', 'bearer', 'jwt', 'authorization', 'auth']);
const LIKE_A_TOKEN = /^(?:Bearer\s+)?eyJ[\w-]+\.[\w-]+\.[\w-]*$/i;

/**
 * The one Authorization header of a request, undefined where there is none; no other header tells who asks. Throws UNAUTHENTICATED where
 * there are two (which of them counts would depend on who reads), or where a token stands in the address, which ends up in logs.
 */
export function credentialOf(request: IncomingMessage): string | undefined {
  const url = request.url ?? '/';
  const search = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  for (const [name, value] of new URLSearchParams(search))
    if (IN_ADDRESS.has(name.toLowerCase()) || LIKE_A_TOKEN.test(value)) throw refusedToken();
  const headers = request.headersDistinct['authorization'] ?? [];
  if (headers.length > 1) throw refusedToken();
  return headers[0];
}
