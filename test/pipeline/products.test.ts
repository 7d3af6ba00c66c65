import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { product as imaging } from '../../src/domains/imaging/index.js';
import { product as patients } from '../../src/domains/patients/index.js';
import { ingestPaths, planPipelines } from '../../src/pipeline/index.js';
import { openBench } from './harness.js';

jest.setTimeout(120_000);

const clinical = resolve(__dirname, '../../../shared/data/clinical');
const dicom = resolve(__dirname, '../../../shared/data/imaging/pydicom');
const present = existsSync(clinical) && existsSync(dicom);
if (!present && process.env['CI'] !== undefined) throw new Error('The shared data are absent.');
if (!present) process.stderr.write('skipped: ../shared/data is absent\n');

(present ? it : it.skip)('persons, the crosswalk and images of real files come in, and nothing comes in twice', async () => {
  const bench = await openBench();
  try {
    const deps = { ...bench.deps, plan: planPipelines([patients, imaging]), chunk: { records: 20_000, bytes: 32 * 1024 * 1024 } };
    const totals = await ingestPaths([dicom, clinical], deps);
    expect(totals.rows['patient']).toBeGreaterThan(0);
    expect(totals.rows['observation']).toBeGreaterThan(0);
    const [without] = await bench.rows<{ n: number }>(
      'select count(*)::int n from patient p where not exists (select from consent_effect e where e.patient_id = p.patient_id)',
    );
    expect(without!.n).toBe(0);
    const [persons] = await bench.rows<{ n: number; last: number }>('select count(*)::int n, max(ordinal) as last from patient');
    expect(persons!.last).toBe(persons!.n - 1);
    const [keys] = await bench.rows<{ n: number }>("select count(*)::int n from identity_key where basis <> 'SAME_IDENTIFIER'");
    expect(keys!.n).toBeGreaterThan(0);
    expect(bench.told).toHaveLength(totals.files.length - totals.duplicate);
    const again = await ingestPaths([dicom, clinical], deps);
    expect(Object.values(again.rows).reduce((sum, rows) => sum + rows, 0)).toBe(0);
    expect(again.ingested).toBe(0);
  } finally {
    await bench.close();
  }
});
