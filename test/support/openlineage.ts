import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { AnySchemaObject, ValidateFunction } from 'ajv';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

const STANDARD = path.resolve(__dirname, '../../../shared/data/governance/openlineage');
const OWN = path.resolve(__dirname, '../../schema/openlineage');

/** False where the schemas of the standard are not there; then nothing can be validated. */
export const schemasPresent = existsSync(STANDARD);

export interface EventValidation {
  readonly valid: number;
  readonly total: number;
  /** Place and kind of each fault; never a value of an event. */
  readonly faults: string[];
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);
const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

interface Stored {
  /** Keys that a facet schema names for each of its definitions. */
  readonly keys: ReadonlyMap<string, string>;
  validator(url: string): ValidateFunction | null;
}

let stored: Stored | undefined;

/** All schemas on disk, each under its own $id. */
function storedSchemas(): Stored {
  if (stored) return stored;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  const keys = new Map<string, string>();
  const ids = new Set<string>();
  const folders = [STANDARD, path.join(STANDARD, 'facets'), OWN];
  for (const file of folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)))) {
    if (!file.endsWith('.json')) continue;
    const schema = JSON.parse(readFileSync(file, 'utf8')) as AnySchemaObject;
    const id = String(schema['$id']);
    ajv.addSchema(schema);
    ids.add(id);
    const properties: unknown = schema['properties'];
    for (const [key, each] of Object.entries(isObject(properties) ? properties : {}))
      if (isObject(each)) keys.set(`${id}${String(each['$ref'])}`, key);
  }
  const compiled = new Map<string, ValidateFunction | null>();
  stored = {
    keys,
    validator(url) {
      const known = compiled.get(url);
      if (known !== undefined) return known;
      const [id = '', pointer] = url.split('#');
      const names = pointer?.startsWith('/$defs/') === true ? keys.has(url) || url.endsWith('#/$defs/RunEvent') : false;
      const made = ids.has(id) && names ? ajv.compile({ $ref: url }) : null;
      compiled.set(url, made);
      return made;
    },
  };
  return stored;
}

/** Compiles every schema that is stored and gives how many facets they define. */
export function compileAll(): number {
  const { keys, validator } = storedSchemas();
  return [...keys.keys()].filter((url) => validator(url) !== null).length;
}

const BASE: Readonly<Record<string, string>> = { run: 'RunFacet', job: 'JobFacet', dataset: 'DatasetFacet' };

/** Facets of an event with the place where they stand. */
function* facetsIn(event: Json): Generator<readonly [place: string, key: string, facet: unknown]> {
  const of = function* (place: string, facets: unknown): Generator<readonly [string, string, unknown]> {
    if (isObject(facets)) for (const [key, facet] of Object.entries(facets)) yield [place, key, facet];
  };
  for (const place of ['run', 'job']) {
    const part = event[place];
    if (isObject(part)) yield* of(place, part['facets']);
  }
  for (const side of ['inputs', 'outputs'])
    for (const [at, dataset] of listIn(event[side]).entries()) {
      if (!isObject(dataset)) continue;
      yield* of(`${side}[${at}].dataset`, dataset['facets']);
      const own = side === 'inputs' ? 'inputFacets' : 'outputFacets';
      yield* of(`${side}[${at}].${own}`, dataset[own]);
    }
}

/** Base of a facet by its place, as the name of its schema says: a run facet does not stand at a job. */
const fits = (place: string, url: string): boolean => {
  const name = url.slice(url.lastIndexOf('/') + 1);
  if (name === 'BaseSubsetDatasetFacet') return /\.(in|out)putFacets$/.test(place);
  if (place.endsWith('.inputFacets')) return name.endsWith('InputDatasetFacet');
  if (place.endsWith('.outputFacets')) return name.endsWith('OutputDatasetFacet');
  return name.endsWith(BASE[place.endsWith('.dataset') ? 'dataset' : place] ?? 'nothing') && !/(In|Out)putDatasetFacet$/.test(name);
};

function eventFaults(event: unknown, { keys, validator }: Stored): string[] {
  if (!isObject(event)) return ['no object'];
  const told = (place: string, check: ValidateFunction, value: unknown): string[] =>
    check(value) ? [] : (check.errors ?? []).map((each) => `${place}${each.instancePath.replace(/[^/\w]/g, '?')}: ${each.keyword}`);
  const schema = validator(String(event['schemaURL']));
  if (!schema) return ['schemaURL: not a stored schema'];
  const faults = told('event', schema, event);
  for (const [place, key, facet] of facetsIn(event)) {
    const url = isObject(facet) ? String(facet['_schemaURL']) : '';
    const check = validator(url);
    if (!check || !url.includes('Facet')) faults.push(`${place}.${key}: _schemaURL is not a stored schema`);
    else if (keys.get(url) !== key) faults.push(`${place}.${key}: the schema names another key`);
    else if (!fits(place, url)) faults.push(`${place}.${key}: a facet of another place`);
    else faults.push(...told(`${place}.${key}`, check, facet));
  }
  return faults;
}

const TERMINAL = new Set(['COMPLETE', 'ABORT', 'FAIL']);

/** Runs that are not told by one START and, after it, one terminal event. */
function runFaults(events: readonly unknown[]): string[] {
  const types = new Map<string, string[]>();
  for (const event of events) {
    const run = isObject(event) ? event['run'] : undefined;
    if (!isObject(event) || !isObject(run)) continue;
    const id = String(run['runId']);
    types.set(id, [...(types.get(id) ?? []), String(event['eventType'])]);
  }
  return [...types.values()].flatMap((told) =>
    told.length === 2 && told[0] === 'START' && TERMINAL.has(told[1] ?? '') ? [] : [`run: told by ${told.join(', ') || 'nothing'}`],
  );
}

/**
 * Validates events against OpenLineage 2-0-2 and the schema that each facet names, which must be stored and made for the key and the place of the facet.
 * Each run must have one START and one terminal event; faults of runs count beside those of events.
 */
export function validateEvents(events: readonly unknown[]): EventValidation {
  const schemas = storedSchemas();
  const faults: string[] = [];
  let valid = 0;
  for (const event of events) {
    const found = eventFaults(event, schemas);
    if (found.length === 0) valid += 1;
    faults.push(...found);
  }
  return { valid, total: events.length, faults: [...faults, ...runFaults(events)] };
}
