import { principalOf } from '../../src/cli/who.js';
import { ask } from '../../src/gateway/index.js';
import { canariesOf, leaving } from './canary.js';
import { openFuzzMesh, runCampaign, type Finding } from './campaign.js';
import type { TestMesh } from '../support/mesh.js';

const QUERIES = 300;
const seed = Number(process.env['SEED'] ?? 20_260_601);
let mesh: TestMesh;

beforeAll(async () => {
  mesh = await openFuzzMesh();
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

const told = (finding: Finding): string =>
  `SEED=${finding.seed} as ${finding.who}: ${finding.kind}: ${finding.detail}\n${finding.question.query}\n${JSON.stringify(finding.question.variables)}`;

test(`the compiled plan answers ${QUERIES} random queries as the declared model does, records the same persons and tells no identifier to research`, async () => {
  const { findings, paths, answered, followed, canaries, queries } = await runCampaign(mesh, { seed, queries: QUERIES });
  process.stdout.write(`fuzz: seed ${seed}, paths ${JSON.stringify(paths)}, ${answered} answered, ${followed} went on to another page\n`);
  expect(findings.map(told)).toEqual([]);
  expect(queries).toBe(QUERIES);
  // Were most of them refused, or were there nothing to leak, the comparison would show nothing.
  expect(answered).toBeGreaterThan(QUERIES * 0.8);
  expect(followed).toBeGreaterThan(QUERIES * 0.1);
  expect(canaries).toBeGreaterThan(100);
  // Only names that Postgres would cut leave the compiled path.
  expect(paths['reference'] ?? 0).toBeLessThan(QUERIES * 0.15);
}, 120_000);

test('an answer that tells a name is seen to tell one', async () => {
  const answer = await ask(mesh.mesh, principalOf('clinician'), { query: '{ patients(first: 50) { edges { node { familyName } } } }' });
  expect((await canariesOf(mesh.pools.owner)).foundIn(leaving(answer)).length).toBeGreaterThan(5);
});

test('nothing is logged for the operator while valid queries are answered', () => {
  expect(mesh.logged).toEqual([]);
});
