import type { Facet, Facets, InputDataset, OutputDataset, RunEvent } from './model.js';

/** Name of the one node that stands for all that a caller may not see. */
export const HIDDEN = 'hidden';

type MayKnow = (column: string) => boolean;
interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
}
interface Lineage extends Facet {
  readonly fields: Readonly<Record<string, { readonly inputFields: readonly Source[] }>>;
  readonly dataset?: readonly Source[];
}

/**
 * The events as a caller may see them. `mayKnow` is asked for each column as `table.column`, and by its name alone for a dataset of which no column is
 * named; what it does not know, it must deny. Columns, datasets and fields that the caller may not see become one opaque node, the same one everywhere,
 * so that neither their number nor what is done with them shows. Where anything of a run is hidden, its source code, its model and what depends on
 * them are left out, since they name what is hidden.
 */
export function redact(events: readonly RunEvent[], mayKnow: MayKnow): RunEvent[] {
  const hiding = new Set<string>();
  const columns = columnsOf(events);
  const known = (name: string): boolean => {
    const named = columns.get(name);
    return named ? [...named].some((column) => mayKnow(`${name}.${column}`)) : mayKnow(name);
  };
  const redacted = events.map((event): RunEvent => {
    const inputs = datasets(event.inputs, (each) => known(each.name), event.job.namespace);
    // An answer is what its fields are; a table that was written is a table.
    const visible = (each: OutputDataset): boolean => each.name.startsWith('answer.') || known(each.name);
    const outputs = datasets(event.outputs, visible, event.job.namespace).map((each) => withLineage(each, mayKnow));
    if (isCut(event.inputs, inputs) || JSON.stringify(outputs) !== JSON.stringify(event.outputs)) hiding.add(event.run.runId);
    return { ...event, inputs, outputs };
  });
  return redacted.map((event) => (hiding.has(event.run.runId) ? withoutNames(event) : event));
}

/** Columns of each dataset, as lineage names them. */
function columnsOf(events: readonly RunEvent[]): Map<string, Set<string>> {
  const columns = new Map<string, Set<string>>();
  for (const { outputs } of events)
    for (const { facets } of outputs) {
      const lineage = facets?.['columnLineage'] as Lineage | undefined;
      const sources = [...Object.values(lineage?.fields ?? {}).flatMap((each) => each.inputFields), ...(lineage?.dataset ?? [])];
      for (const { name, field } of sources) columns.set(name, (columns.get(name) ?? new Set()).add(field));
    }
  return columns;
}

/** Datasets with what is hidden of them as one, at the end, so that its place tells nothing. */
function datasets<T extends InputDataset>(list: readonly T[], visible: (each: T) => boolean, namespace: string): (T | OutputDataset)[] {
  const shown = list.filter(visible);
  return shown.length === list.length ? shown : [...shown, { namespace, name: HIDDEN }];
}

const isCut = (before: readonly unknown[], after: readonly { readonly name: string }[]): boolean =>
  before.length !== after.length || after.some(({ name }) => name === HIDDEN);

function withLineage(output: OutputDataset, mayKnow: MayKnow): OutputDataset {
  const lineage = output.facets?.['columnLineage'] as Lineage | undefined;
  if (!lineage) return output;
  const sourcesOf = (sources: readonly Source[]): Source[] => {
    const shown = sources.filter(({ name, field }) => mayKnow(`${name}.${field}`));
    const [first] = sources;
    return !first || shown.length === sources.length
      ? [...sources]
      : [...shown, { namespace: first.namespace, name: HIDDEN, field: HIDDEN }];
  };
  const shown: [string, { inputFields: Source[] }][] = [];
  let opaque: { inputFields: Source[] } | undefined;
  for (const [name, { inputFields }] of Object.entries(lineage.fields)) {
    const sources = sourcesOf(inputFields);
    if (sources.every((each) => each.name === HIDDEN)) opaque = { inputFields: sources };
    else shown.push([name, { inputFields: sources }]);
  }
  // The opaque field stands last, wherever what it hides stood.
  const fields = Object.fromEntries([...shown, ...(opaque ? [[HIDDEN, opaque] as const] : [])]);
  const changed: Record<string, Facet> = { ...output.facets, columnLineage: { ...lineage, fields } };
  if (lineage.dataset) changed['columnLineage'] = { ...lineage, fields, dataset: sourcesOf(lineage.dataset) };
  const schema = changed['schema'];
  if (schema) changed['schema'] = { ...schema, fields: Object.keys(fields).map((name) => ({ name })) };
  return { ...output, facets: changed };
}

/** Counts of verdicts would tell how many fields are hidden. */
const NAMING_RUN = ['thalamus_presence', 'thalamus_policy', 'jobDependencies'];
const NAMING_JOB = ['sourceCode'];
const without = (facets: Facets, keys: readonly string[]): Facets =>
  Object.fromEntries(Object.entries(facets).filter(([key]) => !keys.includes(key)));

function withoutNames(event: RunEvent): RunEvent {
  const { run, job } = event;
  return {
    ...event,
    run: { ...run, facets: without(run.facets, NAMING_RUN) },
    job: { ...job, name: job.name.replace(/^(fusion\.(?:train|run))\..*$/, `$1.${HIDDEN}`), facets: without(job.facets, NAMING_JOB) },
  };
}
