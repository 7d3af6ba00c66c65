import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoPatient } from '../../src/cli/demo.js';
import { principalOf } from '../../src/cli/who.js';
import { ask, explain, type Answer } from '../../src/gateway/index.js';
import { openTestMesh, type TestMesh } from '../support/mesh.js';
import { goldenCases, laidOut, type GoldenCase } from './cases.js';

const CASES = goldenCases(__dirname);
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const RESULTS = ['json', 'sql', 'lineage.json', 'decision.json'] as const;
let mesh: TestMesh;
const names = new Map<string, string>();
/** End cursors of earlier answers, by `name.who`. */
const cursors = new Map<string, string>();

beforeAll(async () => {
  mesh = await openTestMesh();
  const one = async (query: string, values: unknown[] = []): Promise<string> => {
    const { rows } = await mesh.pools.owner.query<{ v: string }>(query, values);
    return rows[0]?.v ?? 'missing';
  };
  const patient = await demoPatient(mesh);
  names.set('<patient>', patient);
  names.set('<patient elsewhere>', await one(`select patient_id as v from patient where site_id <> 'north' order by mrn limit 1`));
  names.set('<note>', await one('select note_id as v from note where patient_id = $1 order by authored_key limit 1', [patient]));
  names.set('<study>', await one('select id as v from imaging_study where patient_id = $1 order by started_key limit 1', [patient]));
  const asked = await ask(mesh.mesh, principalOf('clinician'), {
    query: 'query Told($id: ID!) { patient(id: $id) { id familyName } }',
    variables: { id: patient },
  });
  names.set('<answer>', asked.lineageId);
}, 180_000);
afterAll(async () => {
  await mesh.close();
});

function filled(value: unknown, who: string): unknown {
  if (Array.isArray(value)) return value.map((each) => filled(each, who));
  if (typeof value !== 'string') return value;
  const page = /^<after (.+)>$/.exec(value)?.[1];
  return page === undefined ? (names.get(value) ?? value) : (cursors.get(`${page}.${who}`) ?? value);
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Runs and logs are named anew each time; everything else of the cohort is the same in every run. */
async function stable(text: string): Promise<string> {
  const { rows } = await mesh.pools.owner.query<{ id: string; name: string }>(
    `select run_id::text as id, '<run>' as name from lineage_run union select distinct log_id, '<log>' from audit_log`,
  );
  const known = new Map(rows.map((row) => [row.id, row.name]));
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => known.get(id) ?? id);
}

async function results(one: GoldenCase, who: string): Promise<Record<(typeof RESULTS)[number], string | null>> {
  const variables = Object.fromEntries(
    Object.entries(one.given).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, who)]))
        : filled(value, who),
    ]),
  );
  const principal = principalOf(who);
  const answer: Answer = await ask(mesh.mesh, principal, { query: one.query, variables });
  const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(answer.data))?.[1];
  if (cursor !== undefined) cursors.set(`${one.name}.${who}`, cursor);
  const sql = answer.path === 'compiled' ? explain(mesh.mesh, principal, { query: one.query, variables }).sql : null;
  const { rows } = await mesh.pools.owner.query<{ columns: { coordinate: string }[]; decisions: unknown[] }>(
    'select p.columns, p.decisions from lineage_run r join lineage_plan p using (plan_digest) where r.run_id = $1',
    [answer.lineageId],
  );
  const [plan] = rows;
  return {
    json: await stable(pretty({ path: answer.path, data: answer.data, errors: answer.errors })),
    sql: sql === null ? null : laidOut(sql),
    'lineage.json': plan ? pretty(plan.columns) : null,
    'decision.json': plan ? pretty(plan.decisions) : null,
  };
}

const expected = new Set<string>();

describe.each(CASES.map((one) => [`${one.domain}/${one.name}`, one] as const))('%s', (_, one) => {
  test.each(one.as)('as %s', async (who) => {
    const made = await results(one, who);
    for (const kind of RESULTS) {
      const file = `${one.name}.${who}.${kind}`;
      const path = join(__dirname, one.domain, file);
      const text = made[kind];
      if (text === null) continue;
      expected.add(`${one.domain}/${file}`);
      if (UPDATE) writeFileSync(path, text);
      else expect(text).toBe(existsSync(path) ? readFileSync(path, 'utf8') : `${file} is missing: UPDATE_GOLDEN=1 writes it`);
    }
  });
});

test('no golden file is left over', () => {
  const there = [...new Set(CASES.map((one) => one.domain))].flatMap((domain) =>
    readdirSync(join(__dirname, domain))
      .filter((file) => !file.endsWith('.graphql'))
      .map((file) => `${domain}/${file}`),
  );
  const stale = there.filter((file) => !expected.has(file));
  if (UPDATE) for (const file of stale) rmSync(join(__dirname, file));
  else expect(stale).toEqual([]);
});

test('two or more identities ask every query, and at least twelve queries are asked', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(12);
  expect(CASES.filter((one) => one.as.length < 2).map((one) => one.name)).toEqual([]);
});
