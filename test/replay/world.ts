import { ask, type Answer } from '../../src/gateway/index.js';
import type { Principal } from '../../src/kernel/index.js';
import { callerOf, CALLERS } from '../fuzz/campaign.js';
import { writeQuery } from '../fuzz/document.js';
import { QueryGenerator } from '../fuzz/generate.js';
import { Draw } from '../fuzz/random.js';
import { valuesOf, type Values } from '../fuzz/values.js';
import type { TestMesh } from '../support/mesh.js';

/** An answer of the past that is asked again. */
export interface Asked {
  readonly runId: string;
  readonly who: string;
  readonly query: string;
  readonly data: string;
}

/** Random questions of the demo identities in turn, on either path; those that were answered. */
export async function askMany(mesh: TestMesh, seed: number, wanted: number, values?: Values): Promise<Asked[]> {
  const known = values ?? (await valuesOf(mesh.pools.owner));
  const asked: Asked[] = [];
  for (let turn = 0; asked.length < wanted && turn < wanted * 5; turn++) {
    const who = CALLERS[turn % CALLERS.length] ?? 'clinician';
    const principal: Principal = callerOf(who);
    const generator = new QueryGenerator(mesh.mesh.runtimeFor(principal).schema, known, new Draw(seed + turn), 0);
    const question = writeQuery(generator.query());
    const answer: Answer = await ask(mesh.mesh, principal, question, turn % 4 === 3 ? 'reference' : 'auto');
    if (answer.data === null || answer.path === 'schema') continue;
    asked.push({ runId: answer.lineageId, who, query: question.query, data: JSON.stringify(answer.data) });
  }
  return asked;
}
