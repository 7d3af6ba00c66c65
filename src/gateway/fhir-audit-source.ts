import { auditEventsOf, type AuditEvent, type AuditEventContext, type AuditRecord, type RecordKind } from '../evidence/index.js';
import { CodedError, isUuid } from '../kernel/index.js';
import type { EvidenceStore, FoundRun, RunPlace } from '../store/index.js';
import type { AuditEventFilter } from './fhir-audit-search.js';
import type { AuditEventSource } from './fhir-audit.js';

type Site = AuditEventContext['site'];

/** Who tells events of a mesh at an address. */
export const siteAt = (url: string): Site => ({ id: 'thalamus', name: 'Thalamus', url });

/** A record with the ordinals of the persons behind it, in their order. */
export interface RecordOfPersons {
  readonly record: AuditRecord;
  readonly ordinals: readonly number[];
}

/** Events of each record. Persons are named by the vault; who was erased is not named any more. With `persons` false nobody is. */
export async function eventsOfRecords(
  keys: Pick<EvidenceStore['keys'], 'patientsOf'>,
  records: readonly RecordOfPersons[],
  site: Site,
  persons: boolean,
): Promise<AuditEvent[][]> {
  const ordinals = persons ? [...new Set(records.flatMap((each) => each.ordinals))] : [];
  const known = ordinals.length === 0 ? new Map<number, string>() : await keys.patientsOf(ordinals);
  return records.map(({ record, ordinals: behind }) => {
    const patients = behind.flatMap((ordinal) => known.get(ordinal) ?? []);
    return auditEventsOf(record, { site, patients, mayReadQuery: false });
  });
}

/** So many runs are read at once. */
const RUNS_A_PAGE = 100;

/** A place among events: that of the run, and the number of the event among those of the run. */
interface EventPlace extends RunPlace {
  readonly event: number;
}

/** Events of the audit log of a mesh, the newest first. */
export function auditEventSource(store: Pick<EvidenceStore, 'auditRuns' | 'keys'>, site: Site): AuditEventSource {
  return {
    async events(filter, { count, after }) {
      const from = after === null ? null : placeOf(after);
      const wanted = await runFilterOf(store, filter);
      if (!wanted) return { events: [], next: null };
      const events: AuditEvent[] = [];
      let behind = from && { place: from as RunPlace, including: true };
      for (let first = true; ; first = false) {
        const runs = await store.auditRuns.page<RecordKind>(wanted, behind, RUNS_A_PAGE);
        if (first && from && !isAt(runs[0], from))
          throw new CodedError('CURSOR_INVALID', 'The page does not belong to this search.', { place: '_page' });
        const told = await eventsOfRecords(store.keys, runs, site, filter.persons);
        for (const [i, run] of runs.entries())
          for (const [event, each] of (told[i] ?? []).entries()) {
            const place = { at: run.at, runId: run.record.run, event };
            if ((isAt(run, from) && event < (from?.event ?? 0)) || !isWanted(filter, each)) continue;
            if (events.length === count) return { events, next: textOf(place) };
            events.push(each);
          }
        const last = runs.at(-1);
        if (!last || runs.length < RUNS_A_PAGE) return { events, next: null };
        behind = { place: { at: last.at, runId: last.record.run }, including: false };
      }
    },
  };
}

type Store = Pick<EvidenceStore, 'auditRuns' | 'keys'>;

/** What is asked of the store; null where nothing can be found. */
async function runFilterOf({ keys }: Store, filter: AuditEventFilter): Promise<Parameters<Store['auditRuns']['page']>[0] | null> {
  const { from, to, agent, patient, id, ownOf, persons } = filter;
  if (agent !== null && ownOf !== null && agent !== ownOf) return null;
  const [, run = null] = /^([0-9a-f-]{36})\./.exec(id ?? '') ?? [];
  if (id !== null && !(run !== null && isUuid(run))) return null;
  const ordinal = patient !== null && persons && isUuid(patient) ? await keys.ordinalOf(patient) : null;
  if (patient !== null && ordinal === null) return null;
  return { from, to, principal: ownOf ?? agent, ordinal, runId: run };
}

/** Of the events of a run about several persons each is about one. */
function isWanted({ id, patient, entityType }: AuditEventFilter, event: AuditEvent): boolean {
  if (id !== null && event.id !== id) return false;
  if (patient !== null && !event.entity.some(({ what }) => what?.reference === `Patient/${patient}`)) return false;
  return entityType === null || event.entity.some(({ type }) => type.system.endsWith('/audit-entity-type') && type.code === entityType);
}

const isAt = (run: FoundRun | undefined, place: EventPlace | null): boolean =>
  run !== undefined && place !== null && run.at === place.at && run.record.run === place.runId;

const textOf = ({ at, runId, event }: EventPlace): string => `${at}.${runId}.${event}`;

function placeOf(text: string): EventPlace {
  const [, at = '', runId = '', event = ''] = /^(\d{1,14})\.([0-9a-f-]{36})\.(\d{1,9})$/.exec(text) ?? [];
  if (at === '' || !isUuid(runId)) throw new CodedError('CURSOR_INVALID', 'The page does not belong to this search.', { place: '_page' });
  return { at: Number(at), runId, event: Number(event) };
}
