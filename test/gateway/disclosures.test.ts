import { principalOf } from '../../src/cli/who.js';
import { ask as askMesh, type Answer } from '../../src/gateway/index.js';
import type { PolicyDocument } from '../../src/governance/index.js';
import { newUuid, type Principal } from '../../src/kernel/index.js';
import { ask, codesOf, openWorld, type Reply, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world.close(), 20_000);

const IDP = 'https://idp.university.example';
const PROPOSE = `mutation P($document: JSON!) { proposePolicy(document: $document, reason: "a reason that is long enough") { version } }`;
const DECIDE = `mutation D($version: Int!) { decidePolicy(version: $version, approve: true, reason: "looked at it closely") { version } }`;
const ACCOUNT = `query A($id: ID!, $from: DateTimeISO!, $to: DateTimeISO!) { accountingOfDisclosures(patientId: $id, from: $from, to: $to) {
  kind date lastDate number recipient address description purpose protocol { id } } }`;
const METER = `query M($id: ID!) { bulkMeter(recipient: $id) { recipient name flagged since counts { category persons threshold daysUntilOldestFallsOut } } }`;
const SUSPEND = `mutation S($id: ID!, $kind: String!, $until: DateTimeISO!, $reason: String!) {
  suspendAccounting(patientId: $id, kind: $kind, until: $until, reason: $reason) { id kind until endedAt } }`;
const RESUME = `mutation R($id: ID!) { resumeAccounting(id: $id, reason: "the agency let go of it") { id endedAt } }`;

const RECIPIENTS: PolicyDocument = {
  recipients: {
    university: { name: 'State University', address: '1 Way, Albany NY', kind: 'research', bulk: 'domestic', issuers: [IDP] },
    police: { name: 'State Police', kind: 'law-enforcement', bulk: 'domestic', issuers: ['https://police.example'] },
  },
};

async function enforce(document: PolicyDocument): Promise<void> {
  const proposed = await ask(world, 'steward', PROPOSE, { document });
  expect(codesOf(proposed)).toEqual([]);
  const { version } = proposed.body.data?.['proposePolicy'] as { version: number };
  expect(codesOf(await ask(world, 'officer', DECIDE, { version }))).toEqual([]);
}

interface Line {
  readonly recipient: string;
  readonly purpose: string;
}

const from = (issuer: string, who = 'analyst'): Principal => ({ ...principalOf(who), issuer });
const asked = (who: Principal, query: string): Promise<Answer> => askMesh(world.running.mesh, who, { query });
const day = (ms: number): string => new Date(ms).toISOString();
const range = (): { from: string; to: string } => ({ from: day(world.now - 30 * 86_400_000), to: day(world.now + 86_400_000) });
const account = (id: string, who = 'officer', span = range()): Promise<Reply> => ask(world, who, ACCOUNT, { id, ...span });
const lines = (reply: Reply): Line[] => {
  expect(codesOf(reply)).toEqual([]);
  return reply.body.data?.['accountingOfDisclosures'] as Line[];
};
const idsOf = (answer: Answer): string[] => {
  const { patients } = answer.data as { patients: { edges: { node: { id: string } }[] } };
  return patients.edges.map((edge) => edge.node.id);
};

const PAGE = '{ patients(first: 5) { edges { node { id birthYear } } } }';

describe('accounting of disclosures over the mesh', () => {
  let person: string;
  let stranger: string;

  it('tells what went to others than the workforce for treatment, payment and operations', async () => {
    await enforce(RECIPIENTS);
    const [first, ...others] = idsOf(await asked(from(IDP), PAGE));
    person = first ?? '';
    stranger = others.at(-1) ?? '';
    await asked(from(IDP), `{ patient(id: "${person}") { observations(first: 2) { edges { node { code value } } } } }`);
    await ask(world, 'clinician', PAGE);
    const told = lines(await account(person));
    // The demo model was trained by the own workforce, for research; what the clinician read for treatment is not here.
    expect(told.map(({ recipient, purpose }) => [recipient, purpose])).toEqual([
      ['State University', 'healthcare research, to a research organisation'],
      ['Workforce of this installation', 'healthcare research, to the own workforce'],
    ]);
    expect(told.slice(0, 1)).toEqual([
      {
        kind: 'DISCLOSURES',
        date: day(world.now).slice(0, 10),
        lastDate: day(world.now).slice(0, 10),
        number: 2,
        recipient: 'State University',
        address: '1 Way, Albany NY',
        description: 'demographic data; measurements and laboratory results',
        purpose: 'healthcare research, to a research organisation',
        protocol: null,
      },
    ]);
    expect(lines(await account(stranger))[0]).toMatchObject({ recipient: 'State University', number: 1, description: 'demographic data' });
  });

  it('holds back what an agency got while it is suspended, and tells it again afterwards', async () => {
    await asked(from('https://police.example'), `{ patient(id: "${person}") { birthYear } }`);
    const police = async (): Promise<number> => lines(await account(person)).filter((line) => line.recipient === 'State Police').length;
    expect(await police()).toBe(1);
    const statement = { id: person, kind: 'law-enforcement', reason: 'Statement of the agency of today' };
    const placed = await ask(world, 'officer', SUSPEND, { ...statement, until: day(world.now + 3_600_000) });
    expect(codesOf(placed)).toEqual([]);
    expect(await police()).toBe(0);
    const { id } = placed.body.data?.['suspendAccounting'] as { id: string };
    expect(codesOf(await ask(world, 'officer', RESUME, { id }))).toEqual([]);
    expect(await police()).toBe(1);
    expect(codesOf(await ask(world, 'officer', RESUME, { id }))).toEqual(['NOT_FOUND']);
    await ask(world, 'officer', SUSPEND, { ...statement, until: day(world.now + 3_600_000) });
    expect(await police()).toBe(0);
    world.now += 3_600_000;
    expect(await police()).toBe(1);
  });

  it('takes no hold that is over, of another kind or without a reason', async () => {
    const good = { id: person, kind: 'law-enforcement', until: day(world.now + 3_600_000), reason: 'Statement of the agency' };
    for (const wrong of [
      { until: day(world.now) },
      { until: day(world.now + 7 * 366 * 86_400_000) },
      { kind: 'press' },
      { reason: 'short' },
    ])
      expect(codesOf(await ask(world, 'officer', SUSPEND, { ...good, ...wrong }))).toEqual(['BAD_INPUT']);
  });

  it('gives one answer for a person of nobody and one of elsewhere, and refuses a bad range', async () => {
    const local: Principal = { ...principalOf('officer'), sites: ['nowhere'] };
    const text = (id: string): string =>
      ACCOUNT.replace('$id: ID!, $from: DateTimeISO!, $to: DateTimeISO!', '$from: DateTimeISO!, $to: DateTimeISO!').replace(
        '$id',
        `"${id}"`,
      );
    const told = async (id: string): Promise<unknown> =>
      (await askMesh(world.running.mesh, local, { query: text(id), variables: range() })).errors.map(({ code, message }) => [
        code,
        message,
      ]);
    expect(await told(person)).toEqual([['NOT_FOUND', 'There is no such person.']]);
    expect(await told(newUuid(world.now))).toEqual(await told(person));
    const { from: begin, to: end } = range();
    expect(codesOf(await account(person, 'officer', { from: end, to: begin }))).toEqual(['BAD_INPUT']);
    expect(codesOf(await account(person, 'officer', { from: '2019-01-01T00:00:00Z', to: end }))).toEqual(['BAD_INPUT']);
  });

  it('is for the privacy officer: others do not know that it exists', async () => {
    for (const who of ['analyst', 'clinician', 'steward', 'engineer']) {
      const { from: begin, to: end } = range();
      const hidden = `{ accountingOfDisclosures(patientId: "${person}", from: "${begin}", to: "${end}") { date } }`;
      expect(codesOf(await ask(world, who, hidden))).toEqual(['BAD_INPUT']);
      expect(codesOf(await ask(world, who, '{ bulkMeter(recipient: "university") { name } }'))).toEqual(['BAD_INPUT']);
    }
  });
});

describe('the meter over the mesh', () => {
  it('tells how many persons a recipient holds, and how long', async () => {
    const reply = await ask(world, 'officer', METER, { id: 'university' });
    expect(codesOf(reply)).toEqual([]);
    const meter = reply.body.data?.['bulkMeter'] as { counts: readonly { category: string }[] };
    expect(meter).toMatchObject({ recipient: 'university', name: 'State University', flagged: false });
    expect(meter.counts).toContainEqual({ category: 'covered-identifiers', persons: 5, threshold: 100_000, daysUntilOldestFallsOut: 366 });
    expect(meter.counts).toContainEqual({ category: 'combined', persons: 5, threshold: 10_000, daysUntilOldestFallsOut: 366 });
    const nobody = await ask(world, 'officer', METER, { id: 'nobody' });
    expect(nobody.body.data?.['bulkMeter']).toMatchObject({ flagged: true, counts: [] });
  });
});
