import { parse } from 'graphql';
import type { Pool } from 'pg';
import { DEMO_MODEL } from '../../src/cli/demo.js';
import { principalOf } from '../../src/cli/who.js';
import { runOperation } from '../../src/gateway/executor.js';
import { ClassRuntime } from '../../src/gateway/class-runtime.js';
import { withFederation } from '../../src/gateway/entities.js';
import { MeshRequest } from '../../src/gateway/request.js';
import type { Question } from '../fuzz/document.js';
import type { TestMesh } from '../support/mesh.js';
import { askTraced } from './campaign.js';
import { checkRun, type Checked } from './check.js';
import type { Oracle } from './oracle.js';
import { traced } from './trace.js';

/** A question that is easy to leave out of lineage, and what must come of it so that it is not asked in vain. */
export interface BlindSpot {
  readonly name: string;
  readonly who: string;
  readonly question: Question;
  /** A code, or undefined where data are answered. */
  readonly code?: string;
  /** True where nothing of the data is read at all. */
  readonly readsNothing?: boolean;
}

const LONG = 'long'.repeat(17);
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** Questions about some persons of the cohort; a person with everything comes first. */
export function blindSpots(persons: readonly string[]): readonly BlindSpot[] {
  const [id = NOBODY] = persons;
  const of = (
    name: string,
    who: string,
    query: string,
    more: Partial<BlindSpot> & { variables?: Record<string, unknown> } = {},
  ): BlindSpot => ({
    name,
    who,
    question: { query, variables: more.variables ?? {} },
    ...(more.code === undefined ? {} : { code: more.code }),
    ...(more.readsNothing === true ? { readsNothing: true } : {}),
  });
  const run = { input: { modelId: DEMO_MODEL, patientIds: [...persons, NOBODY] } };
  return [
    of('id columns', 'analyst', `{ patient(id: "${id}") { id notes(first: 2) { edges { node { id } } } } }`),
    of('a count of persons', 'clinician', '{ patientCount }'),
    of('a count that is guarded', 'analyst', '{ patientCount patients(first: 1, sex: "female") { totalCount exists } }'),
    of(
      'counts below rows',
      'clinician',
      '{ patients(first: 3) { edges { node { noteCount conditions(first: 1) { totalCount exists } } } } }',
    ),
    of('only whether there is more', 'clinician', `{ patient(id: "${id}") { notes(first: 1) { pageInfo { hasNextPage } } } }`),
    of('only names of types', 'clinician', `{ patient(id: "${id}") { notes(first: 1) { __typename pageInfo { __typename } } } }`),
    of(
      'a batch of one field below many rows',
      'clinician',
      `{ ${LONG}: patients(first: 9) { edges { node { conditions(first: 2) { edges { node { code } } } } } } }`,
    ),
    of(
      'a batch that differs in what is asked',
      'clinician',
      `{ ${LONG}: patients(first: 3) { edges { node { id familyName } } } patients(first: 3) { edges { node { id birthDate } } } }`,
    ),
    of(
      'rows under nobody',
      'clinician',
      `{ patient(id: "${NOBODY}") { familyName notes(first: 1) { edges { node { body } } } genotypes(gene: "TTN") { genotype } } }`,
    ),
    of(
      'rows under nobody, by the other path',
      'clinician',
      `{ ${LONG}: patient(id: "${NOBODY}") { familyName notes(first: 1) { edges { node { body } } } genotypes(gene: "TTN") { genotype } } }`,
    ),
    of(
      'rows that consent decides',
      'analyst',
      '{ patients(first: 5) { edges { node { sex birthDate imagingStudies(first: 1) { edges { node { startedAt } } } } } } }',
    ),
    of('a search', 'clinician', '{ patients(first: 5) { edges { node { notes(first: 3, text: "pain") { edges { node { body } } } } } } }'),
    of(
      'a reader below rows',
      'clinician',
      '{ variants(gene: "TTN", first: 3) { edges { node { frequency { ac an } carriers(first: 2) { patientId } } } } }',
    ),
    of('a reader that refuses its arguments', 'clinician', `{ patient(id: "${id}") { genotypes { genotype } } }`, { code: 'BAD_INPUT' }),
    of('a reader that fails after rows were read', 'clinician', `{ ${LONG}: patient(id: "${id}") { familyName genotypes { genotype } } }`, {
      code: 'BAD_INPUT',
    }),
    of('a refused page', 'clinician', '{ patients(first: 501) { edges { node { id } } } }', { code: 'BAD_INPUT', readsNothing: true }),
    of('a field that is not there', 'analyst', '{ patients(first: 1) { edges { node { shoeSize } } } }', {
      code: 'BAD_INPUT',
      readsNothing: true,
    }),
    of('a cached document', 'analyst', '{ patientCount }'),
    of('a question about the schema', 'analyst', '{ __schema { queryType { name } } }', { readsNothing: true }),
    of('a cross table', 'steward', '{ cohortCounts(by: [SEX, SITE]) { total cells { values count } } }'),
    of('a cross table with filters', 'steward', '{ cohortCounts(by: [SEX], bornFrom: 1950, site: "north") { total } }'),
    of(
      'what a query would be allowed',
      'clinician',
      '{ explainAccess(query: "{ patients(first: 1) { edges { node { familyName } } } }") { __typename } }',
      { readsNothing: true },
    ),
    of(
      'what stands behind answers',
      'officer',
      '{ lineageRuns(first: 3) { edges { node { id plan { document } patients { patientId } } } } }',
    ),
    of(
      'a run of a model',
      'engineer',
      'mutation R($input: RunFusionInput!) { runFusion(input: $input) { results { status missing { reason } } } }',
      { variables: run },
    ),
    of('a training', 'engineer', 'mutation T($input: TrainFusionInput!) { trainFusionModel(input: $input) { hash } }', {
      variables: { input: { modelId: 'lineage', label: 'condition', code: 'I50.9', modalities: ['NOTES', 'GENOMICS'] } },
    }),
  ];
}

/** Persons of the cohort with notes, the first of them at the site of the demo identities. */
export async function somePersons(owner: Pool): Promise<readonly string[]> {
  const { rows } = await owner.query<{ id: string }>(
    `select patient_id as id from patient p where exists (select 1 from note n where n.patient_id = p.patient_id) order by site_id <> 'north', mrn limit 20`,
  );
  return rows.map((row) => row.id);
}

/** Asks one of them, and says what is wrong beside its columns. */
export async function askBlindSpot(mesh: TestMesh, oracle: Oracle, spot: BlindSpot): Promise<{ checked: Checked; wrong: string | null }> {
  const checked = await askTraced(mesh, oracle, principalOf(spot.who), spot.question);
  const codes = checked.answer.errors.map((each) => each.code);
  const told = `${codes.join(',')} ${checked.answer.errors.map((each) => each.message).join(' ')}`;
  if (spot.code === undefined ? codes.length > 0 : codes[0] !== spot.code) return { checked, wrong: `answered ${told}` };
  if ((spot.readsNothing === true) !== (checked.read === 0)) return { checked, wrong: `read ${checked.read} columns` };
  return { checked, wrong: null };
}

/** Rows by their keys, as a router asks for them of a subgraph. */
export async function askEntities(mesh: TestMesh, oracle: Oracle, who: string, persons: readonly string[]): Promise<Checked> {
  const principal = principalOf(who);
  const { policyClass } = mesh.mesh.runtimeFor(principal);
  const runtime = new ClassRuntime(withFederation(mesh.mesh.schema, ''), policyClass, mesh.mesh.parts.types);
  const request = new MeshRequest(mesh.mesh, principal, runtime);
  const query = 'query E($r: [_Any!]!) { _entities(representations: $r) { ... on Patient { id sex notes(first: 1) { totalCount } } } }';
  const variables = { r: persons.map((id) => ({ __typename: 'Patient', id })) };
  const { statements } = await traced(() => runOperation(request, parse(query), undefined, variables));
  return checkRun(mesh.pools.owner, oracle, request.runId, statements);
}

/** A question whose rights change between their decision and the first read: it is asked anew, and the answer's record is that of the last try. */
export async function askAfterRevocation(mesh: TestMesh, oracle: Oracle, who: string): Promise<Checked> {
  await mesh.pools.owner.query('update governance_epoch set revocation = revocation + 1');
  return askTraced(mesh, oracle, principalOf(who), { query: '{ patients(first: 2) { edges { node { id sex } } } }', variables: {} });
}
