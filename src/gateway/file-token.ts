import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { LIMITS, isUuid, type FileRef, type Principal } from '../kernel/index.js';

/** What the address of a file stands for. */
export interface FileClaim extends FileRef {
  readonly sub: string;
  readonly purpose: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Claims are filled up to a multiple of this, so that the length of an address tells nothing of what it stands for. */
const BLOCK_BYTES = 512;
const TOKEN = /^[A-Za-z0-9_-]{700,4000}$/;
const CONTEXT = Buffer.from('thalamus file link 1');

/**
 * Addresses of files: the claim, encrypted and authenticated with AES-256-GCM (NIST SP 800-38D) under a key of the installation. The nonce is
 * an HMAC of the claim, so one nonce never serves two claims and equal claims have one address. Nothing of the file or its person is in clear.
 */
export class FileTokens {
  private readonly key: Buffer;
  private readonly nonceKey: Buffer;

  constructor(secret: Uint8Array) {
    this.key = createHmac('sha256', secret).update('file-link:key').digest();
    this.nonceKey = createHmac('sha256', secret).update('file-link:nonce').digest();
  }

  linkTo(file: FileRef, { sub, purpose }: Pick<Principal, 'sub' | 'purpose'>, now: number): { url: string; expiresAt: string } {
    const expires = now + LIMITS.file_link_seconds_max * 1000;
    const { asset, patient, key, digest } = file;
    return {
      url: `/files/${this.seal({ asset, patient, key, digest, sub, purpose, expires })}`,
      expiresAt: new Date(expires).toISOString(),
    };
  }

  seal({ asset, patient, key, digest, sub, purpose, expires }: FileClaim): string {
    const text = Buffer.from(JSON.stringify([asset, patient, key, digest, sub, purpose, expires]));
    const plain = Buffer.alloc(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES, ' ');
    text.copy(plain);
    const iv = createHmac('sha256', this.nonceKey).update(plain).digest().subarray(0, IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv, { authTagLength: TAG_BYTES }).setAAD(CONTEXT);
    return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** The claim of an address, null for anything that this installation did not make. */
  open(token: string): FileClaim | null {
    if (!TOKEN.test(token)) return null;
    const bytes = Buffer.from(token, 'base64url');
    // One text a token: the last character of base64url may have spare bits.
    if (bytes.toString('base64url') !== token) return null;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(CONTEXT)
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      return claimOf(JSON.parse(plain.toString()) as unknown);
    } catch {
      return null;
    }
  }

  /** A tag for caches that tells the digest of a file to nobody. */
  etagOf(digest: string): string {
    return `"${createHmac('sha256', this.nonceKey).update(`etag:${digest}`).digest('base64url')}"`;
  }
}

function claimOf(value: unknown): FileClaim | null {
  if (!Array.isArray(value) || value.length !== 7) return null;
  const [asset, patient, key, digest, sub, purpose, expires] = value as unknown[];
  const texts = [asset, patient, key, digest, sub, purpose].every((each) => typeof each === 'string');
  if (!texts || typeof expires !== 'number' || !isUuid(String(patient)) || !isUuid(String(key))) return null;
  return {
    asset: String(asset),
    patient: String(patient),
    key: String(key),
    digest: String(digest),
    sub: String(sub),
    purpose: String(purpose),
    expires,
  };
}

/** Equality in a time that tells nothing of where two texts differ. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
