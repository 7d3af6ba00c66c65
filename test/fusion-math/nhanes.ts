import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { frameOf, type Frame } from '../../src/kernel/frame.js';

const FOLDER = path.resolve(__dirname, '../../../shared/data/fusion/nhanes');

/** Real data where they lie; a run under CI without them fails instead of skipping. */
export const nhanesThere = existsSync(FOLDER);
if (!nhanesThere) {
  if (process.env['CI']) throw new Error('../shared/data/fusion/nhanes is absent and CI is set');
  process.stderr.write('skipped: ../shared/data/fusion/nhanes is absent\n');
}

function table(file: string): { header: string[]; rows: string[][] } {
  const [header, ...rows] = readFileSync(path.join(FOLDER, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(','));
  return { header: header!, rows };
}

export interface Cohort {
  readonly frames: Record<string, Frame>;
  readonly labels: Map<string, 0 | 1>;
  readonly folds: Map<string, number>;
  readonly keep: Record<string, Map<string, string[]>>;
}

export function readNhanes(): Cohort {
  const frames: Record<string, Frame> = {};
  for (const file of readdirSync(FOLDER).filter((name) => name.startsWith('mod_'))) {
    const { header, rows } = table(file);
    const columns = header.slice(1).map((name, j) => ({ name, unit: '1', values: Float64Array.from(rows, (row) => Number(row[j + 1])) }));
    frames[file.slice(4, -4)] = frameOf(
      rows.map((row) => row[0]!),
      columns,
    );
  }
  const keep = Object.fromEntries(
    ['25', '50', '75'].map((share) => {
      const { header, rows } = table(`keepmask_${share}.csv`);
      return [`drop${share}`, new Map(rows.map((row) => [row[0]!, header.slice(1).filter((_, j) => row[j + 1] === '1')]))];
    }),
  );
  return {
    frames,
    labels: new Map(table('labels.csv').rows.map((row) => [row[0]!, row[1] === '1' ? 1 : 0])),
    folds: new Map(table('folds.csv').rows.map((row) => [row[0]!, Number(row[1])])),
    keep,
  };
}
