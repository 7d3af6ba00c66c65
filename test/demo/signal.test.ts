import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { generateCohort } from '../../src/demo/index.js';
import { auroc, crosswalkRows, fhirResources, filesBelow, readVcf } from './cohort-files.js';

const PATIENTS = Number(process.env['DEMO_SIGNAL_PATIENTS'] ?? 1200);
const NOW = Date.UTC(2026, 2, 1);
const SYMPTOMS = [
  'Reports shortness',
  'Bilateral ankle',
  'Sleeps on three',
  'Complains of fatigue',
  'Describes intermittent',
  'Notes palpitations',
  'Recent weight gain',
];

type Scores = Map<string, number>;
type Modality = 'genomics' | 'imaging' | 'notes' | 'wearables';

let root: string;
let events: Map<string, boolean>;
let scores: Record<Modality, Scores>;

/** Crude readings of the files themselves: what any reader of them can see, no knowledge of the generator's hidden state. */
function genomics(): Scores {
  const byMrn = new Map(crosswalkRows(root).map((row) => [row.sample, row.mrn]));
  const result: Scores = new Map();
  for (const name of filesBelow(path.join(root, 'genomics'))) {
    const { samples, records } = readVcf(path.join(root, 'genomics', name));
    const sums = samples.map(() => 0);
    for (const cells of records) {
      const info = cells[7] ?? '';
      const carrier = info.includes('=Pathogenic') && /GENE=(TTN|LMNA);/.test(info);
      if (!carrier && !info.includes('risk_factor')) continue;
      samples.forEach((_, index) => {
        const alternates = (cells[9 + index] ?? '').split('/').filter((allele) => allele === '1').length;
        sums[index] = (sums[index] ?? 0) + alternates * (carrier ? 6 : 1);
      });
    }
    samples.forEach((sample, index) => {
      result.set(byMrn.get(sample) ?? '', sums[index] ?? 0);
    });
  }
  return result;
}

function imaging(): Scores {
  const result: Scores = new Map();
  for (const name of filesBelow(path.join(root, 'imaging'))) {
    const data = readFileSync(path.join(root, 'imaging', name));
    // A copy, so that the 16-bit view starts on an even byte.
    const pixels = new Uint16Array(Uint8Array.from(data.subarray(data.length - 8192)).buffer);
    const offset = data.includes('CT chest') ? 1024 : 0;
    let sum = 0;
    for (const value of pixels) sum += value - offset;
    const mean = sum / 4096;
    let squares = 0;
    for (const value of pixels) squares += (value - offset - mean) ** 2;
    const number = Number(path.basename(path.dirname(name)));
    const mrn = `${(name.split('/')[0] ?? '').charAt(5).toUpperCase()}${String(number).padStart(6, '0')}`;
    result.set(mrn, mean / 55 + Math.sqrt(squares / 4096) / 35);
  }
  return result;
}

function notes(): Scores {
  const result: Scores = new Map();
  for (const name of filesBelow(path.join(root, 'notes'))) {
    const text = readFileSync(path.join(root, 'notes', name), 'utf8');
    const mrn = /(?:extension="|Patient-ID: )([NSW]\d{6})/.exec(text)?.[1] ?? '';
    result.set(mrn, SYMPTOMS.filter((symptom) => text.includes(symptom)).length);
  }
  return result;
}

function wearables(): Scores {
  const result: Scores = new Map();
  for (const name of filesBelow(path.join(root, 'wearables')).filter((file) => file.endsWith('.json'))) {
    const points = JSON.parse(readFileSync(path.join(root, 'wearables', name), 'utf8')) as {
      header: { user_id: string };
      body: { heart_rate?: { value: number } };
    }[];
    const rates = points.flatMap((point) => point.body.heart_rate?.value ?? []);
    result.set(points[0]?.header.user_id ?? '', rates.reduce((a, b) => a + b, 0) / rates.length);
  }
  return result;
}

function standardised(values: Scores): Scores {
  const list = [...values.values()];
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const sd = Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length);
  return new Map([...values].map(([mrn, value]) => [mrn, (value - mean) / sd]));
}

beforeAll(async () => {
  root = mkdtempSync(path.join(os.tmpdir(), 'demo-signal-'));
  await generateCohort({ patients: PATIENTS, seed: 11, outDir: root, now: NOW });
  const resources = fhirResources(root);
  const failing = new Set(
    resources
      .filter((one) => one.resourceType === 'Condition' && JSON.stringify(one['code']).includes('I50.9'))
      .map((one) => (one['subject'] as { reference: string }).reference.slice('urn:uuid:'.length)),
  );
  events = new Map(crosswalkRows(root).map((row) => [row.mrn, failing.has(row.fhirId)]));
  scores = {
    genomics: standardised(genomics()),
    imaging: standardised(imaging()),
    notes: standardised(notes()),
    wearables: standardised(wearables()),
  };
}, 60_000);

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function discrimination(combined: Scores): number {
  return auroc([...combined].map(([mrn, score]) => ({ score, event: events.get(mrn) ?? false })));
}

test.each<Modality>(['genomics', 'imaging', 'notes', 'wearables'])('%s alone tells the outcome moderately', (modality) => {
  const area = discrimination(scores[modality]);
  process.stdout.write(`AUROC ${modality} ${area.toFixed(3)} (${String(scores[modality].size)} patients)\n`);
  expect(area).toBeGreaterThan(0.6);
  expect(area).toBeLessThan(0.74);
});

test('all four together tell the outcome better than any one', () => {
  const lists = Object.values(scores);
  const complete: Scores = new Map();
  for (const mrn of scores.genomics.keys()) {
    const values = lists.map((list) => list.get(mrn));
    if (values.every((value) => value !== undefined))
      complete.set(
        mrn,
        values.reduce((a, b) => a + b, 0),
      );
  }
  const area = discrimination(complete);
  process.stdout.write(`AUROC all four ${area.toFixed(3)} (${String(complete.size)} patients)\n`);
  expect(area).toBeGreaterThan(0.76);
  expect(area).toBeLessThan(0.9);
});
