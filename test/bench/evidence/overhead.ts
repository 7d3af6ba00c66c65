import path from 'node:path';
import { openMesh, type Running } from '../../../src/cli/wire.js';
import { generateCohort } from '../../../src/demo/index.js';
import type { Receipt } from '../../../src/evidence/index.js';
import { ask } from '../../../src/gateway/index.js';
import { OPERATOR } from '../../../src/cli/wire.js';
import { ingestPaths } from '../../../src/pipeline/index.js';
import type { Principal } from '../../../src/kernel/index.js';
import { startEngine } from '../../../src/store/index.js';
import { median } from '../scenario.js';

const COHORT = 100;
const COHORT_NOW = Date.UTC(2026, 0, 1);
const WARM_UP = 60;
const ROUNDS = 400;

export const CLINICIAN: Principal = { ...OPERATOR, sub: 'bench-clinician', roles: ['clinician'], purpose: 'TREAT', sites: '*' };

/** Twenty fields of ten persons and their first observations. */
export const QUERY = `query Bench($n: Int!) { patients(first: $n) { edges { node {
  id mrn givenName familyName birthDate birthYear sex race ethnicity postalCode city phone
  observations(first: 2) { edges { node { id code system display category effectiveAt value unit } } } } } } }`;

/** Evidence as it is; a sink that writes nothing; no evidence at all. */
export const MODES = ['on', 'unwritten', 'off'] as const;
export type Mode = (typeof MODES)[number];

/** Meshes in this process over one demo cohort that differ in their evidence alone. */
export async function withMeshes<T>(home: string, work: (meshes: Readonly<Record<Mode, Running>>) => Promise<T>): Promise<T> {
  const engine = await startEngine({ kind: 'embedded', dataDir: path.join(home, 'database'), log: () => undefined });
  const opened: Running[] = [];
  const open = async (): Promise<Running> => {
    const running = await openMesh({ engine, home });
    opened.push(running);
    return running;
  };
  try {
    const [on, unwritten, off] = [await open(), await open(), await open()];
    const cohort = path.join(home, 'cohort');
    await generateCohort({ patients: COHORT, seed: 1, outDir: cohort, now: COHORT_NOW });
    await ingestPaths([path.join(cohort, 'crosswalk.csv'), path.join(cohort, 'clinical')], on.pipeline(OPERATOR));
    await on.pools.owner.query('analyze');
    unwritten.evidence.write = () => Promise.resolve();
    const receipt: Receipt = { id: '', logId: '', logIndex: 0, checkpoint: '' };
    off.mesh.audit.append = () => Promise.resolve(receipt);
    for (const { mesh } of opened) await mesh.refresh();
    return await work({ on, unwritten, off });
  } finally {
    for (const running of opened) await running.close().catch(() => undefined);
    await engine.stop();
  }
}

export async function askOnce({ mesh }: Running, n = 10): Promise<void> {
  const { data, errors } = await ask(mesh, CLINICIAN, { query: QUERY, variables: { n } });
  if (data === null || errors.length > 0) throw new Error(`the query of the benchmark is refused: ${JSON.stringify(errors)}`);
}

/** The same query in turn over the meshes: median milliseconds, one at a time. */
export async function inTurn(meshes: Readonly<Record<Mode, Running>>): Promise<Record<Mode, number>> {
  const times: Record<Mode, number[]> = { on: [], unwritten: [], off: [] };
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const mode of MODES) {
      const began = performance.now();
      await askOnce(meshes[mode]);
      if (round >= 0) times[mode].push(performance.now() - began);
    }
  const [on = 0, unwritten = 0, off = 0] = MODES.map((mode) => median(times[mode]) ?? 0);
  return { on, unwritten, off };
}
