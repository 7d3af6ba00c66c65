import { readFileSync } from 'node:fs';
import path from 'node:path';
import { matchDataUse } from '../../../src/governance/data-use/data-use.js';
import { diseaseHierarchy } from '../../../src/governance/data-use/disease.js';
import { DUO_CODES } from '../../../src/governance/data-use/duo-codes.js';
import type { DataUseCondition } from '../../../src/governance/data-use/verdict.js';
import { filesBelow, type Suite } from '../suite.js';
import { packResult, type Expectation } from './conformance-cases.js';
import { ACADEMIC, AT, PARENTS, PROJECTS, TABLE, expectedOf } from './duo-expected.js';

const DISEASES = diseaseHierarchy(PARENTS);

/** A row of duo.csv; an abstract code has no shorthand. */
interface CsvRow {
  readonly id: string;
  readonly shorthand: string;
  readonly description: string;
}

function csvRows(text: string): CsvRow[] {
  const [, ...lines] = text.trim().split(/\r?\n/);
  return lines.map((line) => {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => cell.replace(/^"|"$/g, ''));
    return { id: cells[0] ?? '', shorthand: cells[1] ?? '', description: cells[3] ?? '' };
  });
}

const conditionOf = (name: string): DataUseCondition => ({ code: TABLE[name]?.id ?? name, values: TABLE[name]?.values ?? [] });
const verdicts = (conditions: readonly DataUseCondition[]): string =>
  PROJECTS.map((project) => (matchDataUse(conditions, project, AT, DISEASES).permitted ? '+' : '-')).join('');

/** The reason that a set of conditions gives the project that fulfils everything. */
const denial = (...conditions: readonly DataUseCondition[]): string =>
  matchDataUse(conditions, ACADEMIC, AT, DISEASES)
    .reasons.map(({ code, reason }) => `${code} ${reason}`)
    .join(', ');

/** The kind that a description states. */
function kindOf({ shorthand, description }: CsvRow): string {
  if (shorthand === '') return 'abstract';
  return description.startsWith('This data use permission') ? 'permission' : 'modifier';
}

function rowCase(row: CsvRow): Expectation {
  const known = Object.entries(DUO_CODES).find(([id]) => id === row.id)?.[1];
  const expected = `${row.shorthand} ${kindOf(row)}`;
  return { kind: 'code', id: `duo.csv ${row.id}`, expected, got: known === undefined ? 'unknown' : `${known.shorthand} ${known.kind}` };
}

const NAMES = Object.keys(TABLE);
const MODIFIERS = NAMES.filter((name) => TABLE[name]?.permission === false);
const PAIRS = NAMES.flatMap((one, at) => NAMES.slice(at + 1).map((other) => [one, other] as const));

const together = (kind: string, ...names: readonly string[]): Expectation => ({
  kind,
  id: names.join(' + '),
  expected: expectedOf(...names),
  got: verdicts(names.map(conditionOf)),
});

/** Codes that are not understood deny, whatever stands beside them, and are named. */
function faultCases(rows: readonly CsvRow[]): Expectation[] {
  const gru = conditionOf('GRU');
  const fault = (kind: string, code: string, values: readonly string[], reason: string): Expectation => ({
    kind,
    id: `GRU + ${code} (${values.join('; ') || 'no value'})`,
    expected: `${code} ${reason}`,
    got: denial(gru, { code, values }),
  });
  const abstracts = rows.filter(({ shorthand }) => shorthand === '').map(({ id }) => fault('abstract', id, [], 'code-abstract'));
  const unknown = ['DUO:0000005', 'DUO:0000014', 'DUO:9999999', 'DUO_0000042', 'duo:0000042', 'GRU', '', 'constructor'];
  const missing = NAMES.filter((name) => (TABLE[name]?.values.length ?? 0) > 0).map((name) => conditionOf(name).code);
  return [
    ...abstracts,
    ...unknown.map((code) => fault('unknown', code, [], 'code-unknown')),
    ...missing.map((code) => fault('parameter', code, [], 'parameter-missing')),
    ...['2026-13-01', '2026-02-30', '31.12.2026', '2026'].map((date) => fault('parameter', 'DUO:0000024', [date], 'parameter-invalid')),
    ...['0', '-1', '1.5', 'twelve'].map((months) => fault('parameter', 'DUO:0000025', [months], 'parameter-invalid')),
    fault('parameter', 'DUO:0000004', ['for us'], 'parameter-invalid'),
    fault('disease', 'DUO:0000007', ['MONDO:9999999'], 'disease-unknown'),
  ];
}

/**
 * The Data Use Ontology: each code of duo.csv is in the table with its kind; each of the 23 usable codes, and all 253 pairs of them, against
 * six projects and a truth table written by hand; what is not understood denies with the code as reason.
 */
export const suite: Suite = {
  about: 'data use conditions against a truth table written by hand',
  async run(folder) {
    const expectations: Expectation[] = [];
    for (const file of filesBelow(folder, /^duo\.csv$/)) {
      const rows = csvRows(readFileSync(path.join(folder, file), 'utf8'));
      expectations.push(...rows.map(rowCase), ...faultCases(rows));
      expectations.push(...NAMES.map((name) => (TABLE[name]?.permission ? together('single', name) : together('single', 'GRU', name))));
      expectations.push(...MODIFIERS.map((name) => together('modifier alone', name)));
      expectations.push(...PAIRS.map(([one, other]) => together('pair', one, other)));
    }
    return packResult(expectations);
  },
};
