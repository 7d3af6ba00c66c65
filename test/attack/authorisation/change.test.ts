/** Rights that end between two requests. */
import { OPERATOR } from '../../../src/cli/wire.js';
import { askAs, codesOf, column, fieldOf, inForce, like, openWorld, pageOf, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const CODES = 'http://terminology.hl7.org/CodeSystem';

describe('ATK-54 consent withdrawn between two pages', () => {
  const query =
    'query($after: String) { patients(first: 5, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }';
  const next = async (after: string | null) => {
    const reply = await askAs(world, like('clinician'), { query, variables: { after } });
    expect(codesOf(reply)).toEqual([]);
    return reply.body.data;
  };
  const endOf = (data: unknown): string => pageOf(data, 'patients').pageInfo.endCursor ?? '';

  /** A later consent of the person that denies treatment, through the same entrance as every file. */
  async function withdraw(patientId: string): Promise<void> {
    const [fhirId = ''] = await column<string>(
      world,
      `select value as value from identity_key where patient_id = $1 and issuer = 'urn:thalamus:fhir-patient'`,
      [patientId],
    );
    const consent = {
      resourceType: 'Consent',
      id: `withdrawn-${patientId}`,
      status: 'active',
      scope: { coding: [{ system: `${CODES}/consentscope`, code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: `Patient/${fhirId}` },
      dateTime: new Date(world.now - 1_000).toISOString(),
      policyRule: { coding: [{ system: `${CODES}/v3-ActCode`, code: 'OPTOUT' }] },
      provision: {
        type: 'deny',
        purpose: ['TREAT', 'HRESCH', 'HOPERAT', 'HPAYMT'].map((code) => ({ system: `${CODES}/v3-ActReason`, code })),
      },
    };
    const bytes = Buffer.from(JSON.stringify(consent));
    const report = await world.running.mesh.parts.ingestion.ingest(
      { product: 'patients', name: `withdrawal-${patientId}.json`, bytes },
      OPERATOR,
    );
    expect(report).toMatchObject({ status: 'ingested', faults: [] });
  }

  it('the second page lacks the person, whom no other question finds either; the cursor still stands', async () => {
    const first = await next(null);
    const second = await next(endOf(first));
    const third = await next(endOf(second));
    const [gone = '', ...kept] = fieldOf(second, 'patients') as string[];
    await withdraw(gone);
    const again = await next(endOf(first));
    expect(fieldOf(again, 'patients')).toEqual([...kept, ...fieldOf(third, 'patients').slice(0, 1)]);
    const alone = await askAs(world, like('clinician'), {
      query: 'query($id: ID!) { patient(id: $id) { id observations(first: 1) { totalCount } } }',
      variables: { id: gone },
    });
    expect(alone.body.data).toEqual({ patient: null });
  });

  it('a cursor that stands at the very person who withdrew goes on behind him', async () => {
    const first = await next(null);
    const shown = fieldOf(first, 'patients') as string[];
    const before = await next(endOf(first));
    await withdraw(shown.at(-1) ?? '');
    const after = await next(endOf(first));
    expect(fieldOf(after, 'patients')).toEqual(fieldOf(before, 'patients'));
    expect(fieldOf(await next(null), 'patients')).toEqual([...shown.slice(0, -1), ...fieldOf(before, 'patients').slice(0, 1)]);
  });

  it('the lists under a person and the count go with the rows', async () => {
    const counted = async (): Promise<number> =>
      (await askAs(world, like('clinician'), '{ patientCount }')).body.data?.['patientCount'] as number;
    const before = await counted();
    const shown = fieldOf(await next(null), 'patients') as string[];
    await withdraw(shown[0] ?? '');
    expect(await counted()).toBe(before - 1);
    const notes = await askAs(world, like('clinician'), '{ notes(first: 500) { edges { node { patient { id } } } } }');
    expect(notes.text).not.toContain(shown[0]);
  });
});

describe('ATK-55 a grant that has expired', () => {
  const END = Date.parse('2026-06-01T00:05:00Z');
  const auditor = like('clinician', { sub: 'dr-locum', roles: ['locum'] });
  const QUESTION = '{ patients(first: 3) { edges { node { id familyName } } } }';

  it('gives data until its last millisecond and nothing on the next request', async () => {
    await inForce(world, {
      grants: [
        {
          id: 'local.locum',
          reason: 'A locum for five minutes.',
          role: 'locum',
          purposes: ['TREAT'],
          actions: ['read'],
          tags: ['root', 'pseudonym', 'pii.direct'],
          rows: { op: 'in', attribute: 'site', me: 'sites' },
          validFrom: '2026-06-01T00:01:00Z',
          validTo: new Date(END).toISOString(),
        },
      ],
    });
    const start = world.now;
    const at = async (now: number) => {
      world.now = now;
      const reply = await askAs(world, auditor, QUESTION);
      return [reply.status, codesOf(reply)[0] ?? null, /familyName":"/.test(reply.text)];
    };
    expect(await at(Date.parse('2026-06-01T00:00:59.999Z'))).toEqual([403, 'FORBIDDEN', false]);
    expect(await at(Date.parse('2026-06-01T00:01:00Z'))).toEqual([200, null, true]);
    expect(await at(END - 1)).toEqual([200, null, true]);
    expect(await at(END)).toEqual([403, 'FORBIDDEN', false]);
    expect(await at(END + 60_000)).toEqual([403, 'FORBIDDEN', false]);
    world.now = start;
  });

  it('leaves the rest of a class as it is: only what it alone gave is gone', async () => {
    const start = world.now;
    await inForce(world, {
      grants: [
        {
          id: 'local.name',
          reason: 'The steward sees names for a minute.',
          role: 'steward',
          purposes: ['HOPERAT'],
          actions: ['read'],
          tags: ['root', 'pseudonym', 'pii.direct'],
          rows: { op: 'true' },
          validTo: new Date(start + 60_000).toISOString(),
        },
      ],
    });
    const names = async () => fieldOf((await askAs(world, like('steward'), QUESTION)).body.data, 'patients', 'familyName');
    expect((await names()).every((name) => typeof name === 'string')).toBe(true);
    world.now = start + 60_000;
    expect(await names()).toEqual([null, null, null]);
    world.now = start;
  });

  it('a grant that is suspended is gone with the next request too', async () => {
    const sexes = '{ patients(first: 3) { edges { node { id sex } } } }';
    expect(codesOf(await askAs(world, like('analyst'), sexes))).toEqual([]);
    await inForce(world, { suspended: ['patients.analyst.research', 'imaging.analyst.research'] });
    expect(codesOf(await askAs(world, like('analyst'), sexes))).toEqual(['BAD_INPUT']);
    await inForce(world, {});
    expect(codesOf(await askAs(world, like('analyst'), sexes))).toEqual([]);
  });
});
