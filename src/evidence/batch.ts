import { CodedError, canonical, digestOf, encodeOrdinals, newUuid } from '../kernel/index.js';
import type { AuditRecord, EvidenceEntry } from './entry.js';
import { BULK_CATEGORIES, type BulkCategory } from './disclosures/bulk-rule.js';
import { categoriesOf } from './disclosures/meter.js';
import type { LineagePlan } from './lineage.js';
import { leafHash, type CompactRange } from './merkle/tree.js';
import { sealQuestion } from './sealed.js';
import type { AuditRow, CallerRow, Charge, EvidenceSink, PatientSetRow, RunRow } from './sink.js';

/** An entry bundle gives the length of a record in two bytes (C2SP tlog-tiles). */
const RECORD_BYTES_MAX = 65_535;
/** A question that is longer cannot be asked again; its answer can still be accounted for. */
const SEALED_BYTES_MAX = 32_768;

export interface BatchContext {
  readonly sink: Pick<EvidenceSink, 'persons'>;
  readonly sealKey: Buffer;
  readonly writer: string;
  /** Microseconds of a clock that never runs back. */
  readonly mono: number;
  /** Digests of plans and callers that are stored. */
  readonly known: ReadonlySet<string>;
}

/** The rows of one commit; the tree grows with them. */
export class Batch {
  readonly audit: AuditRow[] = [];
  readonly runs: RunRow[] = [];
  readonly charges: Charge[] = [];
  private readonly planOf = new Map<string, LineagePlan>();
  private readonly callerOf = new Map<string, CallerRow>();
  private readonly setOf = new Map<string, PatientSetRow>();

  constructor(
    private readonly context: BatchContext,
    private readonly tree: CompactRange,
  ) {}

  get plans(): readonly LineagePlan[] {
    return [...this.planOf.values()];
  }

  get callers(): readonly CallerRow[] {
    return [...this.callerOf.values()];
  }

  get sets(): readonly PatientSetRow[] {
    return [...this.setOf.values()];
  }

  /** A record of the log about itself. */
  addOwn(kind: 'log.opened' | 'log.key', at: number, facts: Readonly<Record<string, unknown>>): void {
    this.push(at, { ...NOTHING, kind, run: newUuid(at), facts });
  }

  async add(entry: EvidenceEntry): Promise<void> {
    const { sink, sealKey, known } = this.context;
    const persons = entry.patients.size > 0 ? await sink.persons(entry.patients) : [];
    const ordinals = persons.map((person) => person.ordinal);
    const set = persons.length > 0 ? this.addSet(ordinals) : null;
    if (entry.plan && !known.has(entry.plan.digest)) this.planOf.set(entry.plan.digest, entry.plan);
    const caller = entry.caller === null ? null : this.addCaller(canonical(entry.caller));
    const keys = persons.map((person) => person.key);
    const whole = entry.question ? sealQuestion(entry.question, sealKey, keys, entry.runId) : null;
    const sealed = whole && whole.length > SEALED_BYTES_MAX ? null : whole;
    const facts = sealed === whole ? entry.facts : { ...entry.facts, questionTooLong: true };
    const row = this.push(entry.at, {
      kind: entry.kind,
      run: entry.runId,
      principal: entry.principal,
      roles: entry.roles,
      purpose: entry.purpose,
      recipient: entry.recipient?.id ?? null,
      caller,
      policy: entry.policyVersion,
      plan: entry.plan?.digest ?? null,
      patients: entry.patients.size,
      set,
      rows: entry.rows,
      result: entry.resultDigest,
      bytes: entry.bytes,
      versions: entry.versions,
      code: entry.code,
      facts,
      sealed: sealed?.toString('base64url') ?? null,
    });
    this.runs.push({ entry, seq: row.seq, setDigest: set, callerDigest: caller, sealed });
    this.charge(entry, ordinals);
  }

  /** Data of persons that went somewhere: without a plan nobody knows what they were, so they count as what is least forgiven. */
  private charge({ recipient, plan, at }: EvidenceEntry, ordinals: readonly number[]): void {
    if (!recipient || ordinals.length === 0) return;
    const categories = plan ? categoriesIn(plan) : BULK_CATEGORIES;
    if (categories.length > 0) this.charges.push({ recipient: recipient.id, flagged: recipient.flagged, categories, ordinals, at });
  }

  private addSet(ordinals: readonly number[]): string {
    const bytes = encodeOrdinals(ordinals);
    const digest = digestOf(bytes);
    this.setOf.set(digest, { digest, patients: ordinals.length, ordinals: bytes });
    return digest;
  }

  private addCaller(caller: string): string {
    const digest = digestOf(caller);
    if (!this.context.known.has(digest)) this.callerOf.set(digest, { digest, caller });
    return digest;
  }

  private push(at: number, content: Omit<AuditRecord, 'seq' | 'at' | 'mono' | 'writer'>): AuditRow {
    const { writer, mono } = this.context;
    const seq = this.tree.size;
    const record = canonical({ ...content, seq, at: new Date(at).toISOString(), mono, writer } satisfies AuditRecord);
    if (Buffer.byteLength(record) > RECORD_BYTES_MAX) throw new CodedError('LIMIT_EXCEEDED', 'What happened is too long for one record.');
    const row = { seq, at, hash: leafHash(record), record };
    this.tree.append(row.hash);
    this.audit.push(row);
    return row;
  }
}

const categories = new WeakMap<LineagePlan, readonly BulkCategory[]>();

function categoriesIn(plan: LineagePlan): readonly BulkCategory[] {
  const known = categories.get(plan);
  if (known) return known;
  const found = categoriesOf(plan.columns.map((column) => column.source));
  categories.set(plan, found);
  return found;
}

/** What a record of the log about itself says of everything else. */
const NOTHING = {
  principal: 'audit-log',
  roles: [],
  purpose: '',
  recipient: null,
  caller: null,
  policy: '',
  plan: null,
  patients: 0,
  set: null,
  rows: 0,
  result: null,
  bytes: 0,
  versions: {},
  code: null,
  sealed: null,
} as const;
