import fc from 'fast-check';
import { clearPassport, clearVisas, type Clearance } from '../../src/governance/passport/clearance.js';
import { matchesPattern } from '../../src/governance/passport/pattern.js';
import type { DecodedToken } from '../../src/governance/passport/token.js';
import {
  BROKER,
  COMMITTEE,
  DATASET,
  NOW,
  ONE,
  POLICY,
  SECONDS,
  TERMS,
  TWO,
  UNIVERSITY,
  USER,
  inWords,
} from '../conformance/suites/passport-kit.js';
import { suite } from '../conformance/suites/passport.js';

const SUBJECT = { iss: BROKER, sub: USER };
const visa = (iss: string, sub: string, object: Record<string, unknown>, exp = SECONDS + 3_600): DecodedToken => ({
  header: { alg: 'ES256', kid: 'k', jku: `${iss}/jwks.json` },
  claims: { iss, sub, iat: SECONDS - 60, exp, ga4gh_visa_v1: { asserted: SECONDS - 60, ...object } },
  verified: true,
  bytes: 900,
});
const grant = { type: 'ControlledAccessGrants', value: DATASET, source: COMMITTEE, by: 'dac' };
const link = (iss: string, sub: string): string => `${encodeURIComponent(sub)},${encodeURIComponent(iss)}`;
const linked = (value: string) => ({ type: 'LinkedIdentities', value, source: BROKER, by: 'system' });
const clear = (...visas: DecodedToken[]): Clearance => clearVisas(visas, SUBJECT, POLICY, NOW);

test('a grant of the subject is cleared until it ends', () => {
  expect(clear(visa(BROKER, USER, grant)).datasets).toEqual([{ dataset: DATASET, until: NOW + 3_600_000 }]);
});

test('a token whose signature was not verified counts for nothing, whatever it says', () => {
  const forged = { ...visa(BROKER, USER, grant), verified: false };
  expect(inWords(clear(forged))).toBe('ignored: not-verified');
  const passport = { ...forged, header: { ...forged.header, typ: 'vnd.ga4gh.passport+jwt' }, visas: [] };
  expect(clearPassport(passport, POLICY, NOW)).toEqual({ refused: 'not-verified' });
});

test('signatures other than ES256 and RS256 are refused', () => {
  for (const alg of ['none', 'HS256', 'EdDSA', undefined]) {
    const token = visa(BROKER, USER, grant);
    expect(inWords(clear({ ...token, header: { ...token.header, alg } }))).toBe('ignored: algorithm-refused');
  }
});

test('the subject is told apart by issuer and name together', () => {
  expect(clear(visa(ONE, USER, grant)).ignored).toEqual([{ visa: 0, reason: 'identity-unlinked' }]);
  expect(clear(visa(BROKER, 'user-2', grant)).ignored).toEqual([{ visa: 0, reason: 'identity-unlinked' }]);
});

test('an identity is reached on the way whose weakest link lasts longest', () => {
  const visas = [
    visa(TWO, 'c', grant),
    visa(BROKER, USER, linked(link(TWO, 'c')), SECONDS + 10),
    visa(BROKER, USER, linked(link(ONE, 'b')), SECONDS + 90),
    visa(ONE, 'b', linked(link(TWO, 'c')), SECONDS + 50),
  ];
  expect(clear(...visas).datasets).toEqual([{ dataset: DATASET, until: NOW + 50_000 }]);
});

test('a link with conditions links nobody', () => {
  const conditions = [[{ type: 'ResearcherStatus', value: 'pattern:*' }]];
  expect(clear(visa(ONE, 'b', grant), visa(BROKER, USER, { ...linked(link(ONE, 'b')), conditions })).datasets).toEqual([]);
});

test('beyond 256 visas nothing is read', () => {
  const many = Array.from({ length: 257 }, () => visa(BROKER, USER, { ...grant, by: 'self' }));
  expect(clear(...many.slice(1), visa(BROKER, USER, grant)).datasets).toEqual([]);
});

test('malformed claims never throw', () => {
  const anything = fc.anything({ maxDepth: 3 });
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('type', 'value', 'source', 'by', 'asserted', 'conditions'), anything),
      anything,
      (object, exp) => {
        const token = visa(BROKER, USER, grant);
        const claims = { ...token.claims, ga4gh_visa_v1: { ...grant, ...object } };
        clear(
          { ...token, claims },
          { ...token, claims: { ...token.claims, exp } },
          { ...token, header: { ...token.header, typ: exp, jku: exp } },
        );
      },
    ),
    { numRuns: 500 },
  );
});

describe('patterns', () => {
  /** Every way to match, tried: the definition, without regard to cost. */
  const naive = (pattern: readonly string[], text: readonly string[]): boolean => {
    const [first, ...rest] = pattern;
    if (first === undefined) return text.length === 0;
    if (first === '*') return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)));
    return text.length > 0 && (first === '?' || first === text[0]) && naive(rest, text.slice(1));
  };
  const letters = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 9 });

  test('the matcher equals trying every way', () => {
    fc.assert(
      fc.property(letters('a', 'b', '?', '*', '🧬'), letters('a', 'b', '*', '🧬'), (pattern, text) => {
        expect(matchesPattern(pattern, text)).toBe(naive(Array.from(pattern), Array.from(text)));
      }),
      { numRuns: 5_000 },
    );
  });

  test('many asterisks cost no more than pattern times text', () => {
    const started = performance.now();
    expect(matchesPattern('a*'.repeat(500) + 'b', 'a'.repeat(4_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('whatever the visas', () => {
  const person = fc.constantFrom([BROKER, USER], [ONE, 'b'], [TWO, 'c']);
  const affiliation = { type: 'AffiliationAndRole', value: 'faculty@x.example', source: UNIVERSITY, by: 'so' };
  const condition = fc.constantFrom(
    [[{ type: 'AffiliationAndRole', value: 'pattern:faculty@*' }]],
    [
      [
        { type: 'ResearcherStatus', by: 'const:so' },
        { type: 'AffiliationAndRole', by: 'const:so' },
      ],
    ],
    [[{ type: 'ResearcherStatus', by: 'const:so' }], [{ type: 'LinkedIdentities', value: 'split_pattern:c,*' }]],
  );
  const object = fc.oneof(
    fc.constantFrom<Record<string, unknown>>(
      grant,
      affiliation,
      { type: 'AcceptedTermsAndPolicies', value: TERMS, source: UNIVERSITY, by: 'self' },
      { type: 'ResearcherStatus', value: TERMS, source: UNIVERSITY, by: 'so' },
      linked(link(ONE, 'b')),
      linked(`${link(ONE, 'b')};${link(TWO, 'c')}`),
      linked(link(TWO, 'c')),
    ),
    condition.map((conditions) => ({ ...grant, conditions })),
  );
  const token = fc
    .tuple(person, object, fc.integer({ min: 1, max: 9 }))
    .map(([[iss = '', sub = ''], of, seconds]) => visa(iss, sub, of, SECONDS + seconds));
  const tokens = fc.array(token, { maxLength: 8 });

  /** What is granted, and until when. */
  const rights = ({ datasets, researcher, terms, registered, roles }: Clearance): Map<string, number> =>
    new Map(
      Object.entries({ datasets, researcher, terms, registered, roles }).flatMap(([kind, list]) =>
        list.map(({ until, ...what }): [string, number] => [`${kind} ${JSON.stringify(what)}`, until]),
      ),
    );

  test('without one of them nothing more is granted, and nothing for longer', () => {
    fc.assert(
      fc.property(tokens, fc.nat(7), (visas, at) => {
        const all = rights(clear(...visas));
        for (const [what, until] of rights(clear(...visas.toSpliced(at, 1)))) expect(all.get(what) ?? 0).toBeGreaterThanOrEqual(until);
      }),
      { numRuns: 2_000 },
    );
  });

  test('their order does not matter, and nothing is granted at or after its end', () => {
    fc.assert(
      fc.property(tokens, fc.nat(9), (visas, seconds) => {
        const forward = rights(clear(...visas));
        expect(rights(clear(...[...visas].reverse()))).toEqual(forward);
        const later = NOW + seconds * 1000;
        const then = rights(clearVisas(visas, SUBJECT, POLICY, later));
        expect(new Map([...forward].filter(([, until]) => until > later))).toEqual(then);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('the conformance pack agrees on every demand', async () => {
  const { cases, figures } = await suite.run('', () => undefined);
  expect(cases.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(figures['agreed']).toBeGreaterThanOrEqual(100);
});
