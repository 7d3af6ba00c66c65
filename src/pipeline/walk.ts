import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { CodedError, isCoded } from '../kernel/error.js';
import type { IngestReport } from '../kernel/index.js';
import { baseName, type FileInput, type PipelineDeps } from './deps.js';
import { detect, headOf } from './detect.js';
import { ingestFile } from './run.js';

export interface FileOutcome {
  readonly path: string;
  readonly status: IngestReport['status'];
  readonly format: string | null;
  readonly records: number;
  readonly quarantined: number;
  readonly faults: IngestReport['faults'];
}

export interface IngestTotals {
  readonly files: readonly FileOutcome[];
  readonly ingested: number;
  readonly partly: number;
  readonly refused: number;
  readonly duplicate: number;
  readonly records: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly quarantined: number;
  /** Faults by code, over all files. */
  readonly byCode: Readonly<Record<string, number>>;
}

export interface IngestProgress {
  readonly done: number;
  readonly total: number;
  readonly last: FileOutcome;
}

/** The product whose files come first, since they say who is who. */
const IDENTITY_PRODUCT = 'patients';

/**
 * Loads files and folders, the latter in the order of their names without dot files and links. Files of persons and crosswalks come
 * before all others. A file that cannot be read counts as refused. Throws what ingestFile throws.
 */
export async function ingestPaths(
  paths: readonly string[],
  deps: PipelineDeps,
  onProgress: (progress: IngestProgress) => void = () => undefined,
  options: { readonly assembly?: string; readonly product?: string } = {},
): Promise<IngestTotals> {
  const found: { path: string; name: string }[] = [];
  for (const path of paths) await collect(path, found);
  const ranked: { path: string; name: string; rank: number }[] = [];
  for (const file of found) ranked.push({ ...file, rank: await rankOf(file, deps) });
  ranked.sort((a, b) => a.rank - b.rank);
  const totals = new Totals();
  const load = async ({ path, name }: { path: string; name: string }): Promise<void> => {
    const outcome = await ingestOne(path, { ...options, name, open: () => createReadStream(path) as AsyncIterable<Buffer> }, deps, totals);
    onProgress({ done: totals.files.length, total: ranked.length, last: outcome });
  };
  const last = deps.plan.bindings.length;
  // Who is who comes first, one file after the other; the rest wait for the disk together.
  for (const file of ranked) if (file.rank < last) await load(file);
  const queue = ranked.filter((file) => file.rank === last).values();
  const twins: typeof ranked = [];
  const loadOrWait = async (file: (typeof ranked)[number]): Promise<void> => {
    await load(file).catch((error: unknown) => {
      // The same bytes under two names, at the same moment: the second waits and finds them known.
      if (!isCoded(error) || error.code !== 'CONFLICT') throw error;
      twins.push(file);
    });
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, () => drain(queue, loadOrWait)));
  for (const file of twins) await load(file);
  return totals.sum(ranked.map((file) => file.path));
}

const FILES_AT_ONCE = 8;

/** Takes the next until none is left; several do so side by side. A fault ends them all. */
async function drain<T>(queue: Iterator<T>, work: (item: T) => Promise<void>): Promise<void> {
  for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
}

async function ingestOne(path: string, file: FileInput, deps: PipelineDeps, totals: Totals): Promise<FileOutcome> {
  try {
    return totals.take(path, await ingestFile(file, deps));
  } catch (error) {
    const unreadable = !isCoded(error) && error instanceof Error && 'syscall' in error && 'path' in error && error.path === path;
    if (!unreadable && !(isCoded(error) && error.status === 422 && error.code !== 'EXPECTATION_FAILED')) throw error;
    const fault = isCoded(error) ? error : new CodedError('FILE_UNREADABLE', 'The file cannot be read.');
    return totals.refuse(path, fault);
  }
}

async function collect(path: string, found: { path: string; name: string }[]): Promise<void> {
  const root = resolve(path);
  const facts = await stat(root).catch((error: unknown) => {
    throw new CodedError('FILE_UNREADABLE', 'A path does not exist or may not be read.', { cause: error });
  });
  if (!facts.isDirectory()) {
    found.push({ path: root, name: basename(root) });
    return;
  }
  const walk = async (folder: string, name: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await walk(join(folder, entry.name), `${name}/${entry.name}`);
      else if (entry.isFile()) found.push({ path: join(folder, entry.name), name: `${name}/${entry.name}`.split(sep).join('/') });
    }
  };
  await walk(root, basename(root));
}

/** The place of the format in the plan for files of identity; all others come after them and keep their order. */
async function rankOf(file: { path: string; name: string }, deps: PipelineDeps): Promise<number> {
  const last = deps.plan.bindings.length;
  try {
    const head = await headOf(createReadStream(file.path, { end: 65_535 }) as AsyncIterable<Buffer>);
    const detected = detect(head, baseName(file.name), deps.plan);
    if (detected.kind !== 'file' || detected.planned.product !== IDENTITY_PRODUCT) return last;
    return deps.plan.bindings.indexOf(detected.planned);
  } catch {
    return last;
  }
}

class Totals {
  readonly files: FileOutcome[] = [];
  private readonly statuses = { ingested: 0, partly: 0, refused: 0, duplicate: 0 };
  private readonly rows: Record<string, number> = {};
  private readonly byCode: Record<string, number> = {};
  private records = 0;
  private quarantined = 0;

  take(path: string, report: IngestReport): FileOutcome {
    const { status, format, records, quarantined, faults } = report;
    for (const [table, written] of Object.entries(report.rows)) this.rows[table] = (this.rows[table] ?? 0) + written;
    this.records += records;
    this.quarantined += quarantined;
    return this.push({ path, status, format, records, quarantined, faults });
  }

  refuse(path: string, { code, place, message }: CodedError): FileOutcome {
    const fault = { code, place: place ?? 'byte 0', reason: message, count: 1 };
    return this.push({ path, status: 'refused', format: null, records: 0, quarantined: 0, faults: [fault] });
  }

  /** Files in the order given. */
  sum(order: readonly string[]): IngestTotals {
    const { rows, byCode, records, quarantined } = this;
    const rank = new Map(order.map((path, index) => [path, index]));
    const files = [...this.files].sort((a, b) => (rank.get(a.path) ?? 0) - (rank.get(b.path) ?? 0));
    return { files, ...this.statuses, records, rows, quarantined, byCode };
  }

  private push(outcome: FileOutcome): FileOutcome {
    this.statuses[outcome.status] += 1;
    for (const fault of outcome.faults) this.byCode[fault.code] = (this.byCode[fault.code] ?? 0) + fault.count;
    this.files.push(outcome);
    return outcome;
  }
}
