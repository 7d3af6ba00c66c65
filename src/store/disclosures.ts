import type { Pool } from 'pg';
import type { HoldKind } from '../kernel/index.js';
import type { DisclosedRun, ProtocolReach } from './evidence/disclosed-run.js';
import { reached, runsAbout } from './evidence/about-person.js';

export type { DisclosedRun, ProtocolReach } from './evidence/disclosed-run.js';

export interface HoldRow {
  readonly id: string;
  readonly kind: HoldKind;
  readonly at: Date;
  readonly until: Date;
  readonly endedAt: Date | null;
}

/** What an accounting of disclosures is made of, from `from` on and before `to` (milliseconds since 1970). */
export interface DisclosureEvents {
  /** The ordinal and the site of a person; null where there is none of that id. */
  personOf(patientId: string): Promise<{ readonly ordinal: number; readonly siteId: string } | null>;
  runsAbout(ordinal: number, from: number, to: number): Promise<readonly DisclosedRun[]>;
  /** Of runs that went to one of the recipients, or were for one of the purposes. */
  reachOf(
    of: { readonly recipients: readonly string[]; readonly purposes: readonly string[] },
    from: number,
    to: number,
  ): Promise<ProtocolReach>;
  holdsOn(patientId: string): Promise<readonly HoldRow[]>;
  placeHold(hold: {
    readonly id: string;
    readonly patientId: string;
    readonly kind: HoldKind;
    readonly until: number;
    readonly by: string;
    readonly at: number;
    readonly reason: string;
  }): Promise<HoldRow>;
  /** Null where none of that id is live. */
  endHold(end: { readonly id: string; readonly by: string; readonly at: number; readonly reason: string }): Promise<HoldRow | null>;
}

const HOLD = `select p.hold_id as id, p.kind, p.at, p.until, e.at as "endedAt" from disclosure_hold p
  left join disclosure_hold e on e.hold_id = p.hold_id and e.event = 'ended' where p.event = 'placed'`;

export function disclosureEvents(pool: Pool): DisclosureEvents {
  return {
    async personOf(patientId) {
      const { rows } = await pool.query<{ ordinal: number; siteId: string }>(
        'select ordinal, site_id as "siteId" from patient where patient_id = $1',
        [patientId],
      );
      return rows[0] ?? null;
    },
    runsAbout: (ordinal, from, to) => runsAbout(pool, ordinal, from, to),
    reachOf: (of, from, to) => reached(pool, of, from, to),
    async holdsOn(patientId) {
      const { rows } = await pool.query<HoldRow>(`${HOLD} and p.patient_id = $1 order by p.at, p.hold_id`, [patientId]);
      return rows;
    },
    async placeHold({ id, patientId, kind, until, by, at, reason }) {
      await pool.query(
        `insert into disclosure_hold (hold_id, event, patient_id, kind, until, by, at, reason) values ($1, 'placed', $2, $3, $4, $5, $6, $7)`,
        [id, patientId, kind, new Date(until), by, new Date(at), reason],
      );
      return { id, kind, at: new Date(at), until: new Date(until), endedAt: null };
    },
    async endHold({ id, by, at, reason }) {
      const { rowCount } = await pool.query(
        `insert into disclosure_hold (hold_id, event, patient_id, kind, until, by, at, reason)
         select hold_id, 'ended', patient_id, kind, until, $2, $3, $4 from disclosure_hold where hold_id = $1 and event = 'placed' and until > $3
         on conflict do nothing`,
        [id, by, new Date(at), reason],
      );
      if (rowCount === 0) return null;
      const { rows } = await pool.query<HoldRow>(`${HOLD} and p.hold_id = $1`, [id]);
      return rows[0] ?? null;
    },
  };
}
