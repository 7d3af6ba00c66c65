import {
  ACCEPTED,
  GRANT,
  GRANTED,
  LINK,
  ROLE,
  ROLE_GIVEN,
  STATUS,
  one,
  otherPayload,
  passport,
  several,
  under,
  with_,
  type PassportCase,
} from './passport-drafts.js';
import {
  AUDIENCE,
  COMMITTEE,
  DATASET,
  NOW,
  ONE,
  OTHER_DATASET,
  ROGUE,
  SECONDS,
  TERMS,
  TWO,
  UNIVERSITY,
  USER,
  type VisaDraft,
} from './passport-kit.js';

const PASSPORT: readonly PassportCase[] = [
  passport('a passport that passes every check is cleared', {}, GRANTED),
  passport('a passport for an audience with this clearinghouse in it is cleared', { claims: { aud: ['x', AUDIENCE] } }, GRANTED),
  passport('a changed payload refuses the request', { tamper: otherPayload }, 'refused: not-verified'),
  passport("another issuer's key refuses the request", { signer: ONE }, 'refused: not-verified'),
  passport('an expired passport refuses the request', { claims: { exp: SECONDS } }, 'refused: expired'),
  passport('a passport without expiry refuses the request', { claims: { exp: undefined } }, 'refused: claims-missing'),
  passport('a passport of the future refuses the request', { claims: { iat: SECONDS + 60 } }, 'refused: issued-ahead'),
  passport('a passport without subject refuses the request', { claims: { sub: undefined } }, 'refused: claims-missing'),
  passport('a passport of another type of token refuses the request', { header: { typ: 'at+jwt' } }, 'refused: typ-invalid'),
  passport('a passport without type refuses the request', { header: { typ: undefined } }, 'refused: typ-invalid'),
  passport('a broker that is not trusted refuses the request', { claims: { iss: ROGUE }, signer: ROGUE }, 'refused: broker-untrusted'),
  passport('a passport for somebody else refuses the request', { claims: { aud: 'other' } }, 'refused: audience-other'),
  passport('a passport without a list of visas refuses the request', { claims: { ga4gh_passport_v1: 'x' } }, 'refused: visas-invalid'),
  passport('access ends with the passport', { claims: { exp: SECONDS + 100 } }, '710 100 s'),
];

const FORM: readonly PassportCase[] = [
  one(
    'form',
    'a document without jku and without openid is ignored',
    with_(GRANT, { header: { jku: undefined } }),
    'ignored: form-unclear',
  ),
  one('form', 'jku and openid together are ignored', with_(GRANT, { claims: { scope: 'openid' } }), 'ignored: form-unclear'),
  one('form', 'a document may have a scope without openid', with_(GRANT, { claims: { scope: 'profile openidx' } }), GRANTED),
  one(
    'form',
    'an access token with openid and without jku is accepted',
    with_(GRANT, { header: { jku: undefined, typ: 'at+jwt' }, claims: { scope: 'ga4gh openid' } }),
    '710 3540 s',
  ),
  one(
    'form',
    'an access token more than an hour old, not asked after, is ignored',
    with_(GRANT, { header: { jku: undefined, typ: 'at+jwt' }, claims: { scope: 'openid', iat: SECONDS - 3_601 } }),
    'ignored: access-token-old',
  ),
  one(
    'form',
    'a jku that is not listed is ignored',
    with_(GRANT, { header: { jku: 'https://evil.example/jwks' } }),
    'ignored: jku-untrusted',
  ),
  one('form', "another issuer's jku is ignored", with_(GRANT, { header: { jku: `${TWO}/jwks.json` } }), 'ignored: jku-untrusted'),
  one('form', 'the type JWT is accepted', with_(GRANT, { header: { typ: 'JWT' } }), GRANTED),
  one('form', 'no type is accepted', with_(GRANT, { header: { typ: undefined } }), GRANTED),
  one(
    'form',
    'a document that calls itself an access token is ignored',
    with_(GRANT, { header: { typ: 'at+jwt' } }),
    'ignored: typ-invalid',
  ),
  one('form', 'a visa without key id is ignored', with_(GRANT, { header: { kid: undefined } }), 'ignored: header-refused'),
  one('form', 'a visa that brings its key along is ignored', with_(GRANT, { header: { jwk: { kty: 'EC' } } }), 'ignored: header-refused'),
  one('form', 'a visa signed by another is ignored', with_(GRANT, { signer: ROGUE }), 'ignored: not-verified'),
  one('form', 'an expired visa is ignored', with_(GRANT, { claims: { exp: SECONDS } }), 'ignored: expired'),
  ...(['iss', 'sub', 'iat', 'exp'] as const).map((name) =>
    one(
      'form',
      `a visa without ${name} is ignored`,
      with_(GRANT, { claims: { [name]: undefined }, signer: ONE }),
      // Without an issuer no key can be found for it.
      name === 'iss' ? 'ignored: not-verified' : 'ignored: claims-missing',
    ),
  ),
  one('form', 'a visa beyond 16 kB is ignored', with_(GRANT, { claims: { padding: 'x'.repeat(20_000) } }), 'ignored: too-large'),
];

const TRUST: readonly PassportCase[] = [
  one('trust', 'a visa of an issuer that is not trusted is ignored', { claims: { iss: ROGUE } }, 'ignored: issuer-untrusted'),
  one('trust', 'a source that is not trusted is ignored', { object: { source: UNIVERSITY } }, 'ignored: source-untrusted'),
  one('trust', 'the source is compared with its case', { object: { source: COMMITTEE.toUpperCase() } }, 'ignored: source-untrusted'),
  one('trust', 'the committee of another dataset grants nothing', { object: { value: OTHER_DATASET } }, 'ignored: source-untrusted'),
  one(
    'trust',
    'a visa that is not needed is ignored',
    { object: { value: 'https://archive.example.org/datasets/1' } },
    'ignored: not-needed',
  ),
  one('trust', 'a value is compared whole', { object: { value: `${DATASET}/` } }, 'ignored: not-needed'),
  one('trust', 'a value is compared with its case', { object: { value: DATASET.replace('datasets', 'Datasets') } }, 'ignored: not-needed'),
  one('trust', 'authority of another level is ignored', { object: { by: 'self' } }, 'ignored: authority-insufficient'),
  one(
    'trust',
    'unknown authority fails a policy that wants one',
    with_(ROLE, { object: { by: undefined } }),
    'ignored: authority-insufficient',
  ),
];

const TYPE: readonly PassportCase[] = [
  one(
    'type',
    'an affiliation and role is parted at the first @',
    with_(ROLE, { object: { value: 'student@a@b' } }),
    'student at a@b 3600 s',
  ),
  one('type', 'a role without affiliation is ignored', with_(ROLE, { object: { value: 'faculty' } }), 'ignored: value-invalid'),
  one('type', 'a custom role has a namespace', with_(ROLE, { object: { value: 'ega.researcher@x' } }), 'ega.researcher at x 3600 s'),
  one('type', 'a role that is none is ignored', with_(ROLE, { object: { value: 'Faculty@x' } }), 'ignored: value-invalid'),
  one('type', 'accepted terms are cleared', ACCEPTED, 'terms 3600 s'),
  one('type', 'accepted terms without by are ignored', with_(ACCEPTED, { object: { by: undefined } }), 'ignored: by-missing'),
  one('type', 'a researcher status is cleared', STATUS, 'researcher 3600 s'),
  one('type', 'a grant without by is ignored', { object: { by: undefined } }, 'ignored: by-missing'),
  one('type', 'a custom type is ignored', { object: { type: 'https://example.org/visas/x' } }, 'ignored: type-unsupported'),
  one(
    'type',
    'a URL of 256 characters is ignored',
    with_(STATUS, { object: { value: `https://x/${'a'.repeat(246)}` } }),
    'ignored: value-invalid',
  ),
  one('type', 'a value that is no URL is ignored', with_(STATUS, { object: { value: 'bona fide' } }), 'ignored: value-invalid'),
  several(
    'type',
    'registered access is terms and status together',
    [ACCEPTED, STATUS],
    'researcher 3600 s, terms 3600 s, registered 3600 s',
  ),
  several(
    'type',
    'registered access wants the same document',
    [ACCEPTED, with_(STATUS, { object: { value: `${TERMS}#2` } })],
    'researcher 3600 s, terms 3600 s',
  ),
];

const SECOND: VisaDraft = { claims: { iss: TWO, sub: 'u2' } };
const linked = (value: string, change: VisaDraft = {}): VisaDraft => with_(with_(LINK, { object: { value } }), change);
const alone = (id: string, visas: readonly VisaDraft[], expected: string): PassportCase => ({ kind: 'identity', id, visas, expected });
const encoded = (sub: string, iss: string): string => `${sub},${encodeURIComponent(iss)}`;

const IDENTITY: readonly PassportCase[] = [
  several('identity', 'identities that are linked count together', [SECOND], GRANTED),
  alone('an identity that is not linked is ignored', [SECOND], 'ignored: identity-unlinked'),
  alone(
    'a link by a source that is not trusted links nobody',
    [SECOND, with_(LINK, { object: { source: UNIVERSITY } })],
    'ignored: identity-unlinked, ignored: source-untrusted',
  ),
  alone(
    'a link between others links nobody',
    [SECOND, linked(encoded('x', ONE), { claims: { sub: 'y' } })],
    'ignored: identity-unlinked, ignored: identity-unlinked',
  ),
  alone(
    'links may be chained',
    [SECOND, linked(encoded(USER, ONE)), linked(encoded('u2', TWO), { claims: { iss: ONE, sub: USER }, object: { source: ONE } })],
    GRANTED,
  ),
  alone('access ends with the link', [GRANT, with_(LINK, { claims: { exp: SECONDS + 50 } })], '710 50 s'),
  alone(
    'the longest-lived of several links counts',
    [GRANT, with_(LINK, { claims: { exp: SECONDS + 50 } }), with_(LINK, { claims: { exp: SECONDS + 70 } })],
    '710 70 s',
  ),
  alone(
    'a list with a malformed entry links nobody',
    [SECOND, linked(`${encoded('u2', TWO)};x`)],
    'ignored: identity-unlinked, ignored: value-invalid',
  ),
  alone(
    'a percent sign that encodes nothing links nobody',
    [SECOND, linked('u2,%ZZ')],
    'ignored: identity-unlinked, ignored: value-invalid',
  ),
];

const faculty = { type: 'AffiliationAndRole', value: 'const:faculty@med.example.edu', by: 'const:so' };
const bona = { type: 'ResearcherStatus', value: `const:${TERMS}` };
const met = `${GRANTED}, ${ROLE_GIVEN}`;
const unmet = `${ROLE_GIVEN}, ignored: conditions-unmet`;
const invalid = `${ROLE_GIVEN}, ignored: conditions-invalid`;
const clause = (id: string, expected: string, ...conditions: readonly unknown[]): PassportCase =>
  several('conditions', id, [under(...conditions), ROLE], expected);
const value = (text: string): unknown => [{ type: 'AffiliationAndRole', value: text }];

const CONDITIONS: readonly PassportCase[] = [
  clause('a condition that another visa meets lets the visa count', met, [faculty]),
  clause('all clauses of a list are needed', unmet, [faculty, bona]),
  clause('one list of several is enough', met, [bona], [faculty]),
  clause('all claims of a clause match the same visa', unmet, [{ ...faculty, by: 'const:system' }]),
  several(
    'conditions',
    'no visa matches claims of two',
    [under([{ ...faculty, by: 'const:peer' }]), ROLE, STATUS],
    `researcher 3600 s, ${unmet}`,
  ),
  clause('const is the whole text with its case', unmet, value('const:Faculty@med.example.edu')),
  clause('const knows no wildcard', unmet, value('const:faculty@*')),
  clause('an asterisk matches any run', met, value('pattern:faculty@*')),
  clause('a question mark matches one character', met, value('pattern:facult?@med.example.ed?')),
  clause('a question mark matches no empty run', unmet, value('pattern:faculty@med.example.edu?')),
  clause('an asterisk matches the empty run', met, value('pattern:*faculty@med.example.edu*')),
  clause('a pattern is the whole text', unmet, value('pattern:faculty')),
  clause('a pattern keeps its case', unmet, value('pattern:FACULTY@*')),
  clause('other special characters mean themselves', unmet, value('pattern:.*@med[.]example.edu')),
  clause('an unknown prefix fails to match', unmet, value('regex:.*')),
  clause('an unknown prefix leaves the other lists', met, value('regex:.*'), [faculty]),
  clause('a clause asks one type of visa only', unmet, [{ ...faculty, type: 'ResearcherStatus' }]),
  clause('a clause without type rejects the visa', invalid, [{ value: 'const:x' }], [faculty]),
  clause('a clause with a type alone rejects the visa', invalid, [{ type: 'AffiliationAndRole' }], [faculty]),
  clause('asserted inside a clause rejects the visa', invalid, [{ ...faculty, asserted: 'const:1' }]),
  clause('conditions inside a clause reject the visa', invalid, [{ ...faculty, conditions: [] }]),
  clause('a claim without prefix rejects the visa', invalid, value('faculty')),
  clause('a pattern that is not supported rejects the visa', invalid, value(`pattern:${'*'.repeat(2_000)}`), [faculty]),
  several(
    'conditions',
    'conditions that are no list reject the visa',
    [with_(GRANT, { object: { conditions: 'x' } })],
    'ignored: conditions-invalid',
  ),
  several(
    'conditions',
    'a visa with conditions meets no clause',
    [under([faculty]), with_(ROLE, { object: { conditions: [[bona]] } }), STATUS],
    `researcher 3600 s, ${ROLE_GIVEN}, ignored: conditions-unmet`,
  ),
  several(
    'conditions',
    'a visa that is not accepted meets no clause',
    [under([faculty]), with_(ROLE, { claims: { exp: SECONDS - 1 } })],
    'ignored: conditions-unmet, ignored: expired',
  ),
  several(
    'conditions',
    'split_pattern matches one part of a list',
    [under([{ type: 'LinkedIdentities', value: 'split_pattern:u2,https%3A%2F%2Ftwo.*' }])],
    GRANTED,
  ),
  several(
    'conditions',
    'pattern does not split a list',
    [under([{ type: 'LinkedIdentities', value: 'pattern:u2,*' }])],
    'ignored: conditions-unmet',
  ),
  several(
    'conditions',
    'a claim that the visa lacks is not matched',
    [under([{ type: 'LinkedIdentities', by: 'const:dac' }])],
    'ignored: conditions-unmet',
  ),
  alone(
    'an asterisk does not match a claim that is absent',
    [under([{ type: 'LinkedIdentities', by: 'pattern:*' }]), with_(LINK, { object: { by: undefined } })],
    'ignored: conditions-unmet',
  ),
];

const EXPIRY: readonly PassportCase[] = [
  one('expiry', 'access ends with the visa', { claims: { exp: SECONDS + 10 } }, '710 10 s'),
  one('expiry', 'asserted bounds access too', { object: { asserted: SECONDS - 365 * 86_400 + 20 } }, '710 20 s'),
  one(
    'expiry',
    'a statement older than the policy believes is ignored',
    { object: { asserted: SECONDS - 365 * 86_400 } },
    'ignored: expired',
  ),
  one('expiry', 'a statement of the future is ignored', { object: { asserted: SECONDS + 60 } }, 'ignored: asserted-invalid'),
  one('expiry', 'a visa without asserted is ignored', { object: { asserted: undefined } }, 'ignored: asserted-invalid'),
  one('expiry', 'expiry in milliseconds is ignored', { claims: { exp: NOW } }, 'ignored: times-invalid'),
  several('expiry', 'the longest of two grants counts', [GRANT, { claims: { exp: SECONDS + 30 } }], GRANTED),
  several(
    'expiry',
    'of all visas that access rests on the first to end ends it',
    [under([faculty]), with_(ROLE, { claims: { exp: SECONDS + 30 } })],
    '710 30 s, faculty at med.example.edu 30 s',
  ),
  several(
    'expiry',
    'registered access ends with the first of its two visas',
    [ACCEPTED, with_(STATUS, { claims: { exp: SECONDS + 40 } })],
    'researcher 40 s, terms 3600 s, registered 40 s',
  ),
];

export const PASSPORT_CASES: readonly PassportCase[] = [...PASSPORT, ...FORM, ...TRUST, ...TYPE, ...IDENTITY, ...CONDITIONS, ...EXPIRY];
