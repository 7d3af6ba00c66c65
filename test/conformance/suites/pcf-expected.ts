/** One request for one row, in words of the profile. */
export interface PcfRequest {
  readonly purpose: string;
  /** N, R or V, with sensitivities: 'R PSY SDV'. */
  readonly label: string;
  /** Who asks, as references. */
  readonly actor: string | null;
  readonly author: string | null;
  readonly encounter: string | null;
  readonly object: string;
  /** When the data arose, or null. */
  readonly date: string | null;
  /** When it is asked. */
  readonly at: string;
}

type Verdict = (request: PcfRequest) => boolean;

const PRACTITIONER = 'Practitioner/ex-practitioner';
const ENCOUNTER = 'Encounter/ex-encounter';
const GROUP = 'Group/ex-privilegedUsers';

const care: Verdict = ({ purpose }) => ['TREAT', 'HPAYMT', 'HOPERAT'].includes(purpose);
const normal: Verdict = ({ label }) => label === 'N';
const restricted: Verdict = ({ label }) => label.startsWith('R');
const ofPractitioner: Verdict = ({ author }) => author === PRACTITIONER;
const ofEncounter: Verdict = ({ encounter, object }) => encounter === ENCOUNTER || object === ENCOUNTER;
const in2022: Verdict = ({ date }) => date?.startsWith('2022-') ?? false;
const byPractitioner: Verdict = ({ actor }) => actor === PRACTITIONER;
const inEmergency: Verdict = ({ purpose, actor }) => purpose === 'BTG' && actor === GROUP;
const never: Verdict = () => false;

const both =
  (...all: readonly Verdict[]): Verdict =>
  (request) =>
    all.every((one) => one(request));
const either =
  (...some: readonly Verdict[]): Verdict =>
  (request) =>
    some.some((one) => one(request));
const not =
  (one: Verdict): Verdict =>
  (request) =>
    !one(request);

/** Data that carry sensitivities of these kinds and no other. */
const only =
  (...kinds: readonly string[]): Verdict =>
  ({ label }) => {
    const [level, ...sensitivities] = label.split(' ');
    return level === 'R' && sensitivities.length > 0 && sensitivities.every((one) => kinds.includes(one));
  };

const LISTED = ['ex-weight-2', 'ex-weight', 'ex-bloodPressure', 'ex-bloodSugar', 'ex-alcoholUse'].map((id) => `Observation/${id}`);
const listed: Verdict = ({ object }) => [ENCOUNTER, ...LISTED].includes(object);

/**
 * What each example consent of the profile must come to, written from its description. Two readings are fixed: data without a date lie
 * neither in a period nor outside it, and a level is meant as such (R is not N).
 */
export const EXPECTED: Readonly<Record<string, Verdict>> = {
  'ex-consent-basic-treat': care,
  'ex-consent-basic-treat-infant': care,
  'ex-consent-basic-ink': care,
  'ex-consent-expired-treat': both(
    care,
    either(normal, ({ at }) => at < '2023-01-01'),
  ),
  'ex-consent-basic-reject': never,
  'ex-consent-basic-research': ({ purpose }) => purpose === 'HRESCH',
  'ex-consent-intermediate-timeframe': both(care, in2022),
  'ex-consent-intermediate-not-timeframe': both(care, ({ date }) => date !== null, not(in2022)),
  'ex-consent-intermediate-authoredby': both(care, ofPractitioner),
  'ex-consent-intermediate-not-authoredby': both(care, not(ofPractitioner)),
  'ex-consent-intermediate-encounter': both(care, ofEncounter),
  'ex-consent-intermediate-not-encounter': both(care, not(ofEncounter)),
  'ex-consent-intermediate-data': both(care, listed),
  'ex-consent-intermediate-not-data': both(care, ({ object }) => object !== 'Observation/ex-alcoholUse'),
  'ex-consent-intermediate-purpose': ({ purpose, actor }) => purpose === 'study:FooBar' && actor === 'Organization/ex-org-researcher',
  'ex-dissent-intermediate-break-glass': inEmergency,
  'ex-consent-advanced-normal': both(care, normal),
  'ex-consent-advanced-normal-restricted': both(care, either(normal, restricted)),
  'ex-consent-advanced-normal-not-restricted': both(care, normal),
  'ex-consent-advanced-normal-focused-restricted': both(care, either(normal, both(restricted, byPractitioner))),
  'ex-consent-advanced-normal-focused-psy': both(care, either(normal, both(only('PSY'), byPractitioner))),
  'ex-consent-advanced-normal-focused-psy-or-sdv': both(care, either(normal, both(only('PSY', 'SDV'), byPractitioner))),
  'ex-consent-advanced-normal-break-glass-restricted': either(both(care, normal), both(restricted, inEmergency)),
};

const PURPOSES = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'HRESCH', 'PUBHLTH', 'BTG', 'study:FooBar', 'study:Other'];
const REQUEST_LABELS = ['N', 'R', 'R PSY', 'R SDV', 'R PSY SDV', 'R ETH', 'V'];
const ACTORS = [null, PRACTITIONER, GROUP, 'Organization/ex-org-researcher'];
const DATES = ['2021-12-31T23:59:59.999Z', '2022-01-01T00:00:00.000Z', '2022-12-31T23:59:59.999Z', '2023-01-01T00:00:00.000Z', null];
const AUTHORS = [PRACTITIONER, 'Practitioner/other', null];
const OBJECTS: readonly (readonly [string, string | null])[] = [
  ['Observation/ex-weight', ENCOUNTER],
  ['Observation/ex-alcoholUse', 'Encounter/other'],
  [ENCOUNTER, null],
  ['Observation/other', null],
];
const TIMES = ['2022-12-31T23:59:59.999Z', '2023-01-01T00:00:00.000Z', '2026-05-04T12:00:00.000Z'];

/** Requests after the day on which a consent was given: purposes, labels and actors; then dates, authors and objects; then times. */
export function requestsAfter(given: string): PcfRequest[] {
  const at = `${given.slice(0, 4)}-09-01T00:00:00.000Z`;
  const [object, encounter] = OBJECTS[0] ?? ['', null];
  const base = { purpose: 'TREAT', label: 'N', actor: null, author: PRACTITIONER, encounter, object, date: '2022-06-15T00:00:00.000Z', at };
  const other = { ...base, author: 'Practitioner/other', encounter: null, object: 'Observation/other', date: '2020-02-29T00:00:00.000Z' };
  const asked = PURPOSES.flatMap((purpose) => REQUEST_LABELS.flatMap((label) => ACTORS.map((actor) => ({ purpose, label, actor }))));
  const data = DATES.flatMap((date) =>
    AUTHORS.flatMap((author) => OBJECTS.map(([each, within]) => ({ ...base, date, author, object: each, encounter: within }))),
  );
  const later = TIMES.filter((time) => time > given).flatMap((time) =>
    ['TREAT', 'HRESCH'].flatMap((purpose) => ['N', 'R', 'R PSY'].map((label) => ({ ...base, purpose, label, at: time }))),
  );
  // Every other request is for the row that lies outside all bounds of the examples.
  return [...asked.map((one, n) => ({ ...(n % 3 === 0 ? other : base), ...one })), ...data, ...later];
}
