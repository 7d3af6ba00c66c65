import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMesh, type Running } from '../../src/cli/wire.js';
import { principalOf } from '../../src/cli/who.js';
import { ask as askMesh, type Answer } from '../../src/gateway/index.js';
import type { PolicyDocument } from '../../src/governance/index.js';
import { ask, codesOf, column, openWorld, type World } from './support.js';

let world: World;
/** Another process on the same database, as far as policy can tell. */
let other: Running;
let home: string;

beforeAll(async () => {
  world = await openWorld();
  home = mkdtempSync(join(tmpdir(), 'thalamus-other-'));
  // Processes of one installation have one secret.
  cpSync(join(world.running.home, 'secret.json'), join(home, 'secret.json'));
  other = await openMesh({ engine: world.running.engine, home, clock: () => world.now });
}, 60_000);
afterAll(async () => {
  await other.close();
  rmSync(home, { recursive: true, force: true });
  await world.close();
}, 20_000);
afterEach(async () => {
  await change({});
});

const NAMES = '{ patients(first: 3) { edges { node { id familyName birthYear } } } }';
const PROPOSE = `mutation P($document: JSON!) { proposePolicy(document: $document, reason: "a reason that is long enough") { version status impact } }`;
const DECIDE = `mutation D($version: Int!, $approve: Boolean!) { decidePolicy(version: $version, approve: $approve, reason: "looked at it closely") { version status decidedBy } }`;

async function propose(document: unknown, who = 'steward'): Promise<number> {
  const reply = await ask(world, who, PROPOSE, { document });
  expect(codesOf(reply)).toEqual([]);
  return (reply.body.data?.['proposePolicy'] as { version: number }).version;
}

/** Proposed by the steward, approved by the officer. */
async function change(document: PolicyDocument): Promise<void> {
  const version = await propose(document);
  const reply = await ask(world, 'officer', DECIDE, { version, approve: true });
  expect(codesOf(reply)).toEqual([]);
}

const elsewhere = (who: string, query: string): Promise<Answer> => askMesh(other.mesh, principalOf(who), { query });

describe('a change of policy', () => {
  it('takes a second person, and is decided once', async () => {
    const version = await propose({ suspended: ['patients.analyst.research'] });
    expect(codesOf(await ask(world, 'steward', DECIDE, { version, approve: true }))).toEqual(['FORBIDDEN']);
    expect(codesOf(await ask(world, 'analyst', NAMES))).toEqual([]);
    expect(codesOf(await ask(world, 'officer', DECIDE, { version, approve: false }))).toEqual([]);
    expect(codesOf(await ask(world, 'officer', DECIDE, { version, approve: true }))).toEqual(['CONFLICT']);
    expect(codesOf(await ask(world, 'analyst', NAMES))).toEqual([]);
    expect(codesOf(await ask(world, 'officer', DECIDE, { version: 4_000, approve: true }))).toEqual(['NOT_FOUND']);
  });

  it('is for those who govern: others do not know that it exists', async () => {
    for (const who of ['analyst', 'clinician', 'engineer'])
      expect(codesOf(await ask(world, who, PROPOSE, { document: {} }))).toEqual(['BAD_INPUT']);
  });

  it('acts on the next request, in this process and in every other', async () => {
    expect((await elsewhere('analyst', NAMES)).errors).toEqual([]);
    await change({ suspended: ['patients.analyst.research', 'imaging.analyst.research'] });
    expect(codesOf(await ask(world, 'analyst', NAMES))).toEqual(['BAD_INPUT']);
    expect((await elsewhere('analyst', NAMES)).errors.map((each) => each.code)).toEqual(['BAD_INPUT']);
    await change({});
    // A document that the old policy refused is judged by the new one too.
    expect((await elsewhere('analyst', NAMES)).errors).toEqual([]);
    expect(codesOf(await ask(world, 'analyst', NAMES))).toEqual([]);
  });

  it('may put a tag on an asset; what lies in it inherits the tag', async () => {
    const tags = { 'gov.sealed': 'Sealed by order of a court' };
    await change({ tags, assets: { 'patients.patient.birth_year': ['gov.sealed'] } });
    expect(codesOf(await ask(world, 'clinician', NAMES))).toEqual(['BAD_INPUT']);
    expect(codesOf(await ask(world, 'clinician', '{ patients(first: 3) { edges { node { id familyName } } } }'))).toEqual([]);
    await change({ tags, assets: { 'notes.note': ['gov.sealed'] } });
    expect(codesOf(await ask(world, 'clinician', '{ notes(first: 1) { edges { node { id } } } }'))).toEqual(['BAD_INPUT']);
    await change({ tags, assets: { notes: ['gov.sealed'] } });
    expect(codesOf(await ask(world, 'clinician', '{ notes(first: 1) { edges { node { id } } } }'))).toEqual(['BAD_INPUT']);
    expect(codesOf(await ask(world, 'clinician', NAMES))).toEqual([]);
  });

  it('may forbid rows: what one cannot tell stays forbidden', async () => {
    const all = await ask(world, 'analyst', '{ patients(first: 200) { edges { node { id sex } } } }');
    await change({
      forbids: [
        {
          id: 'local.none',
          reason: 'for a test',
          role: '*',
          purposes: ['HRESCH'],
          tags: ['demographic'],
          rows: { op: '<=', attribute: 'sensitivity', literal: 2 },
        },
      ],
    });
    const shown = await ask(world, 'analyst', '{ patients(first: 200) { edges { node { id sex } } } }');
    const cells = (reply: typeof all) =>
      (reply.body.data?.['patients'] as { edges: { node: { sex: string | null } }[] } | undefined)?.edges ?? [];
    expect(cells(all).some((each) => each.node.sex !== null)).toBe(true);
    expect(cells(shown)).toHaveLength(cells(all).length);
    expect(cells(shown).every((each) => each.node.sex === null)).toBe(true);
  });

  it('under a de-identification profile masks by Safe Harbor letter', async () => {
    await change({
      suspended: [
        'patients.clinician.treat',
        'imaging.clinician.treat',
        'notes.clinician.treat',
        'wearables.clinician.treat',
        'genomics.clinician.treat',
      ],
      grants: [
        {
          id: 'local.deidentified',
          reason: 'for a test',
          role: 'clinician',
          purposes: ['TREAT'],
          actions: ['read'],
          tags: ['root', 'pseudonym', 'pii.direct', 'pii.quasi', 'demographic', 'site', 'clinical', 'consent'],
          profile: 'safe-harbor',
          rows: { op: 'true' },
        },
      ],
    });
    const reply = await ask(
      world,
      'clinician',
      '{ patients(first: 50) { edges { node { id familyName mrn birthDate birthYear postalCode phone sex } } } }',
    );
    const nodes = (reply.body.data?.['patients'] as { edges: { node: Record<string, string | null> }[] }).edges.map((each) => each.node);
    expect(nodes.length).toBeGreaterThan(10);
    for (const node of nodes) {
      expect([node['familyName'], node['phone'], node['mrn']]).toEqual([null, null, null]);
      expect(node['birthDate'] === null || /^\d{4}-01-01$/.test(node['birthDate'] ?? '')).toBe(true);
      expect(Number(node['birthYear'])).toBeGreaterThanOrEqual(2026 - 90);
      expect(node['postalCode'] === null || /^\d{3}$/.test(node['postalCode'] ?? '')).toBe(true);
      expect(node['sex']).not.toBeNull();
    }
  });

  it('is refused whole when any of its names is unknown, with the place', async () => {
    const cases: [unknown, string][] = [
      [[], 'document'],
      [{ gifts: {} }, 'document.gifts'],
      [{ grants: [{ id: 'x' }] }, 'document.grants[0].reason'],
      [{ assets: { 'patients.patient.shoe_size': ['pii.direct'] } }, 'patients.patient.shoe_size'],
      [{ assets: { 'patients.patient': ['gov.unknown'] } }, 'unknown tag'],
      [{ suspended: ['no.such.grant'] }, 'no.such.grant'],
      [{ groups: { doctors: 'clinician' } }, 'document.groups.doctors'],
      [{ forbids: [{ id: 'f', reason: 'r', role: 'x', purposes: ['TREAT'], tags: ['root'], rows: { op: 'not' } }] }, 'rows.op'],
    ];
    for (const [document, place] of cases) {
      const reply = await ask(world, 'steward', PROPOSE, { document });
      expect(codesOf(reply)).toEqual(['POLICY_INVALID']);
      expect(reply.body.errors?.[0]?.message).toContain(place);
    }
    expect(codesOf(await ask(world, 'analyst', NAMES))).toEqual([]);
  });

  it('tells beforehand which cells it would change, and keeps every version', async () => {
    const reply = await ask(world, 'officer', 'query T($d: JSON!) { tryPolicy(document: $d) { coordinate role purpose from to } }', {
      d: { suspended: ['notes.analyst.research'] },
    });
    const changes = reply.body.data?.['tryPolicy'] as { coordinate: string; role: string; to: string }[];
    expect(changes.length).toBeGreaterThan(5);
    expect(new Set(changes.map((each) => each.role))).toEqual(new Set(['analyst']));
    expect(changes.find((each) => each.coordinate === 'Note.id')?.to).toBe('denied');
    const rows = await ask(world, 'officer', 'query T($d: JSON!) { tryPolicy(document: $d) { coordinate role to } }', {
      d: {
        forbids: [
          {
            id: 'local.rows',
            reason: 'for a test',
            role: 'analyst',
            purposes: ['HRESCH'],
            tags: ['pseudonym'],
            rows: { op: 'in', attribute: 'site', me: 'sites' },
          },
        ],
      },
    });
    const trimmed = rows.body.data?.['tryPolicy'] as { coordinate: string; role: string; to: string }[];
    // No verdict changes by that, only the rows that it stands for.
    expect(trimmed.find((each) => each.coordinate === 'Patient.sex')?.to).toMatch(/on other rows$/);
    const versions = await ask(world, 'officer', '{ policyVersions { version status proposedBy decidedBy } }');
    const listed = versions.body.data?.['policyVersions'] as { version: number; status: string }[];
    expect(listed.filter((each) => each.status === 'in force')).toHaveLength(1);
    expect(listed.map((each) => each.version)).toEqual([...listed.map((each) => each.version)].sort((a, b) => b - a));
    const kept = await column<string>(world, `select count(*)::text as value from policy_event where kind = 'proposed'`);
    expect(Number(kept[0])).toBe(listed.length);
  });
});

describe('explainAccess', () => {
  const EXPLAIN = `query E($query: String!, $as: String, $purpose: String) { explainAccess(query: $query, as: $as, purpose: $purpose) { path coordinate verdict mask ruleIds reasons missing consent rowsMax } }`;
  type Path = {
    path: string;
    verdict: string;
    mask: string | null;
    ruleIds: string[];
    missing: string[];
    consent: boolean;
    rowsMax: number;
  };
  const explained = async (who: string, variables: Record<string, unknown>): Promise<Path[]> =>
    (await ask(world, who, EXPLAIN, variables)).body.data?.['explainAccess'] as Path[];

  it('says what the answer then does, path by path', async () => {
    const query = '{ patients(first: 3) { edges { node { id familyName birthDate sex } } } }';
    for (const who of ['analyst', 'clinician']) {
      const told = await explained(who, { query });
      const answer = await ask(world, who, query);
      const done = (answer.body.extensions as unknown as { governance: { path: string; verdict: string; mask?: string }[] }).governance;
      expect(told.map(({ path, verdict, mask }) => ({ path, verdict, mask }))).toEqual(
        done.map(({ path, verdict, mask }) => ({ path, verdict, mask: mask ?? null })),
      );
    }
    const analyst = await explained('analyst', { query });
    expect(analyst.find((each) => each.path.endsWith('familyName'))).toMatchObject({
      verdict: 'masked',
      mask: 'HASH',
      consent: true,
      rowsMax: 3,
    });
  });

  it('about others is for those who govern, and names only what the asker may see', async () => {
    const query = '{ lineageRuns(first: 1) { edges { node { id principal } } } }';
    const refused = await ask(world, 'analyst', EXPLAIN, { query, as: 'clinician', purpose: 'TREAT' });
    expect(codesOf(refused)).toEqual(['FORBIDDEN']);
    const told = await explained('officer', { query, as: 'clinician', purpose: 'TREAT' });
    expect(told.map((each) => each.verdict)).toEqual(['allowed', 'allowed', 'allowed']);
    const hidden = await ask(world, 'officer', EXPLAIN, {
      query: '{ notes(first: 1) { edges { node { id } } } }',
      as: 'clinician',
      purpose: 'TREAT',
    });
    const unknown = await ask(world, 'officer', EXPLAIN, {
      query: '{ nodes(first: 1) { edges { node { id } } } }',
      as: 'clinician',
      purpose: 'TREAT',
    });
    expect(codesOf(hidden)).toEqual(['BAD_INPUT']);
    expect(hidden.body.errors?.[0]?.message.replace('notes', 'nodes')).toBe(unknown.body.errors?.[0]?.message);
  });

  it('reads nothing of a person', async () => {
    const reply = await ask(world, 'clinician', EXPLAIN, { query: NAMES });
    const persons = await column<number>(world, 'select patients as value from lineage_run where run_id = $1', [
      reply.body.extensions?.lineageId,
    ]);
    expect(persons).toEqual([0]);
  });
});

describe('the catalogue', () => {
  it('names every asset in three levels with owner and tags, and to others only what they may see', async () => {
    const QUERY = '{ assets { name urn kind owner tags } }';
    type Asset = { name: string; urn: string; kind: string; owner: string; tags: string[] };
    const all = (await ask(world, 'officer', QUERY)).body.data?.['assets'] as Asset[];
    expect(all.find((each) => each.name === 'patients.patient.mrn')).toMatchObject({
      urn: 'urn:thalamus:patients:patient:mrn',
      kind: 'column',
    });
    expect(all.filter((each) => each.kind !== 'product').every((each) => each.tags.length > 0 && each.owner !== '')).toBe(true);
    expect(new Set(all.map((each) => each.kind))).toEqual(new Set(['product', 'dataset', 'column', 'file', 'model']));
    const some = (await ask(world, 'engineer', QUERY)).body.data?.['assets'] as Asset[];
    expect(some.map((each) => each.name)).not.toContain('notes.note.body');
    expect(some.length).toBeLessThan(all.length);
  });
});
