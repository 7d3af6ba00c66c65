/** Holds what artefacts show against what the oracle says, cell by cell. */
import type { Mask } from '../../src/kernel/index.js';
import { keyOf, maskedValue, type Shown } from './artefacts.js';
import type { Table, Tags } from './coordinates.js';
import { oracleCell, oracleRow, type Asking, type Facts, type Row, type Rules } from './oracle.js';
import { NOW } from './world.js';

export type Artefact = 'sql' | 'javascript' | 'schema' | 'shield';

/** over-disclosed: shown though the oracle hides it, or through a weaker mask; wrongly-hidden: the reverse. */
export interface Difference {
  readonly artefact: Artefact;
  readonly kind: 'over-disclosed' | 'wrongly-hidden';
  /** Coordinate and, for cells, the key of the row. */
  readonly where: string;
  /** What the oracle says. */
  readonly expected: string;
}

export interface Expected {
  readonly key: string;
  readonly visible: boolean;
  readonly cells: ReadonlyMap<string, { readonly value: unknown; readonly said: string; readonly clear: unknown }>;
}

/** What the oracle says of each row of a table. */
export function expectedOf(rules: Rules, asking: Asking, tags: Tags, table: Table, rows: readonly Row[], facts: Facts): Expected[] {
  const { entity } = table;
  const ofRow = tags.ofRow(entity);
  const ofCells = table.fields.map(({ field }) => tags.ofCell(field, entity));
  return rows.map((row) => {
    const key = keyOf(entity.key.map((column) => row.values[column]));
    const visible = oracleRow(rules, asking, ofRow, row, facts, NOW);
    const cells = new Map(
      table.fields.map((each, i) => {
        const verdict = oracleCell(rules, asking, { row: ofRow, cell: ofCells[i] ?? [] }, row, facts, NOW);
        const shown = (mask: Mask | null): unknown => normal(maskedValue(entity.patient, each, row.values, mask));
        const said = verdict.visible ? `${verdict.mask ?? 'clear'} by ${verdict.grantIds.join('+')}` : 'hidden';
        return [each.name, { value: verdict.visible ? shown(verdict.mask) : 'null', said, clear: shown(null) }] as const;
      }),
    );
    return { key, visible, cells };
  });
}

/** One text for equal values; what is not a number in JSON is null there. */
const normal = (value: unknown): string => (value === undefined ? 'null' : JSON.stringify(value));

export function differences(artefact: Artefact, table: Table, expected: readonly Expected[], shown: Shown): Difference[] {
  const found: Difference[] = [];
  const known = new Set(expected.map((each) => each.key));
  for (const key of shown.keys())
    if (!known.has(key)) found.push({ artefact, kind: 'over-disclosed', where: `${table.type} ${key}`, expected: 'no such row' });
  for (const { key, visible, cells } of expected) {
    const row = shown.get(key);
    if ((row !== undefined) !== visible) {
      const kind = visible ? 'wrongly-hidden' : 'over-disclosed';
      found.push({ artefact, kind, where: `${table.type} ${key}`, expected: visible ? 'a row' : 'no row' });
      continue;
    }
    if (!row) continue;
    for (const [name, { value, said, clear }] of cells) {
      const is = normal(row.get(name));
      if (is === value) continue;
      const kind = is === 'null' || (is !== clear && value === clear) ? 'wrongly-hidden' : 'over-disclosed';
      found.push({ artefact, kind, where: `${table.type}.${name} ${key}`, expected: said });
    }
  }
  return found;
}

/** Coordinates that one side has and the other has not. */
export function coordinateDifferences(artefact: Artefact, expected: ReadonlySet<string>, shown: ReadonlySet<string>): Difference[] {
  return [
    ...[...shown]
      .filter((each) => !expected.has(each))
      .map((where): Difference => ({ artefact, kind: 'over-disclosed', where, expected: 'hidden' })),
    ...[...expected]
      .filter((each) => !shown.has(each))
      .map((where): Difference => ({ artefact, kind: 'wrongly-hidden', where, expected: 'visible' })),
  ];
}
