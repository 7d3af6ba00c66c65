import { protectTable, type PolicyClass, type Tell } from '../governance/index.js';
import { CodedError, LIMITS, entityOf, type CrossCount, type CrossTable, type CrossTableRequest, type Tag } from '../kernel/index.js';

/** Tags that one grant must give in the clear for a cross table: those of its rows, its dimensions and its filters. Throws FORBIDDEN. */
export function crossTableTags(policyClass: PolicyClass, request: CrossTableRequest): readonly Tag[] {
  const { classification } = policyClass;
  const entity = entityOf(request.of());
  const columns = [...request.axes.map((axis) => axis.column), ...Object.keys(request.where), ...Object.keys(request.between ?? {})];
  const tags = columns.flatMap((column) => {
    const found = classification.columnTags(request.of, column);
    if (!found) throw new CodedError('INTERNAL', 'A cross table names an unclassified column.');
    return found;
  });
  const all = [...new Set([...classification.rowTags(entity), ...tags])];
  if (policyClass.rowRule(entity, all, 'count').op === 'false')
    throw new CodedError('FORBIDDEN', 'Persons may not be counted by this value.', { place: 'by' });
  return all;
}

interface Counted {
  readonly at: readonly number[];
  readonly persons: readonly string[];
}

/**
 * Counts persons by the groups of each dimension. Where the class has a small-cell minimum, small numbers and those that would give them away
 * are withheld, and what is left passes the disclosure guard: the total first, then margins, then cells.
 */
export async function crossTable(
  request: CrossTableRequest,
  rows: readonly Readonly<Record<string, unknown>>[],
  min: number,
  tell: Tell,
): Promise<CrossTable> {
  const { axes } = request;
  const { patient = '', table } = entityOf(request.of());
  const placed = rows.map((row) => ({ id: String(row[patient]), groups: axes.map((axis) => axis.group(row[axis.column])) }));
  const values = axes.map((_, i) => [...new Set(placed.map((each) => each.groups[i] ?? ''))].sort());
  if (values.reduce((product, each) => product * each.length, 1) > LIMITS.cohort_cells_max)
    throw new CodedError('LIMIT_EXCEEDED', `A cross table has at most ${LIMITS.cohort_cells_max} cells.`, { place: 'by' });
  const cells = cellsOf(placed, values);
  const sizes = values.map((each) => each.length);
  const filled = cells.filter((cell) => cell.persons.length > 0);
  const pattern =
    min === 0
      ? null
      : protectTable(
          filled.map((cell) => ({ at: cell.at, count: cell.persons.length })),
          sizes,
          min,
        );
  const count = async (persons: readonly string[], open: boolean): Promise<CrossCount> => {
    const told = min === 0 || persons.length === 0 ? persons.length : open ? (await tell(min, [{ dataset: table, persons }]))[0] : null;
    return { count: told ?? null, suppressed: told === null || told === undefined };
  };
  const total = await count(
    placed.map((each) => each.id),
    pattern?.total ?? true,
  );
  const margins: CrossTable['margins'][number][] = [];
  for (const [i, axis] of axes.entries()) {
    for (const [place, value] of (values[i] ?? []).entries()) {
      const persons = cells.filter((cell) => cell.at[i] === place).flatMap((cell) => cell.persons);
      margins.push({ axis: axis.name, value, ...(await count(persons, pattern?.margins[i]?.[place] ?? true)) });
    }
  }
  const told: CrossTable['cells'][number][] = [];
  for (const cell of cells) {
    const open = pattern?.cells[filled.indexOf(cell)] ?? true;
    told.push({ values: cell.at.map((place, i) => values[i]?.[place] ?? ''), ...(await count(cell.persons, open)) });
  }
  return { cells: told, margins, total };
}

/** Every combination of the groups, the last dimension fastest. */
function cellsOf(placed: readonly { id: string; groups: readonly string[] }[], values: readonly (readonly string[])[]): Counted[] {
  const members = new Map<string, string[]>();
  for (const { id, groups } of placed) {
    const key = JSON.stringify(groups);
    const found = members.get(key);
    if (found) found.push(id);
    else members.set(key, [id]);
  }
  const places = values.reduce<number[][]>((made, each) => made.flatMap((at) => each.map((_, i) => [...at, i])), [[]]);
  return places.map((at) => ({ at, persons: members.get(JSON.stringify(at.map((place, i) => values[i]?.[place] ?? ''))) ?? [] }));
}
