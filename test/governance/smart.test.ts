import fc from 'fast-check';
import { FHIR_TYPES } from '../../src/governance/smart/fhir-types.js';
import { RIGHTS, parseScope, printScope, type SmartScope } from '../../src/governance/smart/scope.js';
import { branchesWith, parseScopes, scopeRules, type ScopeBranch, type SmartContext } from '../../src/governance/smart/scopes.js';
import { suite } from '../conformance/suites/smart.js';

const LABS = 'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';
const PERSON: SmartContext = { patient: 'p1', kind: 'person' };
const rules = (texts: readonly string[], context: SmartContext = PERSON) => scopeRules(parseScopes(texts).scopes, context);

test('a scope restricts rights, rows and columns of its type and of no other', () => {
  const found = rules([LABS]);
  expect([...found.keys()]).toEqual(['Observation']);
  expect(found.get('Observation')?.branches).toEqual([{ rights: ['r', 's'], patient: 'p1', columns: [[{ category: 'laboratory' }]] }]);
  expect(branchesWith(found.get('Observation'), 'c')).toEqual([]);
  expect(branchesWith(found.get('Condition'), 'r')).toEqual([]);
});

test('rights of one scope never reach the rows of another', () => {
  const rule = rules([LABS, 'user/Observation.c']).get('Observation');
  expect(branchesWith(rule, 's').map(({ patient }) => patient)).toEqual(['p1']);
  expect(branchesWith(rule, 'c').map(({ columns }) => columns)).toEqual([[]]);
});

test('all parameters hold, and any of the values of one', () => {
  const [branch] = rules(['user/Observation.rs?category=laboratory,exam&code=http://loinc.org|4548-4']).get('Observation')!.branches;
  expect(branch!.columns).toEqual([[{ category: 'laboratory' }, { category: 'exam' }], [{ system: 'http://loinc.org', code: '4548-4' }]]);
});

test('without a patient in context patient scopes grant nothing', () => {
  expect(rules(['patient/*.cruds', LABS], { kind: 'person' }).size).toBe(0);
  expect(rules(['patient/*.cruds'], { patient: '', kind: 'person' }).size).toBe(0);
});

test('user scopes are of persons and system scopes of services', () => {
  expect(rules(['system/*.rs']).size).toBe(0);
  expect(rules(['user/*.rs'], { kind: 'service' }).size).toBe(0);
  expect(rules(['system/*.rs'], { kind: 'service' }).size).toBe(FHIR_TYPES.length);
});

test('a scope that cannot be said in columns is unmapped and grants nothing', () => {
  const texts = ['user/Condition.rs?category=x', 'user/Observation.rs?code:in=x', 'patient/Observation.sr', 'openid', 'user/Patient.r'];
  const { scopes, unmapped } = parseScopes(texts);
  expect(unmapped).toEqual(texts.slice(0, 3));
  expect(scopes.map(printScope)).toEqual(['user/Patient.r']);
  const parsed = parseScope('user/Condition.rs?category=x')!;
  expect(scopeRules([parsed], PERSON).size).toBe(0);
});

test('beyond the limits of length and number nothing is read', () => {
  expect(parseScope(`user/Observation.rs?code=${'1'.repeat(1_001)}`)).toBeNull();
  expect(parseScope(`user/Observation.rs?${Array.from({ length: 17 }, () => 'code=1').join('&')}`)).toBeNull();
  const many = Array.from({ length: 513 }, () => 'user/Patient.r');
  expect(parseScopes(many).unmapped).toHaveLength(1);
});

describe('whatever the scope', () => {
  const parameter = fc.record({
    name: fc.constantFrom('category', 'code', 'code:in', 'patient.birthdate', '_filter'),
    value: fc.oneof(
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text)),
      fc.constantFrom('laboratory', 'http://loinc.org|4548-4', 'a,b', 'a&b=c', '100%', 'a\\,b', '|x', 'x|'),
    ),
  });
  const scope: fc.Arbitrary<SmartScope> = fc
    .record({
      context: fc.constantFrom('patient' as const, 'user' as const, 'system' as const),
      type: fc.constantFrom('*' as const, 'Observation' as const, 'Condition' as const, 'Patient' as const, 'Basic' as const),
      rights: fc.subarray([...RIGHTS], { minLength: 1 }),
      parameters: fc.array(parameter, { maxLength: 3 }),
    })
    .map((each) => (each.type === '*' ? { ...each, parameters: [] } : each));

  test('printed and parsed again it is the same', () => {
    fc.assert(
      fc.property(scope, (each) => expect(parseScope(printScope(each))).toEqual(each)),
      { numRuns: 1_000 },
    );
  });

  test('letters out of order, doubled or unknown are refused', () => {
    const letters = fc.string({ unit: fc.constantFrom('c', 'r', 'u', 'd', 's', 'x'), maxLength: 6 });
    fc.assert(
      fc.property(letters, (text) => {
        const subset = text !== '' && RIGHTS.filter((right) => text.includes(right)).join('') === text;
        expect(parseScope(`user/Patient.${text}`) !== null).toBe(subset);
      }),
      { numRuns: 1_000 },
    );
  });

  const row = fc.record({
    patient: fc.constantFrom('p1', 'p2'),
    category: fc.constantFrom('laboratory', 'exam', null),
    code: fc.constantFrom('4548-4', 'a', null),
    system: fc.constantFrom('http://loinc.org', null),
  });
  const reaches = ({ patient, columns }: ScopeBranch, of: Record<string, string | null>): boolean =>
    (patient === null || patient === of['patient']) &&
    columns.every((test_) => test_.some((values) => Object.entries(values).every(([column, value]) => of[column] === value)));

  test('a parameter never adds a row, and a further scope never takes one away', () => {
    const context = fc.constantFrom<SmartContext>(PERSON, { kind: 'person' }, { kind: 'service', patient: 'p2' });
    fc.assert(
      fc.property(scope, fc.array(scope, { maxLength: 3 }), context, row, fc.constantFrom(...RIGHTS), (one, more, of, data, right) => {
        const granted = (scopes: readonly SmartScope[]): boolean =>
          branchesWith(scopeRules(scopes, of).get('Observation'), right).some((branch) => reaches(branch, data));
        if (granted([one])) expect([granted([{ ...one, parameters: [] }]), granted([...more, one])]).toEqual([true, true]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('no text makes the parser throw', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((each) => `patient/Observation.rs?${each}`),
      fc.string().map((each) => `user/${each}`),
    );
    fc.assert(
      fc.property(text, (each) => void parseScopes([each])),
      { numRuns: 2_000 },
    );
  });
});

test('the conformance pack agrees on every string', async () => {
  const { cases, figures } = await suite.run('', () => undefined);
  expect(cases.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(figures['by_kind']).toMatchObject({ example: { agreed: 40 }, 'earlier example': { agreed: 5 } });
});
