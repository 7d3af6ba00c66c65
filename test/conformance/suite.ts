import { createReadStream, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isCoded, type CodedError } from '../../src/kernel/error.js';
import type { Format, Parsed, ParsedFault } from '../../src/kernel/format.js';

/** One case: what the folder, a sidecar file or an independent reading expects, and what the product gave. */
export interface Case {
  /** Path below the data folder, with a row or record where a file holds several cases. */
  readonly id: string;
  readonly verdict: 'passed' | 'failed' | 'skipped';
  readonly expected: string;
  readonly got: string;
}

export interface SuiteResult {
  readonly cases: readonly Case[];
  /** The figures of the suite, with the names of the command contract. */
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface Suite {
  readonly about: string;
  /** Reads everything of its form below `folder`; says what it does through `log`. */
  run(folder: string, log: (line: string) => void): Promise<SuiteResult>;
}

/** The present in milliseconds since 1970, for checks of device clocks. */
export const now = (): number => Math.round(performance.timeOrigin + performance.now());

/** Files below a folder that the pattern takes, relative, in the order of their names. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

/** What reading one file came to. `crash` is anything thrown that carries no code: a defect of the reader. */
export interface FileRead<T> {
  readonly records: readonly T[];
  readonly faults: readonly ParsedFault[];
  readonly thrown: CodedError | null;
  readonly crash: string | null;
}

/** Parses one file to its end. `each` sees the records as they come; they are kept only where it returns true. */
export async function readWith<T>(format: Format<T>, file: string, each: (value: T) => boolean = () => true): Promise<FileRead<T>> {
  const records: T[] = [];
  const faults: ParsedFault[] = [];
  const done = (thrown: CodedError | null, crash: string | null): FileRead<T> => ({ records, faults, thrown, crash });
  try {
    const input = createReadStream(file) as AsyncIterable<Uint8Array>;
    for await (const parsed of format.parse(input, { name: path.basename(file).toLowerCase(), now: now() })) take(parsed);
    return done(null, null);
  } catch (error) {
    return isCoded(error) ? done(error, null) : done(null, error instanceof Error ? `${error.name}: ${error.message}` : 'not an error');
  }
  function take(parsed: Parsed<T>): void {
    if (!parsed.ok) faults.push(parsed);
    else if (each(parsed.value)) records.push(parsed.value);
  }
}

/** Code and place of the first fault of a file, or 'read'. */
export function outcomeOf({ thrown, faults, crash }: Pick<FileRead<unknown>, 'thrown' | 'faults' | 'crash'>): string {
  if (crash !== null) return `crash: ${crash}`;
  const first = thrown ?? faults[0];
  return first === undefined ? 'read' : `${first.code} at ${first.place ?? 'the whole file'}`;
}

export const countOf = (cases: readonly Case[], verdict: Case['verdict']): number => cases.filter((one) => one.verdict === verdict).length;

/** Text of a sidecar file that lies beside a case, or null. */
export const beside = (file: string, name: string): string | null => {
  const full = path.join(path.dirname(file), name);
  return existsSync(full) ? full : null;
};

export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
