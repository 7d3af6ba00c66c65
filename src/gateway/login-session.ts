import { CodedError, LIMITS, type Principal } from '../kernel/index.js';
import { identityDigest, type SessionTouch } from '../store/index.js';
import { Lru } from './lru.js';

/** Where the activity of log-in sessions is kept. */
export interface SessionSource {
  touchSession(touch: SessionTouch): Promise<boolean>;
}

const IDLE_MS_MAX = LIMITS.session_idle_seconds_max * 1000;
const WRITTEN_EVERY_MS = 30_000;
const SESSIONS_KEPT_MAX = 20_000;

interface Activity {
  /** Last request that this process saw, and when the table was told last; milliseconds since 1970. */
  seen: number;
  written: number;
  writing?: Promise<boolean> | undefined;
}

/**
 * Log-in sessions that end when idle (45 CFR 164.312(a)(2)(iii), automatic logoff). Activity is written at most every 30 s, so that a
 * session that is used through another process may end up to 30 s early here, and never late. What ended stays ended.
 */
export class LoginSessions {
  private readonly active = new Lru<Activity>(SESSIONS_KEPT_MAX);

  constructor(
    private readonly source: SessionSource,
    /** Milliseconds since 1970, the same in every process. */
    private readonly clock: () => number,
  ) {}

  /** Notes a request of the session. False where the session has ended or is another's. Throws UNAVAILABLE. */
  async touch({ session, sub }: Pick<Principal, 'session' | 'sub'>): Promise<boolean> {
    if (session === undefined) return true;
    const digest = identityDigest('session', session);
    const key = `${digest} ${sub}`;
    const now = this.clock();
    const known = this.active.get(key);
    if (known && Math.abs(now - known.written) < WRITTEN_EVERY_MS && known.writing === undefined) {
      known.seen = Math.max(known.seen, now);
      return true;
    }
    const activity = known ?? { seen: 0, written: 0 };
    if (!known) this.active.set(key, activity);
    activity.writing ??= this.write(activity, { digest, sub, at: now, seen: activity.seen, idleMs: IDLE_MS_MAX });
    return activity.writing;
  }

  private async write(activity: Activity, touch: SessionTouch): Promise<boolean> {
    try {
      const alive = await this.source.touchSession(touch);
      if (alive) {
        activity.seen = Math.max(activity.seen, touch.at);
        activity.written = touch.at;
      }
      return alive;
    } catch (error) {
      throw new CodedError('UNAVAILABLE', 'The log-in session cannot be looked up.', {
        detail: error instanceof Error ? error.message : 'unknown',
        cause: error,
      });
    } finally {
      activity.writing = undefined;
    }
  }
}
