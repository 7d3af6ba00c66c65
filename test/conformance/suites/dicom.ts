import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { readDicom, type DicomRecord } from '../../../src/domains/imaging/formats/dicom.js';
import { isCoded } from '../../../src/kernel/error.js';
import { oracle, type OracleRow } from '../pydicom.js';
import { filesBelow, type Case, type Suite } from '../suite.js';

/** A reader that takes longer than this hangs (spec imaging D82). */
const FILE_MS_MAX = 2_000;
const START_MS_MAX = 30_000;
const RUNNER = path.resolve(__dirname, '../../../bin/ts.js');

type Tags = Omit<OracleRow, 'file' | 'read'>;
type Answer =
  | { readonly kind: 'read'; readonly incomplete: boolean; readonly tags: Tags }
  | { readonly kind: 'refused' | 'crashed'; readonly why: string };

const tagsOf = (record: DicomRecord): Tags => ({
  studyUid: record.studyUid,
  seriesUid: record.seriesUid,
  sopUid: record.sopUid,
  modality: record.modality,
  rows: record.rows,
  columns: record.columns,
});

function answerFor(file: string): Answer {
  try {
    const record = readDicom(bytesOf(file));
    return { kind: 'read', incomplete: record.incomplete, tags: tagsOf(record) };
  } catch (error) {
    if (isCoded(error)) return { kind: 'refused', why: `${error.code} at ${error.place ?? 'the whole file'}` };
    return { kind: 'crashed', why: error instanceof Error ? `${error.name}: ${error.message}` : 'not an error' };
  }
}

/** Fixtures are partly kept compressed with Zstandard, which Node 20 cannot read by itself. */
function bytesOf(file: string): Buffer {
  if (!file.endsWith('.zst')) return readFileSync(file);
  return spawnSync('zstd', ['-dc', file], { maxBuffer: 512 * 1024 * 1024 }).stdout;
}

if (!isMainThread) parentPort?.on('message', (file: string) => parentPort?.postMessage(answerFor(file)));

/** Reads files one after the other on a thread of its own, which is ended and replaced when it hangs. */
class Reader {
  private worker: Worker | null = null;

  private async start(): Promise<Worker> {
    const code = `require(${JSON.stringify(RUNNER)}); require(${JSON.stringify(__filename)}); require('node:worker_threads').parentPort.postMessage('ready');`;
    const worker = new Worker(code, { eval: true });
    if ((await next(worker, START_MS_MAX)) === null) throw new Error('The reading thread did not start.');
    return worker;
  }

  async read(file: string): Promise<Answer | null> {
    this.worker ??= await this.start();
    this.worker.postMessage(file);
    const answer = await next(this.worker, FILE_MS_MAX);
    const told = answer as Answer | null;
    if (told === null || told.kind === 'crashed') await this.end();
    return told;
  }

  async end(): Promise<void> {
    await this.worker?.terminate();
    this.worker = null;
  }
}

/** The next message of the thread, or null when none came in time. A thread that dies gives a crash. */
function next(worker: Worker, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (value: unknown): void => {
      clearTimeout(late);
      worker.off('message', settle).off('error', died);
      resolve(value);
    };
    const died = (error: Error): void => settle({ kind: 'crashed', why: error.message } satisfies Answer);
    const late = setTimeout(settle, ms, null);
    worker.on('message', settle).on('error', died);
  });
}

function caseOf(id: string, answer: Answer | null): Case {
  const right = answer !== null && (answer.kind === 'read' || (answer.kind === 'refused' && !answer.why.startsWith('INTERNAL')));
  const got =
    answer === null
      ? `no answer within ${FILE_MS_MAX} ms`
      : answer.kind === 'read'
        ? answer.incomplete
          ? 'read, incomplete'
          : 'read'
        : answer.why;
  return { id, verdict: right ? 'passed' : 'failed', expected: 'read, or refused with a code', got };
}

/** Names of the tags in which the two readers differ, over files that both read. */
function disagreements(answers: ReadonlyMap<string, Answer>, rows: readonly OracleRow[]): string[] {
  return rows.flatMap(({ file, read, ...theirs }) => {
    const ours = answers.get(file);
    if (!read || ours?.kind !== 'read') return [];
    const names = Object.keys(theirs) as (keyof Tags)[];
    return names.filter((name) => theirs[name] !== ours.tags[name]).map((name) => `${file}: ${name}`);
  });
}

/**
 * DICOM objects, bare data sets and files that only look like them (spec imaging D70): read, or refused with a code, never a crash and never
 * longer than two seconds. Where Python has pydicom, six header tags are compared over the files that both read.
 */
export const suite: Suite = {
  about: 'DICOM files, with pydicom as oracle where it is installed',
  async run(folder, log) {
    const zstd = spawnSync('zstd', ['--version']).status === 0;
    const cases: Case[] = [];
    const answers = new Map<string, Answer>();
    const count = { files: 0, read: 0, incomplete: 0, refused: 0, unnamed_refusals: 0, hung: 0, crashed: 0 };
    const reader = new Reader();
    for (const file of filesBelow(folder, /^(?!.*\.(txt|json|md|xml)$)/i)) {
      if (file.endsWith('.zst') && !zstd) {
        cases.push({ id: file, verdict: 'skipped', expected: 'read, or refused with a code', got: 'the program zstd is not installed' });
        continue;
      }
      const answer = await reader.read(path.join(folder, file));
      count.files += 1;
      if (answer === null) count.hung += 1;
      else count[answer.kind] += 1;
      if (answer?.kind === 'read' && answer.incomplete) count.incomplete += 1;
      if (answer?.kind === 'refused' && answer.why.startsWith('INTERNAL')) count.unnamed_refusals += 1;
      if (answer !== null) answers.set(file, answer);
      cases.push(caseOf(file, answer));
    }
    await reader.end();
    const rows = oracle(
      folder,
      [...answers.keys()].filter((file) => !file.endsWith('.zst')),
      log,
    );
    const differ = rows === null ? null : disagreements(answers, rows);
    const peer = {
      compared: rows?.filter(({ file, read }) => read && answers.get(file)?.kind === 'read').length ?? null,
      differing_tags: differ,
    };
    return { cases, figures: { ...count, disagreements: differ?.length ?? null, ...peer } };
  },
};
