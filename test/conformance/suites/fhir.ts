import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fhir as format, type ClinicalRecord } from '../../../src/domains/patients/formats/fhir.js';
import { countOf, filesBelow, outcomeOf, readWith, type Case, type FileRead, type Suite } from '../suite.js';

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The resource of a JSON file, or null when it holds none. */
function resourceOf(file: string): Json | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isJson(value) && typeof value['resourceType'] === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** Resources of a bundle, or the one resource, as JSON.parse gives them, with the id under which entries refer to them. */
function plainResources(top: Json): { resource: Json; url: string }[] {
  if (top['resourceType'] !== 'Bundle') return [{ resource: top, url: '' }];
  const entries = Array.isArray(top['entry']) ? (top['entry'] as unknown[]) : [];
  return entries.flatMap((entry) =>
    isJson(entry) && isJson(entry['resource'])
      ? [{ resource: entry['resource'], url: typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : '' }]
      : [],
  );
}

function countsOf(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, count]) => `${type} ${count}`)
    .join(', ');
}

/** The resources behind the records: an observation of several components gives several records over the same bytes. */
function readResources(records: readonly ClinicalRecord[]): Json[] {
  const seen = new Map<number, Buffer>();
  for (const { raw } of records) seen.set(raw.byteOffset, raw);
  return [...seen.values()].map((raw) => JSON.parse(raw.toString('utf8')) as Json);
}

/** References to a person of the same file that lead elsewhere in the records than JSON.parse says. */
function strayPersons(read: FileRead<ClinicalRecord>, plain: ReturnType<typeof plainResources>): number {
  const people = new Map(
    plain.flatMap(({ resource, url }) => (resource['resourceType'] === 'Patient' ? [[url, String(resource['id'])]] : [])),
  );
  let stray = 0;
  for (const record of read.records) {
    if (record.kind === 'patient') continue;
    const resource = JSON.parse(record.raw.toString('utf8')) as Json;
    const subject = resource['subject'] ?? resource['patient'];
    const reference = isJson(subject) ? String(subject['reference']) : '';
    const wanted = people.get(reference);
    if (wanted !== undefined && record.patientRef !== wanted) stray += 1;
  }
  return stray;
}

function importCase(id: string, top: Json, read: FileRead<ClinicalRecord>): Case {
  const plain = plainResources(top);
  const expected = countsOf(plain.map(({ resource }) => String(resource['resourceType'])));
  const found = readResources(read.records);
  const stray = strayPersons(read, plain);
  const clean = read.crash === null && read.thrown === null && read.faults.length === 0;
  const counts = countsOf(found.map((resource) => String(resource['resourceType'])));
  const got = !clean ? outcomeOf(read) : stray > 0 ? `${stray} records of another person` : counts;
  return { id, verdict: clean && stray === 0 && counts === expected ? 'passed' : 'failed', expected, got };
}

/** Cases of a manifest of GraphQL over FHIR resources: the mesh serves its own schema, not `$graphql` of a FHIR server. */
function manifestCases(folder: string, file: string): Case[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  return [...text.matchAll(/<test\b[^>]*\bname="([^"]*)"[^>]*\boutput="([^"]*)"/g)].map(([, name = '', output = '']) => ({
    id: `${file} ${name}`,
    verdict: 'skipped' as const,
    expected: output,
    got: '$graphql over single FHIR resources is not served',
  }));
}

/**
 * FHIR R4 JSON files: each resource is read once, by type, and leads to the person that it names (spec patients CL81). The cases of a GraphQL
 * manifest (CL80) are listed as skipped and are never counted as agreed.
 */
export const suite: Suite = {
  about: 'FHIR R4 import against JSON.parse',
  async run(folder) {
    const cases: Case[] = [];
    const count = { files: 0, resources: 0, crashed: 0 };
    for (const file of filesBelow(folder, /\.json$/i)) {
      const full = path.join(folder, file);
      const top = resourceOf(full);
      if (top === null) continue;
      const read = await readWith(format, full);
      count.files += 1;
      count.resources += readResources(read.records).length;
      if (read.crash !== null) count.crashed += 1;
      cases.push(importCase(file, top, read));
    }
    for (const file of filesBelow(folder, /^manifest\.xml$/)) cases.push(...manifestCases(folder, file));
    const skipped = countOf(cases, 'skipped');
    const skipped_reason = skipped === 0 ? null : '$graphql over single FHIR resources is not served';
    return { cases, figures: { ...count, agreed: countOf(cases, 'passed'), skipped_reason } };
  },
};
