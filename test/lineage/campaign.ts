import { IDENTITIES, MIXED } from '../fuzz/campaign.js';
import { principalOf } from '../../src/cli/who.js';
import { ask, type Answer } from '../../src/gateway/index.js';
import type { Principal } from '../../src/kernel/index.js';
import { writeQuery, type Question } from '../fuzz/document.js';
import { QueryGenerator } from '../fuzz/generate.js';
import { Draw } from '../fuzz/random.js';
import { valuesOf } from '../fuzz/values.js';
import type { TestMesh } from '../support/mesh.js';
import { checkRun, type Checked, type Tally } from './check.js';
import type { Oracle } from './oracle.js';
import { traced } from './trace.js';

const CALLERS: readonly Principal[] = [...IDENTITIES.map((name) => principalOf(name)), ...Object.values(MIXED)];
const FAULTS = 0.04;

export interface Asked extends Checked {
  readonly answer: Answer;
  readonly statements: number;
}

/** Asks one question and compares what the database read with what the record says. */
export async function askTraced(
  mesh: TestMesh,
  oracle: Oracle,
  who: Principal,
  question: Question,
  choice: 'auto' | 'reference' = 'auto',
): Promise<Asked> {
  const { result: answer, statements } = await traced(() => ask(mesh.mesh, who, question, choice));
  return { ...(await checkRun(mesh.pools.owner, oracle, answer.lineageId, statements)), answer, statements: statements.length };
}

/** Random questions of all callers in turn, on the compiled and on the reference path in turn. Equal seeds ask equal questions. */
export async function runLineageCampaign(
  mesh: TestMesh,
  oracle: Oracle,
  tally: Tally,
  options: { seed: number; queries: number },
): Promise<{ runs: string[]; paths: Record<string, number>; statements: number }> {
  const values = await valuesOf(mesh.pools.owner);
  const paths: Record<string, number> = {};
  const runs: string[] = [];
  let statements = 0;
  for (let i = 0; i < options.queries; i++) {
    const seed = options.seed + i;
    const who = CALLERS[(i >> 1) % CALLERS.length] ?? principalOf('clinician');
    const generator = new QueryGenerator(mesh.mesh.runtimeFor(who).schema, values, new Draw(seed), FAULTS);
    const asked = await askTraced(mesh, oracle, who, writeQuery(generator.query()), i % 2 === 0 ? 'auto' : 'reference');
    const { path, lineageId } = asked.answer;
    paths[path] = (paths[path] ?? 0) + 1;
    statements += asked.statements;
    runs.push(lineageId);
    tally.add(asked, `SEED=${seed} ${path} as ${who.sub}`);
  }
  return { runs, paths, statements };
}
