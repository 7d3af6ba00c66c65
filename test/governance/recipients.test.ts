import {
  composePolicy,
  isLimited,
  readPolicyDocument,
  recipientById,
  recipientOf,
  type PolicyDocument,
} from '../../src/governance/index.js';
import { everyRow, isFlagged, type Grant, type Principal } from '../../src/kernel/index.js';

const OWN: Principal = { sub: 'ada', roles: ['clinician'], purpose: 'TREAT', sites: ['north'], kind: 'person', tokenId: 't' };
const IDP = 'https://idp.university.example';
const THERE: Principal = { ...OWN, issuer: IDP };

const PROTOCOL = {
  name: 'A protocol',
  description: 'Adults with a rhythm disorder',
  sponsor: 'S, 1 Street, 555',
  researcher: 'R, 2 Street, 556',
};
const UNIVERSITY = { name: 'State University', kind: 'research', bulk: 'domestic', issuers: [IDP] } as const;

const of = (recipients: NonNullable<PolicyDocument['recipients']>, principal: Principal, more: PolicyDocument = {}) =>
  recipientOf(composePolicy([], { recipients, ...more }), principal);

describe('to whom an answer goes', () => {
  it('is the own workforce where the installation vouches for the caller and nobody else claims him', () => {
    expect(of({}, OWN)).toMatchObject({ id: 'workforce', kind: 'workforce', bulk: 'domestic' });
  });

  it('is unknown, and so flagged, for everybody of another issuer whom no recipient claims: all of them are one', () => {
    const [one, two] = [of({}, THERE), of({}, { ...THERE, sub: 'bob' })];
    expect(one).toEqual(two);
    expect(one).toMatchObject({ id: `issuer:${IDP}`, kind: 'unknown', bulk: 'unknown' });
    expect(isFlagged(one)).toBe(true);
  });

  it('is the recipient that names the issuer, before it one that names the group, before it one that names the subject', () => {
    const group = { ...UNIVERSITY, name: 'A group', groups: ['heart'] };
    const subject = { ...UNIVERSITY, name: 'A person', subjects: ['ada'] };
    const heart = { ...THERE, groups: ['heart'] };
    expect(of({ university: UNIVERSITY }, heart).id).toBe('university');
    expect(of({ university: UNIVERSITY, group }, heart).id).toBe('group');
    expect(of({ university: UNIVERSITY, group, subject }, heart).id).toBe('subject');
    expect(of({ university: UNIVERSITY, group, subject }, { ...THERE, sub: 'bob' }).id).toBe('university');
  });

  it('is one of concern where any that claims him is', () => {
    const concern = { name: 'A covered person', kind: 'other', bulk: 'of-concern', issuers: [IDP] } as const;
    const subject = { ...UNIVERSITY, subjects: ['ada'] };
    expect(of({ subject, concern }, THERE).id).toBe('concern');
  });

  it('lifts no threshold for a caller of another issuer who bears the same name', () => {
    const named = { name: 'Own staff', kind: 'workforce', bulk: 'domestic', subjects: ['ada'], groups: ['staff'] } as const;
    expect(of({ named }, OWN).id).toBe('named');
    expect(of({ named }, { ...THERE, groups: ['staff'] }).kind).toBe('unknown');
    expect(of({ university: UNIVERSITY }, OWN).id).toBe('workforce');
  });

  it('reaches whom it holds back by name everywhere, and through those who act for another', () => {
    const concern = { name: 'A covered person', kind: 'other', bulk: 'of-concern', subjects: ['mallory'] } as const;
    expect(of({ concern, university: UNIVERSITY }, { ...THERE, sub: 'mallory' }).id).toBe('concern');
    expect(of({ concern }, { ...OWN, actors: [{ sub: 'mallory', roles: [] }] }).id).toBe('concern');
  });

  it('is found again by the id that was recorded, and unknown where the policy no longer names it', () => {
    const policy = composePolicy([], { recipients: { university: { ...UNIVERSITY, address: '1 Way' } } });
    expect(recipientById(policy, 'university')).toEqual(recipientOf(policy, THERE));
    expect(recipientById(policy, 'workforce')).toEqual(recipientOf(policy, OWN));
    expect(recipientById(policy, `issuer:https://x`)).toEqual(recipientOf(policy, { ...OWN, issuer: 'https://x' }));
    for (const id of ['gone', 'constructor', null]) expect(recipientById(policy, id)).toMatchObject({ kind: 'unknown', bulk: 'unknown' });
  });
});

describe('a limited data set', () => {
  const grant = (id: string, profile?: Grant['profile']): Grant => ({
    id,
    reason: 'A reason.',
    role: 'analyst',
    purposes: ['HRESCH'],
    actions: ['read'],
    tags: ['demographic'],
    rows: everyRow,
    ...(profile ? { profile } : {}),
  });
  const grants = [grant('limited', 'limited-data-set'), grant('full')];
  const decision = (...ruleIds: string[]) => ({ coordinate: 'Patient.birthYear', verdict: 'masked', ruleIds }) as const;

  it('is what only rules with a profile let through', () => {
    expect(isLimited(grants, [decision('limited')])).toBe(true);
    expect(isLimited(grants, [decision('limited'), decision('full')])).toBe(false);
    expect(isLimited(grants, [decision('limited+full')])).toBe(false);
    expect(isLimited(grants, [decision('of an older policy')])).toBe(false);
    expect(isLimited(grants, [])).toBe(false);
  });
});

describe('a policy document with recipients', () => {
  it('states them and their protocols in their shapes', () => {
    const full = {
      ...UNIVERSITY,
      address: '1 Way',
      subjects: ['ada'],
      groups: ['heart'],
      dataUseAgreement: 'DUA-1',
      protocol: 'P-1',
      authorisation: 'F-1',
    };
    const document = { recipients: { university: full }, protocols: { 'P-1': PROTOCOL } };
    expect(readPolicyDocument(document)).toBe(document);
    const policy = composePolicy([], readPolicyDocument(document));
    expect(recipientOf(policy, THERE)).toMatchObject({
      protocol: 'P-1',
      dataUseAgreement: 'DUA-1',
      authorisation: 'F-1',
      address: '1 Way',
    });
    expect(policy.version).not.toBe(composePolicy([], {}).version);
  });

  it.each<readonly [object, string]>([
    [{ recipients: { u: { ...UNIVERSITY, kind: 'friend' } } }, 'document.recipients.u.kind'],
    [{ recipients: { u: { ...UNIVERSITY, kind: 'unknown' } } }, 'document.recipients.u.kind'],
    [{ recipients: { u: { ...UNIVERSITY, bulk: 'fine' } } }, 'document.recipients.u.bulk'],
    [{ recipients: { u: { name: 'U', kind: 'research', issuers: [IDP] } } }, 'document.recipients.u.bulk is missing'],
    [{ recipients: { u: { ...UNIVERSITY, class: 'TPO' } } }, 'document.recipients.u.class is not known'],
    [{ recipients: { u: { ...UNIVERSITY, subjects: 'ada' } } }, 'document.recipients.u.subjects'],
    [{ recipients: [UNIVERSITY] }, 'document.recipients is no object'],
    [{ protocols: { p: { ...PROTOCOL, sponsor: '' } } }, 'document.protocols.p.sponsor'],
  ])('is refused with the place for what is not in the shape (%#)', (document, place) => {
    expect(() => readPolicyDocument(document)).toThrow(place);
  });

  it.each<readonly [PolicyDocument, string]>([
    [{ recipients: { u: { name: 'U', kind: 'research', bulk: 'domestic' } } }, 'u claims nobody'],
    [{ recipients: { u: { ...UNIVERSITY, issuers: [] } } }, 'u claims nobody'],
    [{ recipients: { u: { ...UNIVERSITY, protocol: 'P-9' } } }, 'u names an unknown protocol'],
    [{ recipients: { workforce: UNIVERSITY } }, 'workforce is given already'],
    [{ recipients: { 'issuer:x': UNIVERSITY } }, 'is no id of a recipient'],
    [{ protocols: { 'a b': PROTOCOL } }, 'is no id of a protocol'],
  ])('is refused where its names do not fit together (%#)', (document, words) => {
    expect(() => composePolicy([], document)).toThrow(words);
  });
});
