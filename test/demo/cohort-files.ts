import { gunzipSync } from 'node:zlib';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Names of all files below a folder, relative to it, sorted. */
export function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

export interface PersonRow {
  readonly mrn: string;
  readonly fhirId: string;
  readonly sample: string;
  readonly dicomId: string;
  readonly device: string;
}

export function crosswalkRows(root: string): PersonRow[] {
  const [comment = '', header = '', ...rows] = readFileSync(path.join(root, 'crosswalk.csv'), 'utf8').trimEnd().split('\n');
  if (!comment.startsWith('# SYNTHETIC') || !header.startsWith('person_key,')) throw new Error('crosswalk head');
  return rows.map((row) => {
    const [, mrn = '', fhirId = '', sample = '', dicomId = '', , device = ''] = row.split(',');
    return { mrn, fhirId, sample, dicomId, device };
  });
}

export interface Vcf {
  readonly header: string[];
  readonly samples: string[];
  /** Cells of each record. */
  readonly records: string[][];
}

export function readVcf(file: string): Vcf {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n');
  const header = lines.filter((line) => line.startsWith('#'));
  return {
    header,
    samples: (header.at(-1) ?? '').split('\t').slice(9),
    records: lines.slice(header.length).map((line) => line.split('\t')),
  };
}

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [field: string]: unknown;
}

export function fhirResources(root: string): Resource[] {
  return filesBelow(path.join(root, 'clinical')).flatMap((name) => {
    const bundle = JSON.parse(readFileSync(path.join(root, 'clinical', name), 'utf8')) as { entry: { resource: Resource }[] };
    return bundle.entry.map((entry) => entry.resource);
  });
}

/** Area under the ROC curve of a score for the events, ties counted half. */
export function auroc(cases: readonly { score: number; event: boolean }[]): number {
  const sorted = [...cases].sort((a, b) => a.score - b.score);
  let rankSum = 0;
  let events = 0;
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end < sorted.length && sorted[end]?.score === sorted[start]?.score) end++;
    const tied = sorted.slice(start, end).filter((one) => one.event).length;
    rankSum += tied * ((start + end + 1) / 2);
    events += tied;
    start = end;
  }
  return (rankSum - (events * (events + 1)) / 2) / (events * (sorted.length - events));
}
