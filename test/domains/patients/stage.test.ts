import 'reflect-metadata';
import { LABELS } from '../../../src/kernel/index.js';
import { coded, rowsOf, stageText } from './support.js';

describe('what consents are matched against', () => {
  const reference = (text: string): object => ({ reference: text });
  const security = (...codes: string[]): object => ({ security: codes.map((code) => ({ code })) });
  const observation = {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: coded('http://loinc.org', '1'),
    subject: reference('Patient/p1'),
  };

  test('labels are bits of the row, and a label that is not known is one too', async () => {
    const of = async (...codes: string[]): Promise<unknown> =>
      rowsOf(await stageText({ ...observation, meta: security(...codes) }), 'observation')[0]?.row['label_bits'];
    expect(await of('N', 'HTEST')).toBe(0);
    expect(await of('R', 'ETH', 'PSY')).toBe((1 << LABELS.ETH) | (1 << LABELS.PSY));
    expect(await of('NOVEL')).toBe(1 << LABELS.OTHER);
  });

  test('references are Type/id inside a Bundle or out of it, and what cannot be told apart is marked', async () => {
    const staged = await stageText({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { fullUrl: 'urn:uuid:aa', resource: { resourceType: 'Practitioner', id: 'x' } },
        {
          resource: {
            ...observation,
            performer: [reference('urn:uuid:aa'), reference('Practitioner/y/_history/2'), { display: 'Somebody' }],
            encounter: reference('https://other.example/Encounter/e'),
          },
        },
        {
          resource: {
            resourceType: 'Procedure',
            id: 'q',
            subject: reference('Patient/p1'),
            performer: [{ actor: reference('Practitioner/x') }],
            encounter: reference('Encounter/e'),
          },
        },
      ],
    });
    expect(rowsOf(staged, 'observation')[0]?.row['refs']).toEqual([
      'self=Observation/o1',
      'author=Practitioner/x',
      'author=Practitioner/y',
      'author=?',
      'encounter=?',
    ]);
    expect(rowsOf(staged, 'fhir_resource')[0]?.row['refs']).toEqual(['self=Procedure/q', 'author=Practitioner/x', 'encounter=Encounter/e']);
  });
});
