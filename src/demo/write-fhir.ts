import type { Person } from './people.js';
import { Random } from './random.js';
import { mrnSystem } from './sites.js';
import { DAY_MS, isoDate, isoZoned } from './time.js';

type Resource = Readonly<Record<string, unknown>>;

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
const SYNTHETIC_TAG = { system: 'urn:thalamus:demo', code: 'SYNTHETIC' };

function coded(system: string, code: string, display?: string): Resource {
  return { coding: [display === undefined ? { system, code } : { system, code, display }] };
}

function patient(person: Person): Resource {
  return {
    resourceType: 'Patient',
    id: person.fhirId,
    meta: { tag: [{ system: 'urn:thalamus:site', code: person.site.code }, SYNTHETIC_TAG] },
    identifier: [
      { type: coded(`${TERMINOLOGY}/v2-0203`, 'MR'), system: mrnSystem(person.site), value: person.mrn },
      { type: coded(`${TERMINOLOGY}/v2-0203`, 'SS'), system: 'http://hl7.org/fhir/sid/us-ssn', value: person.ssn },
    ],
    name: [{ use: 'official', family: person.family, given: [person.given] }],
    telecom: [{ system: 'phone', value: person.phone, use: 'home' }],
    gender: person.sex,
    birthDate: isoDate(person.birth),
    address: [{ city: person.city, state: person.site.state, postalCode: person.zip, country: 'US' }],
  };
}

function condition(person: Person, random: Random, code: string, display: string, onset: number, labels: readonly string[] = []): Resource {
  return {
    resourceType: 'Condition',
    id: random.uuid(),
    meta: {
      tag: [SYNTHETIC_TAG],
      ...(labels.length > 0 ? { security: labels.map((label) => ({ system: `${TERMINOLOGY}/v3-ActCode`, code: label })) } : {}),
    },
    clinicalStatus: coded(`${TERMINOLOGY}/condition-clinical`, 'active'),
    verificationStatus: coded(`${TERMINOLOGY}/condition-ver-status`, 'confirmed'),
    code: coded('http://hl7.org/fhir/sid/icd-10-cm', code, display),
    subject: { reference: `urn:uuid:${person.fhirId}` },
    onsetDateTime: isoDate(onset),
    recordedDate: isoDate(onset),
  };
}

function conditions(person: Person, random: Random): Resource[] {
  const before = (): number => person.index - random.int(30, 2500) * DAY_MS;
  const list: Resource[] = [];
  if (random.chance(0.45)) list.push(condition(person, random, 'I10', 'Essential (primary) hypertension', before()));
  if (random.chance(0.2)) list.push(condition(person, random, 'E11.9', 'Type 2 diabetes mellitus without complications', before()));
  if (random.chance(0.12)) list.push(condition(person, random, 'R07.9', 'Chest pain, unspecified', before()));
  if (person.part2 !== undefined) {
    const opioid = person.part2 === 'F11.20';
    const display = opioid ? 'Opioid dependence, uncomplicated' : 'Alcohol dependence, uncomplicated';
    list.push(condition(person, random, person.part2, display, before(), opioid ? ['ETHUD', 'OPIOIDUD'] : ['ETH', 'ETHUD']));
  }
  const onset = person.index + random.int(7, 35) * DAY_MS;
  if (person.latent.event) list.push(condition(person, random, 'I50.9', 'Heart failure, unspecified', onset));
  return list;
}

function observation(
  person: Person,
  random: Random,
  code: string,
  display: string,
  value: number,
  unit: string,
  category: string,
): Resource {
  return {
    resourceType: 'Observation',
    id: random.uuid(),
    meta: { tag: [SYNTHETIC_TAG] },
    status: 'final',
    category: [coded(`${TERMINOLOGY}/observation-category`, category)],
    code: coded('http://loinc.org', code, display),
    subject: { reference: `urn:uuid:${person.fhirId}` },
    effectiveDateTime: isoZoned(person.index - random.int(1, 120) * DAY_MS, person.site.offsetMinutes),
    valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
  };
}

function observations(person: Person, random: Random): Resource[] {
  // Clinical values follow the risk only weakly: the demo's signal lies in the four modalities.
  const pull = Math.max(-2, Math.min(2, person.latent.logOdds + 1.1));
  const list: Resource[] = [];
  const add = (share: number, code: string, display: string, value: number, unit: string, category: string): void => {
    if (random.chance(share)) list.push(observation(person, random, code, display, value, unit, category));
  };
  add(0.95, '8480-6', 'Systolic blood pressure', Math.round(130 + 2 * pull + 14 * random.normal()), 'mm[Hg]', 'vital-signs');
  add(0.7, '2339-0', 'Glucose [Mass/volume] in Blood', Math.round(104 + 18 * Math.abs(random.normal())), 'mg/dL', 'laboratory');
  add(
    0.6,
    '2160-0',
    'Creatinine [Mass/volume] in Serum or Plasma',
    Number((0.95 * Math.exp(0.22 * random.normal())).toFixed(2)),
    'mg/dL',
    'laboratory',
  );
  add(
    0.35,
    '33762-6',
    'Natriuretic peptide.B prohormone N-Terminal [Mass/volume] in Serum or Plasma',
    Math.round(140 * Math.exp(0.15 * pull + 0.7 * random.normal())),
    'pg/mL',
    'laboratory',
  );
  return list;
}

function purposes(codes: readonly string[]): Resource[] {
  return codes.map((code) => ({ system: `${TERMINOLOGY}/v3-ActReason`, code }));
}

function consent(person: Person, random: Random, status: 'active' | 'inactive', time: number, provision: Resource): Resource {
  const deny = provision['type'] === 'deny';
  return {
    resourceType: 'Consent',
    id: random.uuid(),
    meta: { tag: [SYNTHETIC_TAG] },
    status,
    scope: coded(`${TERMINOLOGY}/consentscope`, 'patient-privacy'),
    category: [coded('http://loinc.org', '59284-0', 'Consent Document')],
    patient: { reference: `urn:uuid:${person.fhirId}` },
    dateTime: isoZoned(time, person.site.offsetMinutes),
    policyRule: coded(`${TERMINOLOGY}/v3-ActCode`, deny ? 'OPTOUT' : 'OPTIN'),
    provision,
  };
}

const CARE = ['TREAT', 'HPAYMT', 'HOPERAT'] as const;

function denyCategory(code: string): Resource {
  return { provision: [{ type: 'deny', purpose: purposes(['HRESCH']), class: [{ system: 'urn:thalamus:category', code }] }] };
}

/** One Consent per patient; who revoked research has a second, later one. */
function consents(person: Person, random: Random): Resource[] {
  const signed = person.index - random.int(200, 900) * DAY_MS;
  const later = person.index - random.int(5, 120) * DAY_MS;
  const permit = (codes: readonly string[], extra: Resource = {}): Resource => ({ type: 'permit', purpose: purposes(codes), ...extra });
  const first = (provision: Resource): Resource => consent(person, random, 'active', signed, provision);
  const research = [...CARE, 'HRESCH'];
  switch (person.consent) {
    case 'research':
      return [first(permit(research))];
    case 'research-no-genomics':
      return [first(permit(research, denyCategory('GENOMICS')))];
    case 'research-no-notes':
      return [first(permit(research, denyCategory('NOTES')))];
    case 'care-only':
      return [first(permit(CARE))];
    case 'treatment-only':
      return [first(permit(['TREAT']))];
    // A revoked consent is the first one made inactive, beside a later one that still permits care.
    case 'revoked-inactive':
      return [consent(person, random, 'inactive', signed, permit(research)), consent(person, random, 'active', later, permit(CARE))];
    case 'revoked-deny':
      return [
        first(permit(research)),
        consent(person, random, 'active', later, permit(CARE, { provision: [{ type: 'deny', purpose: purposes(['HRESCH']) }] })),
      ];
  }
}

/** A FHIR R4 collection bundle of the given people as JSON text, one entry per line. */
export function fhirBundle(seed: number, people: readonly Person[], now: number): string {
  const lines: string[] = [];
  for (const person of people) {
    const random = new Random(seed, 'fhir', person.number);
    const resources = [patient(person), ...consents(person, random), ...conditions(person, random), ...observations(person, random)];
    for (const resource of resources) lines.push(JSON.stringify({ fullUrl: `urn:uuid:${String(resource['id'])}`, resource }));
  }
  const head = { resourceType: 'Bundle', meta: { tag: [SYNTHETIC_TAG] }, type: 'collection', timestamp: isoZoned(now, 0) };
  return `${JSON.stringify(head).slice(0, -1)},"entry":[\n${lines.join(',\n')}\n]}\n`;
}
