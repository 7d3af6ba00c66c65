import type { ExaminationFacts, FindingFacts } from '../kernel/index.js';
import {
  callersWhoArePersons,
  growthOf,
  runDetails,
  unreviewedGlass,
  usedAfterRevocation,
  type DisclosureEvents,
  type Pools,
} from '../store/index.js';

/** A day stands out with this many persons, and this many times what is usual for the caller. */
const GROWTH = { persons: 100, times: 5 } as const;
const DAY_MS = 86_400_000;

const UNANSWERABLE = [
  'Access by persons of the same surname: names of callers are not known here.',
  'Own records of callers whose log-in names no person of the mesh.',
  'Access after a role ended: when employment or a role ends is known to the identity provider alone; what was revoked here was looked at.',
] as const;

/** Looks through the log of [from, to) for what somebody should ask about. */
export async function examineLog(
  pool: Pools['writer'],
  events: Pick<DisclosureEvents, 'runsAbout'>,
  touched: (ids: Iterable<string>) => void,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Promise<ExaminationFacts> {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const none = { runs: null, persons: null, usual: null };
  const growth = await growthOf(pool, day(from), day(to + DAY_MS - 1), GROWTH);
  const glass = await unreviewedGlass(pool, from, to, now);
  const revoked = await usedAfterRevocation(pool, from, to);
  const findings: FindingFacts[] = [
    ...growth.map(({ principal, day: at, lastRun, runs, persons, usual }): FindingFacts => ({
      kind: 'GROWTH',
      at: at.toISOString(),
      principal,
      subject: lastRun,
      runs,
      persons,
      usual,
    })),
    ...glass.map(({ id, sub, at }): FindingFacts => ({
      ...none,
      kind: 'UNREVIEWED_BREAK_GLASS',
      at: at.toISOString(),
      principal: sub,
      subject: id,
    })),
    ...revoked.map(({ principal, runs, lastAt, lastRun }): FindingFacts => ({
      ...none,
      kind: 'AFTER_REVOCATION',
      at: lastAt.toISOString(),
      principal,
      subject: lastRun,
      runs,
    })),
    ...(await ownRecords(pool, events, touched, from, to)),
  ];
  return { findings: findings.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)), unanswerable: UNANSWERABLE };
}

/** Answers about the person whom the log-in of the caller names. */
async function ownRecords(
  pool: Pools['writer'],
  events: Pick<DisclosureEvents, 'runsAbout'>,
  touched: (ids: Iterable<string>) => void,
  from: number,
  to: number,
): Promise<FindingFacts[]> {
  const found: FindingFacts[] = [];
  for (const { caller, patientId, ordinal } of await callersWhoArePersons(pool)) {
    const runs = await events.runsAbout(ordinal, from, to);
    const details = await runDetails(
      pool,
      runs.map((run) => run.runId),
    );
    for (const { runId, at } of runs) {
      const detail = details.get(runId);
      if (detail?.caller !== caller) continue;
      touched([patientId]);
      found.push({
        kind: 'OWN_RECORD',
        at: new Date(at).toISOString(),
        principal: detail.principal,
        subject: runId,
        runs: 1,
        persons: null,
        usual: null,
      });
    }
  }
  return found;
}
