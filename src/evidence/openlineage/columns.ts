import type { LineageEdge } from '../../kernel/index.js';
import type { LineagePlan } from '../lineage.js';

interface Transformation {
  readonly type: LineageEdge['type'];
  readonly subtype: 'IDENTITY' | 'TRANSFORMATION' | 'FILTER' | 'CONDITIONAL';
  readonly masking: boolean;
}

interface InputField {
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly transformations: readonly Transformation[];
}

export interface ColumnLineage extends Readonly<Record<string, unknown>> {
  readonly fields: Readonly<Record<string, { readonly inputFields: readonly InputField[] }>>;
  readonly dataset?: readonly InputField[];
}

/** Table and column of a source. */
export function partsOf(source: string): { readonly table: string; readonly column: string } {
  const dot = source.indexOf('.');
  return dot < 0 ? { table: source, column: '*' } : { table: source.slice(0, dot), column: source.slice(dot + 1) };
}

/** Tables that a plan reads, in the order of their names. */
export const tablesOf = (columns: readonly LineageEdge[]): readonly string[] =>
  [...new Set(columns.map((each) => partsOf(each.source).table))].sort();

/**
 * Column lineage of an answer (facet 1-2-0). What a field of the answer shows or depends on stands at the field; rows that were chosen, joined or ruled
 * out influence the answer as a whole. Sources and fields stand in the order of their names.
 */
export function columnLineage(namespace: string, { columns, decisions }: Pick<LineagePlan, 'columns' | 'decisions'>): ColumnLineage {
  const conditional = new Set(decisions.filter((each) => each.verdict === 'conditional').map((each) => each.coordinate));
  const direct = new Map<string, Set<string>>();
  for (const { coordinate, source, type } of columns)
    if (type === 'DIRECT') direct.set(coordinate, (direct.get(coordinate) ?? new Set()).add(source));

  const fields = new Map<string, FieldSources>();
  const whole = new FieldSources(namespace);
  for (const edge of columns) {
    const { coordinate, source, type, masking } = edge;
    const sources = direct.get(coordinate);
    if (type === 'INDIRECT') {
      const subtype = conditional.has(coordinate) ? 'CONDITIONAL' : 'FILTER';
      // A coordinate that shows nothing of its own chose the rows of all that stands below it.
      (sources ? fieldOf(coordinate) : whole).add(source, { type, subtype, masking });
    } else {
      const same = !masking && sources?.size === 1 && isSame(coordinate, source);
      fieldOf(coordinate).add(source, { type, subtype: same ? 'IDENTITY' : 'TRANSFORMATION', masking });
    }
  }
  function fieldOf(coordinate: string): FieldSources {
    let field = fields.get(coordinate);
    if (!field) fields.set(coordinate, (field = new FieldSources(namespace)));
    return field;
  }

  const dataset = whole.list();
  return {
    fields: Object.fromEntries(
      [...fields].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, { inputFields: field.list() }]),
    ),
    ...(dataset.length > 0 ? { dataset } : {}),
  };
}

/** Sources of one field, each once with all that is done with it. */
class FieldSources {
  private readonly bySource = new Map<string, Map<string, Transformation>>();

  constructor(private readonly namespace: string) {}

  add(source: string, transformation: Transformation): void {
    let known = this.bySource.get(source);
    if (!known) this.bySource.set(source, (known = new Map<string, Transformation>()));
    known.set(`${transformation.type} ${transformation.subtype} ${transformation.masking}`, transformation);
  }

  list(): InputField[] {
    const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
    return [...this.bySource].sort(byName).map(([source, known]) => {
      const { table, column } = partsOf(source);
      return {
        namespace: this.namespace,
        name: table,
        field: column,
        transformations: [...known].sort(byName).map(([, each]) => each),
      };
    });
  }
}

/** A field that is named as its only column shows it as it is; of any other nothing more is claimed than that it is derived. */
function isSame(coordinate: string, source: string): boolean {
  const field = coordinate.slice(coordinate.lastIndexOf('.') + 1);
  const column = partsOf(source).column;
  return field === column.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
