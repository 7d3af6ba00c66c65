import { CodedError } from '../kernel/error.js';
import { FileSink } from './file-sink.js';
import { drawPeople, type ConsentPattern, type Person } from './people.js';
import { mrnSystem, SITES } from './sites.js';
import { variantCatalogue, type VariantSite } from './variants.js';
import { badInputs } from './write-bad-inputs.js';
import { dicomStudy } from './write-dicom.js';
import { fhirBundle } from './write-fhir.js';
import { ccdaNote, textNote } from './write-notes.js';
import { bgzip, sampleId, vcfText } from './write-vcf.js';
import { fitActivity, omhDataPoints } from './write-wearables.js';

export interface CohortOptions {
  /** 1 to 100,000; 1,000 when not given. */
  readonly patients?: number;
  /** A whole number; equal seeds, patients and `now` give equal bytes. */
  readonly seed: number;
  /** Made if needed; must be empty or hold this very cohort. */
  readonly outDir: string;
  /** The present, milliseconds since 1970; every date of the cohort lies before it. */
  readonly now: number;
}

export type ModalityName = 'GENOMICS' | 'IMAGING' | 'NOTES' | 'WEARABLES';

/** What was written. Counts are of patients unless the name says otherwise. */
export interface CohortSummary {
  readonly patients: number;
  readonly sites: Readonly<Record<string, number>>;
  readonly modalities: Readonly<Record<ModalityName, number>>;
  /** Patients by the modalities they have, joined by '+' in the order of ModalityName; 'NONE' for none. */
  readonly patterns: Readonly<Record<string, number>>;
  /** Patients with the outcome (heart failure). */
  readonly events: number;
  readonly part2: number;
  readonly consents: Readonly<Partial<Record<ConsentPattern, number>>>;
  readonly variantSites: number;
  readonly dicomObjects: number;
  readonly notes: number;
  readonly omhDataPoints: number;
  readonly fitFiles: number;
  /** Names below the output folder. */
  readonly badInputs: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

const PATIENTS_PER_BUNDLE = 50;
const CROSSWALK_COMMENT =
  '# SYNTHETIC LINKAGE, invented for the demo cohort: every person, identifier and link in this file is made up by a program.';
const CROSSWALK_HEADER = 'person_key,mrn,synthea_patient_id,genomics_sample_id,dicom_patient_id,dicom_issuer,device_id,link_basis';

function readme(patients: number, seed: number, now: number): string {
  return `SYNTHETIC DATA: the Thalamus demo cohort

Every person, name, number, genotype, image, note and measurement in this folder was made up by a program.
No row comes from a real person. Nothing here may be used to draw medical conclusions.
Gene names and coordinates (GRCh38) are real; reference bases, alleles, frequencies and significances are invented.
The outcome (ICD-10-CM I50.9) was drawn from four hidden causes, one per modality; what is missing is missing by design.
inbox-bad/ holds damaged files on purpose, to show the quarantine.

patients: ${String(patients)}
seed: ${String(seed)}
written as of: ${new Date(now).toISOString()}
`;
}

function crosswalk(people: readonly Person[]): string {
  const rows = people.map((person) =>
    [
      `D${String(person.number).padStart(6, '0')}`,
      person.mrn,
      person.fhirId,
      person.has.genomics ? sampleId(person) : '',
      person.has.imaging ? person.mrn : '',
      person.has.imaging ? mrnSystem(person.site) : '',
      person.has.omh || person.has.fit ? String(person.deviceSerial) : '',
      'synthetic-assignment',
    ].join(','),
  );
  return `${[CROSSWALK_COMMENT, CROSSWALK_HEADER, ...rows].join('\n')}\n`;
}

function modalitiesOf(person: Person): ModalityName[] {
  const { genomics, imaging, ccda, text, omh, fit } = person.has;
  const names: ModalityName[] = [];
  if (genomics) names.push('GENOMICS');
  if (imaging) names.push('IMAGING');
  if (ccda || text) names.push('NOTES');
  if (omh || fit) names.push('WEARABLES');
  return names;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

interface Tally {
  dicomObjects: number;
  notes: number;
  omhDataPoints: number;
  fitFiles: number;
}

async function writeSites(
  sink: FileSink,
  seed: number,
  people: readonly Person[],
  catalogue: readonly VariantSite[],
  now: number,
): Promise<void> {
  for (const site of SITES) {
    const members = people.filter((person) => person.site === site);
    for (let start = 0; start < members.length; start += PATIENTS_PER_BUNDLE) {
      const page = String(start / PATIENTS_PER_BUNDLE + 1).padStart(3, '0');
      await sink.write(
        `clinical/site-${site.code}/patients-${page}.json`,
        fhirBundle(seed, members.slice(start, start + PATIENTS_PER_BUNDLE), now),
      );
    }
    const genotyped = members.filter((person) => person.has.genomics);
    if (genotyped.length > 0)
      await sink.write(`genomics/site-${site.code}.vcf.gz`, bgzip(vcfText(seed, site.code, genotyped, catalogue, now)));
  }
}

async function writePerson(sink: FileSink, seed: number, person: Person, tally: Tally): Promise<void> {
  const folder = `site-${person.site.code}`;
  const number = String(person.number);
  if (person.has.imaging) {
    for (const [name, data] of dicomStudy(seed, person)) {
      await sink.write(`imaging/${folder}/${number}/${name}`, data);
      tally.dicomObjects++;
    }
  }
  if (person.has.ccda) await sink.write(`notes/${folder}/${number}.xml`, ccdaNote(seed, person));
  if (person.has.text) await sink.write(`notes/${folder}/${number}.txt`, textNote(seed, person));
  tally.notes += Number(person.has.ccda) + Number(person.has.text);
  if (person.has.omh) {
    const { text, points } = omhDataPoints(seed, person);
    await sink.write(`wearables/${number}.json`, text);
    tally.omhDataPoints += points;
  }
  if (person.has.fit) {
    await sink.write(`wearables/${number}.fit`, fitActivity(seed, person));
    tally.fitFiles++;
  }
}

/**
 * Writes the synthetic demo cohort (DESIGN section 7) as real files in real formats: FHIR R4, bgzipped VCF 4.3, DICOM Part 10, C-CDA and
 * plain-text notes, Open mHealth JSON, FIT, a crosswalk, and a few deliberately bad files below `inbox-bad/`.
 * @throws CodedError BAD_INPUT for options out of range, CONFLICT when the folder holds other files, FILE_UNREADABLE, DISK_FULL
 */
export async function generateCohort(options: CohortOptions): Promise<CohortSummary> {
  const { patients = 1000, seed, outDir, now } = options;
  if (!Number.isInteger(patients) || patients < 1 || patients > 100_000) {
    throw new CodedError('BAD_INPUT', 'The number of patients must be a whole number from 1 to 100000.');
  }
  if (!Number.isSafeInteger(seed)) throw new CodedError('BAD_INPUT', 'The seed must be a whole number.');
  if (!Number.isFinite(now)) throw new CodedError('BAD_INPUT', 'The present must be given in milliseconds since 1970.');
  const sink = new FileSink(outDir);
  await sink.open('README.txt', readme(patients, seed, now));
  const catalogue = variantCatalogue(seed);
  const people = drawPeople(seed, patients, now, catalogue);
  const tally: Tally = { dicomObjects: 0, notes: 0, omhDataPoints: 0, fitFiles: 0 };
  await sink.write('crosswalk.csv', crosswalk(people));
  await writeSites(sink, seed, people, catalogue, now);
  for (const person of people) await writePerson(sink, seed, person, tally);
  const donor = people.find(({ has }) => has.genomics && has.imaging && has.omh) ?? people[0];
  const bad = donor === undefined ? new Map<string, Buffer>() : badInputs(seed, donor, catalogue, now);
  for (const [name, data] of bad) await sink.write(`inbox-bad/${name}`, data);
  const count = (name: ModalityName): number => people.filter((person) => modalitiesOf(person).includes(name)).length;
  return {
    patients,
    sites: countBy(people, (person) => person.site.code),
    modalities: { GENOMICS: count('GENOMICS'), IMAGING: count('IMAGING'), NOTES: count('NOTES'), WEARABLES: count('WEARABLES') },
    patterns: countBy(people, (person) => modalitiesOf(person).join('+') || 'NONE'),
    events: people.filter((person) => person.latent.event).length,
    part2: people.filter((person) => person.part2 !== undefined).length,
    consents: countBy(people, (person) => person.consent),
    variantSites: catalogue.length,
    ...tally,
    badInputs: [...bad.keys()].map((name) => `inbox-bad/${name}`),
    files: sink.files,
    bytes: sink.bytes,
  };
}
