import { CodedError, type Principal } from '../kernel/index.js';
import { identityDigest, type RevocationList } from '../store/index.js';

/** Where revocations are kept: those newer than an epoch, with the present epoch. */
export interface RevocationSource {
  revocations(since: number): Promise<RevocationList>;
}

const READ_MS_MAX = 1_000;
const WAIT_MS_MAX = 2_000;
const STALE_MS_MAX = 5_000;

/**
 * The revoked tokens, log-in sessions and subjects, in memory. They are read again at most every second while requests come, and a request
 * waits for them when they are older than 2 s, so that a revocation holds within that time in every process. Where they cannot be read for
 * 5 s nothing is answered.
 */
export class Revocations {
  /** The epoch up to which revocations are known; -1 before the first reading. */
  epoch = -1;
  private readonly until = new Map<string, number>();
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly source: RevocationSource,
    /** Milliseconds since 1970. */
    private readonly clock: () => number,
    /** Milliseconds of a clock that only goes forward. */
    private readonly steady: () => number,
  ) {}

  /** Makes sure that what is known is at most 2 s old. Throws UNAVAILABLE where it is older than 5 s and cannot be read. */
  async fresh(): Promise<void> {
    const age = this.age();
    if (age < READ_MS_MAX) return;
    const reading = this.refresh();
    try {
      if (age < WAIT_MS_MAX) reading.catch(() => undefined);
      else await reading;
    } catch (error) {
      if (this.age() > STALE_MS_MAX) throw error;
    }
  }

  /** Makes sure that everything up to this epoch is known: for a transaction that saw a newer one. Throws UNAVAILABLE. */
  async upTo(epoch: number): Promise<void> {
    // A reading that was under way may have begun before that epoch; the next one has not.
    for (let tries = 0; epoch > this.epoch && tries < 2; tries++) await this.refresh();
    if (epoch > this.epoch) throw unavailable(undefined);
  }

  /** Reads what is new. Requests that ask at once share one reading. Throws UNAVAILABLE. */
  async refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    await this.reading;
  }

  /** True where the token, its session, its subject or anybody who acts in its chain is revoked. */
  isRevoked({ tokenId, session, sub, actors = [] }: Pick<Principal, 'tokenId' | 'sub' | 'session' | 'actors'>): boolean {
    if (this.until.size === 0) return false;
    const named = [
      identityDigest('token', tokenId),
      ...(session === undefined ? [] : [identityDigest('session', session)]),
      ...[sub, ...actors.map((actor) => actor.sub)].map((each) => identityDigest('subject', each)),
    ];
    const now = this.clock();
    return named.some((digest) => (this.until.get(digest) ?? -Infinity) > now);
  }

  private age(): number {
    return this.steady() - this.readAt;
  }

  private async read(): Promise<void> {
    const begun = this.steady();
    const now = this.clock();
    try {
      const { epoch, entries } = await this.source.revocations(this.epoch);
      for (const { digest, until } of entries) this.until.set(digest, Math.max(until ?? Infinity, this.until.get(digest) ?? -Infinity));
      for (const [digest, until] of this.until) if (until <= now) this.until.delete(digest);
      this.epoch = Math.max(epoch, this.epoch);
      this.readAt = begun;
    } catch (error) {
      throw unavailable(error);
    }
  }
}

function unavailable(cause: unknown): CodedError {
  return new CodedError('UNAVAILABLE', 'The list of revoked tokens cannot be read.', {
    detail: cause instanceof Error ? cause.message : 'unknown',
    cause,
  });
}
