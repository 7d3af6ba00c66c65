import {
  BULK_RULE,
  COMBINED,
  accountingOf,
  assertAccountingRange,
  bulkCounts,
  type DisclosureEvent,
  type ProtocolFacts,
} from '../evidence/index.js';
import { edge, isLimited, recipientById, type Policy } from '../governance/index.js';
import {
  CodedError,
  isFlagged,
  isUuid,
  newUuid,
  type AccountingEntry,
  type AccountingHold,
  type AccountingQuestion,
  type BulkMeterFacts,
  type EvidenceDesk,
  type ReplayFacts,
  type SuspensionRequest,
} from '../kernel/index.js';
import { disclosureEvents, readBulkMeter, type DisclosedRun, type DisclosureEvents, type HoldRow } from '../store/index.js';
import { RequestLineage } from './lineage-desk.js';
import { seesAllEvidence } from './lineage-sight.js';
import { isOwnReceipt, replayRun } from './replay.js';
import type { MeshRequest, RunOperation } from './request.js';

const DAY_MS = 86_400_000;
const STUDY = 'study:';
/** What an accounting reads, for the lineage of the request. */
const READS = [
  'patient.patient_id',
  'lineage_patient_set.ordinals',
  'lineage_run.at',
  'lineage_run.recipient',
  'lineage_run.purpose',
  'lineage_plan.columns',
];

/** Evidence as hand-written operations ask for it. Who may ask was decided before; which persons the caller knows of is decided here. */
export class RequestEvidence implements EvidenceDesk {
  private readonly events: DisclosureEvents;

  constructor(
    private readonly request: MeshRequest,
    private readonly runOperation: RunOperation,
  ) {
    this.events = disclosureEvents(request.mesh.parts.pools.writer);
  }

  get lineage(): RequestLineage {
    return new RequestLineage(this.request);
  }

  async accounting({ patientId, from, to }: AccountingQuestion): Promise<readonly AccountingEntry[]> {
    const { now, mesh, columns } = this.request;
    assertAccountingRange(from, to, now);
    const { id, ordinal } = await this.person(patientId);
    for (const source of READS) columns.push(edge('Query.accountingOfDisclosures', source, 'DIRECT'));
    const { policy } = mesh;
    const runs = await this.events.runsAbout(ordinal, from, to);
    const events = runs.map((run) => eventOf(policy, run));
    const holds = (await this.events.holdsOn(id)).map((hold) => ({
      kind: hold.kind,
      at: hold.at.getTime(),
      until: hold.until.getTime(),
      endedAt: hold.endedAt?.getTime() ?? null,
    }));
    const protocols = await this.protocols(policy, events, from, to);
    return accountingOf({ events, holds, protocols, studies: policy.document.studies ?? {}, from, to, now });
  }

  async bulkMeter(id: string): Promise<BulkMeterFacts> {
    const { now, mesh, columns } = this.request;
    columns.push(edge('Query.bulkMeter', 'bulk_meter.recipient', 'DIRECT'), edge('Query.bulkMeter', 'bulk_meter.ordinal', 'INDIRECT'));
    const recipient = recipientById(mesh.policy, id);
    const reading = await readBulkMeter(mesh.parts.pools.writer, id, now, BULK_RULE.windowMonths);
    const today = Math.floor(now / DAY_MS) * DAY_MS;
    const daysUntil = (day: string | null | undefined): number =>
      day === null || day === undefined ? 0 : Math.round((Date.parse(day) - today) / DAY_MS);
    return {
      recipient: id,
      name: recipient.name,
      flagged: isFlagged(recipient),
      windowMonths: BULK_RULE.windowMonths,
      since: reading.since,
      counts: bulkCounts(reading).map((count) => ({
        ...count,
        daysUntilOldestFallsOut: daysUntil(count.category === COMBINED ? reading.firstFallsOut : reading.fallsOut[count.category]),
      })),
    };
  }

  async suspend({ patientId, kind, until, reason }: SuspensionRequest): Promise<AccountingHold> {
    const { now, principal, facts } = this.request;
    const { id } = await this.person(patientId);
    const hold = await this.events.placeHold({
      id: newUuid(now),
      patientId: id,
      kind,
      until,
      by: principal.sub,
      at: now,
      reason,
    });
    Object.assign(facts, { hold: hold.id, holdEvent: 'placed', holdKind: kind, holdUntil: hold.until.toISOString() });
    return told(hold);
  }

  async resume(holdId: string, reason: string): Promise<AccountingHold | null> {
    const { now, principal, facts } = this.request;
    const hold = await this.events.endHold({ id: holdId, by: principal.sub, at: now, reason });
    if (!hold) return null;
    Object.assign(facts, { hold: hold.id, holdEvent: 'ended', holdKind: hold.kind });
    return told(hold);
  }

  async replay({ id, checkpoint }: { readonly id: string; readonly checkpoint: string | null }): Promise<ReplayFacts> {
    const { mesh, principal, runtime, facts, columns } = this.request;
    for (const column of ['run_id', 'principal', 'result_digest', 'versions'])
      columns.push(edge('Query.replay', `lineage_run.${column}`, 'DIRECT'));
    const run = isUuid(id) ? await mesh.parts.evidence.pastRun(id.toLowerCase()) : null;
    const mine = run?.principal === principal.sub || seesAllEvidence(runtime.policyClass);
    if (!run || !mine || (checkpoint !== null && !isOwnReceipt(mesh, run, checkpoint)))
      throw new CodedError('NOT_FOUND', 'There is no such answer.', { place: 'receipt' });
    const outcome = await replayRun(mesh, run, this.runOperation);
    Object.assign(facts, { replay: { of: run.runId, verdict: outcome.verdict } });
    return { id: run.runId, ...outcome };
  }

  /** A person whom the caller may account for: registered, and of a site of the caller. The request is then about this person. */
  private async person(patientId: string): Promise<{ id: string; ordinal: number }> {
    const { sites } = this.request.principal;
    const id = patientId.toLowerCase();
    const found = isUuid(id) ? await this.events.personOf(id) : null;
    if (!found || (sites !== '*' && !sites.includes(found.siteId)))
      throw new CodedError('NOT_FOUND', 'There is no such person.', { place: 'patientId' });
    this.request.touched([id]);
    return { id, ordinal: found.ordinal };
  }

  /** The protocols under which events happened, with how many persons each reached in the range. */
  private async protocols(
    { document }: Policy,
    events: readonly DisclosureEvent[],
    from: number,
    to: number,
  ): Promise<ReadonlyMap<string, ProtocolFacts>> {
    const found = new Map<string, ProtocolFacts>();
    for (const id of new Set(events.flatMap((event) => event.protocol ?? []))) {
      const protocol = document.protocols && Object.hasOwn(document.protocols, id) ? document.protocols[id] : undefined;
      if (!protocol) continue;
      const recipients = Object.entries(document.recipients ?? {}).flatMap(([name, rule]) => (rule.protocol === id ? [name] : []));
      const { persons, firstAt, lastAt } = await this.events.reachOf({ recipients, purposes: [`${STUDY}${id}`] }, from, to);
      if (firstAt !== null && lastAt !== null) found.set(id, { ...protocol, persons, firstAt, lastAt });
    }
    return found;
  }
}

/** A recorded run as an accounting looks at it, under the recipients and grants of the policy in force. */
function eventOf(policy: Policy, run: DisclosedRun): DisclosureEvent {
  const { at, purpose, persons, columns, decisions, facts } = run;
  const recipient = recipientById(policy, run.recipient);
  const direct = columns.filter((column) => column.type === 'DIRECT').map((column) => column.source);
  const file = typeof facts['file'] === 'string' ? [facts['file']] : [];
  return {
    at,
    purpose,
    recipient,
    persons,
    limited: isLimited(policy.grants, decisions),
    // Under broken glass nobody asked for consent.
    consented: columns.some((column) => column.source.startsWith('consent_effect.')) && facts['breakGlass'] === undefined,
    sources: columns.length === 0 ? file : direct.length > 0 ? direct : columns.map((column) => column.source),
    protocol: recipient.protocol ?? (purpose.startsWith(STUDY) ? purpose.slice(STUDY.length) : null),
  };
}

const told = ({ id, kind, at, until, endedAt }: HoldRow): AccountingHold => ({
  id,
  kind,
  at: at.toISOString(),
  until: until.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
});
