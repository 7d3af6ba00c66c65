import fc from 'fast-check';
import { principalOf, type ClaimRules } from '../../../src/gateway/token-claims.js';
import { isCoded, type Principal } from '../../../src/kernel/index.js';
import { ROLES } from './support.js';

const CLAIMS = { sub: 'dr-ada', jti: 't1', roles: ['clinician'], purpose: 'TREAT', sites: ['north'] };
const rules: ClaimRules = { roles: () => ROLES };
const of = (claims: Record<string, unknown>, more: Partial<ClaimRules> = {}): Principal =>
  principalOf({ ...CLAIMS, ...claims }, { ...rules, ...more });

/** The code with which claims are refused, 'accepted' where they are not. */
function verdict(claims: Record<string, unknown>, more: Partial<ClaimRules> = {}): string {
  try {
    of(claims, more);
    return 'accepted';
  } catch (error) {
    return isCoded(error) ? error.code : String(error);
  }
}

describe('the claims of a verified token', () => {
  it('become a principal that holds what they say and nothing else', () => {
    expect(of({ other: 'x', __proto__: { kind: 'service' } })).toEqual({
      sub: 'dr-ada',
      roles: ['clinician'],
      purpose: 'TREAT',
      sites: ['north'],
      kind: 'person',
      tokenId: 't1',
      session: 't1',
    });
    expect(
      of({
        sid: 's1',
        groups: ['ward-7', 'CN=Ward 7,OU=North'],
        fhirUser: 'https://fhir.example/r4/Practitioner/ada',
        organization: ['north-hospital', 'Organization/o2'],
        scope: 'openid launch/patient patient/Observation.rs?category=laboratory',
        patient: 'p1',
        project: 'urn:study:7',
        amr: ['pwd', 'mfa'],
      }),
    ).toMatchObject({
      session: 's1',
      groups: ['CN=Ward 7,OU=North', 'ward-7'],
      identities: ['https://fhir.example/r4/Practitioner/ada', 'Organization/o2', 'Organization/north-hospital', 'Group/ward-7'],
      scopes: ['openid', 'launch/patient', 'patient/Observation.rs?category=laboratory'],
      patient: 'p1',
      project: 'urn:study:7',
      steppedUp: true,
    });
  });

  it('of a service make no session and no second factor', () => {
    const service = of({ kind: 'service', sid: 's1', amr: ['mfa'] });
    expect(service.kind).toBe('service');
    expect(service).not.toHaveProperty('session');
    expect(service).not.toHaveProperty('steppedUp');
  });

  it.each(['openid profile', 'launch/patient', 'offline_access', ''])('bring no SMART scopes where there is none: %j', (scope) => {
    expect(of({ scope })).not.toHaveProperty('scopes');
  });

  // One that is not understood must reach the judge of scopes, who denies it; it may not count as a token without scopes.
  it.each(['patient/*.rs', 'patient/Observation', 'User/Patient.read', 'practitioner/Patient.rs', 'system/*.*', 'patient/', 'user/x.%zz'])(
    'keep %s as a SMART scope, well-formed or not',
    (scope) => {
      expect(of({ scope: `openid ${scope}` }).scopes).toEqual(['openid', scope]);
    },
  );

  it.each<[string, unknown]>([
    ['sub', ''],
    ['sub', ' dr-ada'],
    ['sub', 'x'.repeat(256)],
    ['sub', 'dr-аda'],
    ['sub', 42],
    ['sub', 'GUEST'],
    ['jti', 7],
    ['jti', ''],
    ['roles', 'clinician'],
    ['roles', [['clinician']]],
    ['roles', { 0: 'clinician', length: 1 }],
    ['roles', Array.from({ length: 65 }, () => 'clinician')],
    ['groups', 'ward-7'],
    ['groups', [null]],
    ['groups', Array.from({ length: 201 }, (_, i) => `g${String(i)}`)],
    ['sites', 'north'],
    ['sites', ['north,south']],
    ['sites', ['*']],
    ['sites', ["x'--"]],
    ['kind', 'admin'],
    ['kind', true],
    ['sid', 7],
    ['sid', ''],
    ['fhirUser', 'Observation/1'],
    ['fhirUser', 'ftp://x/Practitioner/1'],
    ['fhirUser', ['Practitioner/1']],
    ['organization', 'Practitioner/1'],
    ['organization', ['Organization/a/b']],
    ['scope', ['patient/*.rs']],
    ['scope', 'patient/*.rs\n'],
    ['scope', 'a"b'],
    ['scope', 'x'.repeat(9_000)],
    ['patient', 'Patient/1'],
    ['patient', ''],
    ['project', { id: 1 }],
    ['acr', 1],
    ['amr', 'mfa'],
    ['amr', [1]],
    ['act', 'x'],
    ['token_use', 'id'],
    ['cnf', {}],
  ])('refuse the token where %s is %j', (claim, value) => {
    expect(verdict({ [claim]: value })).toBe('UNAUTHENTICATED');
  });

  it('keep a group from passing as a person', () => {
    expect(of({ groups: ['Practitioner/ada', 'Group/x', 'Practitioner'] }).identities).toEqual(['Group/Practitioner']);
  });

  it('of any shape give a well-formed principal or a coded refusal', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.string()),
      fc.constantFrom('*', 'person', 'service', ['clinician'], 'patient/*.rs', null),
    );
    const names = [
      ...Object.keys(CLAIMS),
      'groups',
      'kind',
      'sid',
      'fhirUser',
      'organization',
      'scope',
      'patient',
      'project',
      'acr',
      'amr',
      'act',
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }), (claims) => {
        let principal: Principal;
        try {
          principal = of(claims);
        } catch (error) {
          expect(['UNAUTHENTICATED', 'FORBIDDEN', 'PURPOSE_MISSING']).toContain(isCoded(error) ? error.code : String(error));
          return;
        }
        const texts = [
          principal.sub,
          principal.tokenId,
          ...(principal.sites === '*' ? [] : principal.sites),
          ...(principal.identities ?? []),
          ...(principal.groups ?? []),
        ];
        expect(texts.filter((text) => !/^[\x20-\x7e]{1,255}$/.test(text))).toEqual([]);
        expect(principal.roles.filter((role) => !ROLES.has(role))).toEqual([]);
        expect(principal.roles.length).toBeGreaterThan(0);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('roles', () => {
  const rolesOf = (roles: readonly string[], groups: readonly string[]): string[] => [
    ...roles,
    ...groups.flatMap((group) => (group === 'ward-7' ? ['clinician'] : group === 'odd' ? ['wizard'] : [])),
  ];

  it('may come from groups, where the policy says which', () => {
    expect(of({ roles: undefined, groups: ['ward-7', 'choir'] }, { rolesOf }).roles).toEqual(['clinician']);
    expect(of({ roles: ['analyst'], groups: ['ward-7'] }, { rolesOf }).roles).toEqual(['analyst', 'clinician']);
  });

  it('never come from groups alone, from groups that nobody mapped, or from a mapping to what nobody knows', () => {
    expect(verdict({ roles: undefined, groups: ['clinician'] })).toBe('FORBIDDEN');
    expect(verdict({ roles: undefined, groups: ['choir'] }, { rolesOf })).toBe('FORBIDDEN');
    expect(verdict({ groups: ['odd'] }, { rolesOf })).toBe('FORBIDDEN');
    expect(verdict({ roles: ['wizard'], groups: ['ward-7'] }, { rolesOf: () => ['clinician'] })).toBe('FORBIDDEN');
  });

  it('are those that the policy knows at this moment', () => {
    const known = new Set(['clinician']);
    const now = { roles: () => known };
    expect(verdict({}, now)).toBe('accepted');
    known.delete('clinician');
    expect(verdict({}, now)).toBe('FORBIDDEN');
  });
});
