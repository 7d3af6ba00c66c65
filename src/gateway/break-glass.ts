import { entryOf, type AuditLog } from '../evidence/index.js';
import { newUuid, type BrokenGlass, type GlassDesk, type Principal } from '../kernel/index.js';
import type { BreakGlassStore, GlassRow } from '../store/index.js';
import { tell } from './errors.js';

export interface BreakGlassParts {
  readonly store: BreakGlassStore;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly policyVersion: () => string;
  readonly clock: () => number;
  readonly log: (line: string) => void;
}

/** DICOM PS3.16, CID 400 and CID 403: a security alert, of an emergency override that started or stopped. */
const STARTED = { event: 'Emergency Override Started', eventId: 'DCM 110113', eventType: 'DCM 110127', authorization: 'ETREAT' } as const;
const STOPPED = { event: 'Emergency Override Stopped', eventId: 'DCM 110113', eventType: 'DCM 110138', authorization: 'ETREAT' } as const;

/** Glass that other processes broke is looked for this often. */
const LOOK_MS = 60_000;
const RETRY_MS = 1_000;

/**
 * Emergency access of one process: the act, its alert and its two audit records. An act holds only when its record is durable, so where the
 * audit log is away no glass is broken.
 */
export class BreakGlass {
  /** When some glass will be over, or others are looked for. */
  private due = -Infinity;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: BreakGlassParts) {}

  /** What a hand-written operation of one caller may do. */
  desk({ runId, principal }: { readonly runId: string; readonly principal: Principal }): GlassDesk {
    const { store, clock } = this.parts;
    return {
      open: ({ patientId, reason, minutes }) =>
        this.inTurn(async () => {
          const now = clock();
          const glass = await store.open(
            { id: newUuid(now), sub: principal.sub, patientId, reason, runId, now, endsAt: now + minutes * 60_000 },
            (made) => this.record(made, STARTED, principal, { minutes, by: runId }),
          );
          this.due = Math.min(this.due, glass.endsAt.getTime());
          this.alert('started', glass);
          return told(glass);
        }),
      end: (id, whose) =>
        this.inTurn(async () => {
          const now = clock();
          const glass = await store.end({ id, sub: whose === 'own' ? principal.sub : null, actor: principal.sub, now }, (ended) =>
            this.record(ended, STOPPED, principal, { cause: 'ended', by: runId }),
          );
          if (glass) this.alert('ended', glass);
          return glass && told(glass);
        }),
      review: (id, verdict, note) =>
        this.inTurn(async () => {
          const now = clock();
          await this.stopOverdue(now);
          const glass = await store.review({ id, actor: principal.sub, verdict, note, now });
          return glass && told(glass);
        }),
    };
  }

  /** Records the end of glass whose time is over. It is asked before each request and costs a comparison where none is; faults do not concern the request. */
  async endOverdue(): Promise<void> {
    const now = this.parts.clock();
    if (now < this.due) return;
    this.due = now + RETRY_MS;
    try {
      await this.inTurn(() => this.stopOverdue(now));
    } catch {
      tell(this.parts.log, 'The end of an emergency override could not be recorded; it is tried again.');
    }
  }

  private async stopOverdue(now: number): Promise<void> {
    const ended: GlassRow[] = [];
    const next = await this.parts.store.endOverdue(now, async (glass) => {
      await this.record(glass, STOPPED, { sub: glass.sub, roles: [] }, { cause: 'time' });
      ended.push(glass);
    });
    this.due = Math.min(next, now + LOOK_MS);
    for (const glass of ended) this.alert('ended', glass);
  }

  /** Whom it is about stands in the evidence only; why stands with the glass only. */
  private async record(
    glass: GlassRow,
    event: typeof STARTED | typeof STOPPED,
    by: Pick<Principal, 'sub' | 'roles'>,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { audit, policyVersion, clock } = this.parts;
    // Records stand in the order of their time; when the glass was broken stands in the facts.
    const at = clock();
    await audit.append(
      entryOf({
        runId: newUuid(at),
        kind: 'admin',
        at,
        principal: by.sub,
        roles: by.roles,
        purpose: 'ETREAT',
        policyVersion: policyVersion(),
        patients: new Set(glass.registered ? [glass.patientId] : []),
        facts: { ...event, glass: glass.id, startedAt: glass.startedAt.toISOString(), endsAt: glass.endsAt.toISOString(), ...facts },
      }),
    );
  }

  private alert(what: 'started' | 'ended', glass: GlassRow): void {
    tell(this.parts.log, `ALERT emergency override ${what}: glass ${glass.id}, until ${(glass.endedAt ?? glass.endsAt).toISOString()}`);
  }

  /** One at a time: a transaction waits for its audit record, and that needs a connection of the same pool. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.last.then(work);
    this.last = next.catch(() => undefined);
    return next;
  }
}

const told = (glass: GlassRow): BrokenGlass => ({
  id: glass.id,
  startedAt: glass.startedAt.toISOString(),
  endsAt: glass.endsAt.toISOString(),
  endedAt: glass.endedAt?.toISOString() ?? null,
  reviewedAt: glass.reviewedAt?.toISOString() ?? null,
});
