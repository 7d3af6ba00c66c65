import { isCoded, type CodedError } from '../kernel/error.js';
import type { IngestReport } from '../kernel/index.js';
import { apply } from './apply.js';
import { counted, faultsWith, type Counts } from './counts.js';
import { baseName, type PipelineDeps } from './deps.js';
import { ExpectationStop, screen, type Refusal, type StagedRecord } from './expect.js';
import { NO_PRODUCT, WHOLE_FILE, advance, closeFile, hold, lockFile, versionsOf, type FileFacts, type OpenFile } from './ledger.js';
import type { PlannedBinding } from './plan.js';
import { FileFault, readFile, type ReadItem } from './read.js';
import { weightOf } from './weight.js';

const CHUNK = { records: 20_000, bytes: 32 * 1024 * 1024 };

/** SQLSTATE classes of values that a column or a constraint does not take. */
const DATA_FAULT = /^2[23]/;

const positionOf = (item: ReadItem): number => (item.ok ? item.record.position : item.position);

/** The load of one file: its chunks, and how it ends. */
export class FileLoad {
  private counts: Counts;
  private next: number;
  private readonly versions: Record<string, number> = {};

  constructor(
    readonly facts: FileFacts,
    private readonly opened: OpenFile,
    private readonly deps: PipelineDeps,
  ) {
    this.counts = opened.counts;
    this.next = opened.next;
  }

  /** Reads from the start, since what a header says rules the records after it, and writes from the checkpoint on. */
  async run(planned: PlannedBinding): Promise<IngestReport> {
    const { records: recordsMax, bytes: bytesMax } = this.deps.chunk ?? CHUNK;
    const { digest, assembly } = this.facts;
    const reading = { digest, name: baseName(this.facts.name), assembly, arrivedAt: this.opened.arrivedAt };
    let items: ReadItem[] = [];
    let bytes = 0;
    let fault: CodedError | null = null;
    try {
      for await (const item of readFile(this.deps.store.objects, planned, reading)) {
        if (positionOf(item) < this.next) continue;
        items.push(item);
        bytes += weightOf(item);
        if (items.length < recordsMax && bytes < bytesMax) continue;
        await this.commit(items);
        items = [];
        bytes = 0;
      }
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      fault = error.fault;
    }
    if (items.length > 0) await this.commit(items);
    return this.close(fault);
  }

  /** One transaction. Where the database takes a value for bad, halves are tried, down to the record, which is refused. */
  private async commit(items: readonly ReadItem[]): Promise<void> {
    try {
      await this.commitWhole(items);
    } catch (error) {
      const coded = isCoded(error) && error.status === 422 && !(error instanceof ExpectationStop);
      const state = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
      if (!coded && !DATA_FAULT.test(state)) throw error;
      const [item] = items;
      if (items.length > 1) {
        const middle = items.length >> 1;
        await this.commit(items.slice(0, middle));
        await this.commit(items.slice(middle));
      } else if (item?.ok === true) {
        const { position, ordinal, place } = item.record;
        const code = coded ? error.code : 'SAMPLE_INVALID';
        const reason = coded ? error.message : `A value of the record does not fit its column (${state}).`;
        await this.commitWhole([{ ok: false, position, refusal: { ordinal, place, code, reason, asset: null, bytes: null } }]);
      } else {
        throw error;
      }
    }
  }

  private async commitWhole(items: readonly ReadItem[]): Promise<void> {
    const records: StagedRecord[] = [];
    const refused: Refusal[] = [];
    for (const item of items) {
      if (item.ok) records.push(item.record);
      else refused.push(item.refusal);
    }
    const last = items.at(-1);
    const span = { from: this.next, to: (last === undefined ? this.next : positionOf(last)) + 1 };
    const { plan, actor, store } = this.deps;
    const now = this.deps.now();
    const screened = screen(records, plan.assets);
    const origin = { digest: this.facts.digest, arrivedAt: this.opened.arrivedAt };
    const { counts, versions } = await store.transaction(async (tx) => {
      await lockFile(tx, this.facts.digest);
      const applied = await apply(tx, screened, { plan, origin, actor, now });
      const refusals = [...refused, ...applied.refusals];
      await hold(tx, this.facts, this.opened.updateId, refusals, now);
      const after = counted(this.counts, { records: items.length, screened, rows: applied.rows, refusals });
      await advance(tx, this.facts, this.opened.updateId, span, after);
      return { counts: after, versions: applied.versions };
    });
    Object.assign(this.versions, versions);
    this.counts = counts;
    this.next = span.to;
  }

  /** Adds what members of an archive came to. */
  add(report: IngestReport, place: string): void {
    const rows = { ...this.counts.rows };
    for (const [table, written] of Object.entries(report.rows)) rows[table] = (rows[table] ?? 0) + written;
    const faults = report.faults.map((fault) => ({ ...fault, code: fault.code as Refusal['code'], place: `${place} ${fault.place}` }));
    this.counts = {
      ...this.counts,
      records: this.counts.records + report.records,
      quarantined: this.counts.quarantined + report.quarantined,
      dropped: this.counts.dropped + report.dropped,
      rows,
      faults: faultsWith(this.counts.faults, faults),
    };
  }

  refuse(fault: CodedError): Promise<IngestReport> {
    return this.close(fault);
  }

  /** What the load of the same bytes came to, with no row of its own. */
  duplicate(): IngestReport {
    return {
      ...this.report('duplicate'),
      records: 0,
      rows: {},
      quarantined: 0,
      dropped: 0,
      faults: [],
      lineageId: this.counts.lineageId ?? '',
    };
  }

  /** Evidence comes before the file counts as done: a crash between the two tells it again, never leaves it out. */
  async close(fault: CodedError | null): Promise<IngestReport> {
    const { store, evidence } = this.deps;
    const kept = Object.values(this.counts.rows).some((written) => written > 0);
    const whole = fault === null && this.counts.quarantined === 0;
    // A file whose every record was refused is done with all the same: its records wait in quarantine.
    const status = whole ? 'ingested' : kept || fault === null ? 'partly' : 'refused';
    if (fault !== null) {
      const refusal: Refusal = {
        ordinal: WHOLE_FILE,
        place: fault.place ?? 'byte 0',
        code: fault.code,
        reason: fault.message,
        asset: null,
        bytes: null,
      };
      const known = this.counts.faults.filter((one) => one.code !== fault.code || one.reason !== fault.message);
      const named = { code: fault.code, place: refusal.place, reason: fault.message, count: 1 };
      this.counts = { ...this.counts, faults: [named, ...known] };
      await store.transaction((tx) => hold(tx, this.facts, this.opened.updateId, [refusal], this.deps.now()));
    }
    if (this.counts.quarantined > 0) await this.keepName();
    const datasets = Object.keys(this.counts.rows);
    // An earlier process may have written some of the tables.
    const unknown = datasets.filter((table) => this.versions[table] === undefined);
    if (unknown.length > 0) Object.assign(this.versions, await store.transaction((tx) => versionsOf(tx, unknown)));
    const versions = Object.fromEntries(datasets.map((table) => [table, this.versions[table] ?? 0]));
    const report = this.report(status);
    const lineageId = await evidence.ingested({ report, datasets, versions });
    this.counts = { ...this.counts, lineageId };
    await store.transaction((tx) => closeFile(tx, this.facts, this.opened.updateId, status, this.counts, this.deps.now()));
    return { ...report, lineageId };
  }

  /** The name may identify a person: it lies with the raw files, by its digest, and only where a release will need it. */
  private async keepName(): Promise<void> {
    const name = Buffer.from(this.facts.name);
    await this.deps.store.objects.put(oneChunk(name));
  }

  private report(status: IngestReport['status']): Omit<IngestReport, 'lineageId'> {
    const { digest, bytes, product, format } = this.facts;
    const { records, rows, quarantined, dropped, faults } = this.counts;
    const named = product === NO_PRODUCT ? null : product;
    return { digest, bytes, product: named, format, status, records, rows, quarantined, dropped, faults };
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
