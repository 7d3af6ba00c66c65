import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { CodedError } from '../kernel/index.js';

const FETCH_EVERY_MS_MIN = 30_000;
const FRESH_MS_MAX = 60_000;
const KEPT_MS_MAX = 600_000;
const KEYS_MAX = 100;

/**
 * The keys of one issuer as they change.
 * - At most one fetch in 30 s, however many unknown key ids arrive and however often it fails.
 * - A key set older than 60 s is read again beside the requests, so that a key that was taken out of it ends soon.
 * - While the issuer is away its known keys serve for 600 s after they were read; then nothing is accepted.
 * jose's own remote set keeps time by the clock of the machine and refreshes only when a key is missing.
 */
export class RotatingKeys {
  private keys: { readonly find: JWTVerifyGetKey; readonly readAt: number } | undefined;
  private triedAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly read: () => Promise<unknown>,
    /** Milliseconds of a clock that only goes forward. */
    private readonly steady: () => number,
    private readonly log: (line: string) => void,
  ) {}

  /** The key of a token by its header, as `jwtVerify` asks for it. Throws where there is none. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.age() > KEPT_MS_MAX) await this.refresh();
    else if (this.age() > FRESH_MS_MAX) void this.refresh();
    try {
      return await this.known()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.refresh();
      return this.known()(header, token);
    }
  };

  private age(): number {
    return this.keys ? this.steady() - this.keys.readAt : Infinity;
  }

  private known(): JWTVerifyGetKey {
    if (!this.keys || this.age() > KEPT_MS_MAX) throw new CodedError('UNAUTHENTICATED', 'The issuer has no keys that are known.');
    return this.keys.find;
  }

  /** Reads the keys again unless that was done, or tried, a short while ago. Never throws: what is known stays known until it is too old. */
  private async refresh(): Promise<void> {
    if (!this.reading) {
      const now = this.steady();
      if (now - this.triedAt < FETCH_EVERY_MS_MIN) return;
      this.triedAt = now;
      this.reading = this.load(now).finally(() => (this.reading = undefined));
    }
    await this.reading;
  }

  private async load(now: number): Promise<void> {
    try {
      const set = keySetOf(await this.read());
      this.keys = { find: createLocalJWKSet(set), readAt: now };
    } catch (error) {
      const why = error instanceof CodedError ? (error.detail ?? error.message) : 'not a key set';
      this.log(`The keys of a token issuer could not be read: ${why}.`);
    }
  }
}

/** A list of keys; jose takes none of it that is private, a shared secret, for encryption, or of another algorithm. */
function keySetOf(document: unknown): JSONWebKeySet {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new CodedError('UNAVAILABLE', 'The document is no key set.');
  return { keys: keys as JSONWebKeySet['keys'] };
}
