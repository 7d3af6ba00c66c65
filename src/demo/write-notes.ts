import { logistic, type Person } from './people.js';
import { Random } from './random.js';
import { mrnSystem } from './sites.js';
import { compactDate, DAY_MS, isoDate, isoZoned, zone } from './time.js';

/** A symptom as it is written when present and when denied. */
const SYMPTOMS = [
  { present: 'Reports shortness of breath on exertion.', denied: 'Denies shortness of breath.' },
  { present: 'Bilateral ankle edema on examination.', denied: 'No edema.' },
  { present: 'Sleeps on three pillows because of orthopnea.', denied: 'No orthopnea.' },
  { present: 'Complains of fatigue for several weeks.', denied: 'Denies fatigue.' },
  { present: 'Describes intermittent chest pain.', denied: 'The patient denies chest pain.' },
  { present: 'Notes palpitations at night.', denied: 'No palpitations.' },
  { present: 'Recent weight gain of 3 kg.', denied: 'No weight gain.' },
] as const;

const MEDICATIONS = [
  'Lisinopril 10 mg daily',
  'Metoprolol 25 mg twice daily',
  'Furosemide 20 mg daily',
  'Atorvastatin 40 mg daily',
  'Metformin 500 mg twice daily',
] as const;

interface Story {
  readonly time: number;
  readonly author: string;
  readonly history: string;
  readonly family: string;
  readonly assessment: string;
  readonly plan: string;
  readonly medications: readonly string[];
}

/** What both kinds of note tell; symptoms depend on the latent cause, family history and setting do not. */
function story(seed: number, person: Person, kind: string): Story {
  const random = new Random(seed, `note-${kind}`, person.number);
  const time = person.index - random.int(1, 50) * DAY_MS;
  const title = person.sex === 'male' ? 'Mr.' : 'Ms.';
  const age = Math.floor((time - person.birth) / (365.25 * DAY_MS));
  const sentences = [
    `${title} ${person.given} ${person.family} (MRN ${person.mrn}) is a ${String(age)}-year-old ${person.sex} from ${person.city} seen on ${isoDate(time)}.`,
  ];
  for (const symptom of SYMPTOMS) {
    if (random.chance(logistic(-1 + 1.4 * person.latent.notes))) sentences.push(symptom.present);
    else if (random.chance(0.55)) sentences.push(symptom.denied);
  }
  if (random.chance(0.15)) sentences.push(`History of pneumonia in ${String(random.int(2008, 2021))}.`);
  sentences.push(`Can be reached at ${person.phone}.`);
  const family = random.chance(0.3)
    ? 'Mother had heart failure.'
    : random.chance(0.4)
      ? 'No family history of heart failure.'
      : 'Father had hypertension.';
  return {
    time,
    author: random.pick(['Dr. Demo Ashgrove', 'Dr. Demo Birchwell', 'Dr. Demo Calloway']),
    history: sentences.join(' '),
    family,
    assessment: random.pick([
      'Blood pressure is controlled.',
      'Hypertension, stable.',
      'Symptoms are being followed; no acute distress.',
      'Rule out pneumonia.',
    ]),
    plan: `Follow up with ${person.family} by phone on ${isoDate(time + random.int(7, 30) * DAY_MS)}. ${random.pick(['Continue medication.', 'Order an echocardiogram.', 'Repeat laboratory tests.'])}`,
    medications: MEDICATIONS.filter(() => random.chance(0.35)),
  };
}

/** A plain-text note: header lines, a blank line, then headings and text. */
export function textNote(seed: number, person: Person): string {
  const { time, author, history, family, assessment, plan, medications } = story(seed, person, 'text');
  return [
    `Patient-ID: ${person.mrn}`,
    `Patient-Name: ${person.given} ${person.family}`,
    `Issuer: ${mrnSystem(person.site)}`,
    'Type: 34117-2',
    'Title: History and physical note (SYNTHETIC)',
    `Date: ${isoZoned(time, person.site.offsetMinutes)}`,
    `Author: ${author}`,
    ...(person.part2 === undefined ? [] : ['Sensitivity: ETH']),
    '',
    'HISTORY OF PRESENT ILLNESS:',
    history,
    '',
    'FAMILY HISTORY:',
    family,
    '',
    'MEDICATIONS:',
    medications.length > 0 ? medications.join('\n') : 'None.',
    '',
    'ASSESSMENT:',
    ...(person.part2 === undefined ? [] : ['In treatment for substance use disorder.']),
    assessment,
    '',
    'PLAN:',
    plan,
    '',
  ].join('\n');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

const LOINC = 'codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"';

function section(templateRoot: string, code: string, title: string, text: string, sensitivity = ''): string {
  return `      <component>
        <section>
          <templateId root="${templateRoot}"/>
          <code code="${code}" ${LOINC} displayName="${title}"/>
          <title>${title}</title>
          <text>${text}</text>${sensitivity && `\n          <confidentialityCode code="${sensitivity}" codeSystem="2.16.840.1.113883.5.25"/>`}
        </section>
      </component>`;
}

function paragraph(text: string): string {
  return `<paragraph>${escapeXml(text)}</paragraph>`;
}

function ccdaHeader(person: Person, story: Story, id: string): string {
  const stamp = compactDate(story.time, person.site.offsetMinutes, true) + zone(person.site.offsetMinutes);
  const gender = person.sex === 'male' ? 'M' : 'F';
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- SYNTHETIC: no real person -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="US"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.9" extension="2015-08-01"/>
  <id root="${id}"/>
  <code code="11506-3" ${LOINC} displayName="Progress note"/>
  <title>Progress note (SYNTHETIC)</title>
  <effectiveTime value="${stamp}"/>
  <confidentialityCode code="${person.part2 === undefined ? 'N' : 'R'}" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="en-US"/>
  <recordTarget>
    <patientRole>
      <id root="${mrnSystem(person.site)}" extension="${person.mrn}"/>
      <addr use="HP"><city>${person.city}</city><state>${person.site.state}</state><postalCode>${person.zip}</postalCode><country>US</country></addr>
      <telecom use="HP" value="tel:${person.phone}"/>
      <patient>
        <name use="L"><given>${person.given}</given><family>${person.family}</family></name>
        <administrativeGenderCode code="${gender}" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="${compactDate(person.birth)}"/>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="${stamp}"/>
    <assignedAuthor>
      <id nullFlavor="UNK"/>
      <assignedPerson><name>${escapeXml(story.author)}</name></assignedPerson>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization><id nullFlavor="UNK"/><name>${escapeXml(person.site.institution)}</name></representedCustodianOrganization></assignedCustodian></custodian>
`;
}

/** A C-CDA R2.1 progress note. */
export function ccdaNote(seed: number, person: Person): string {
  const told = story(seed, person, 'ccda');
  const id = new Random(seed, 'ccda-id', person.number).uuid();
  const medications =
    told.medications.length > 0
      ? `<list>${told.medications.map((name) => `<item>${escapeXml(name)}</item>`).join('')}</list>`
      : paragraph('No medications.');
  const assessment = person.part2 === undefined ? told.assessment : `${told.assessment} In treatment for substance use disorder.`;
  return `${ccdaHeader(person, told, id)}  <component>
    <structuredBody>
${section('1.3.6.1.4.1.19376.1.5.3.1.3.4', '10164-2', 'History of present illness', paragraph(told.history) + paragraph(`Family history: ${told.family}`))}
${section('2.16.840.1.113883.10.20.22.2.1', '10160-0', 'Medications', medications)}
${section('2.16.840.1.113883.10.20.22.2.8', '51848-0', 'Assessment', paragraph(assessment), person.part2 === undefined ? '' : 'ETH')}
${section('2.16.840.1.113883.10.20.22.2.10', '18776-5', 'Plan', paragraph(told.plan))}
    </structuredBody>
  </component>
</ClinicalDocument>
`;
}
