import type { Person } from './people.js';
import { isoZoned } from './time.js';
import type { VariantSite } from './variants.js';
import { dicomStudy } from './write-dicom.js';
import { textNote } from './write-notes.js';
import { bgzip, sampleId, vcfHeader, vcfText } from './write-vcf.js';
import { fitActivity } from './write-wearables.js';

/** One sample, three records in KCNQ1 (no gene of the cohort): the second has a position that is no number. */
function vcfWithOneFault(person: Person, now: number): string {
  const record = (position: string, ref: string, alt: string, call: string): string =>
    `chr11\t${position}\t.\t${ref}\t${alt}\t80\tPASS\tGENE=KCNQ1;CLNSIG=Uncertain_significance\tGT\t${call}\n`;
  return (
    vcfHeader([sampleId(person)], now) +
    record('2445110', 'A', 'G', '0/1') +
    record('24x5600', 'C', 'T', '0/1') +
    record('2446020', 'G', 'A', '0/0')
  );
}

/** Deliberately bad files by name, so that the quarantine of the demo has content. Each shows one fault of one format. */
export function badInputs(seed: number, person: Person, sites: readonly VariantSite[], now: number): Map<string, Buffer> {
  const whole = bgzip(vcfText(seed, 'truncated', [person], sites, now));
  // Another seed: bad files must not repeat the UIDs and times of the good ones.
  const other = seed + 1;
  const fit = fitActivity(other, person);
  fit.writeUInt16LE(fit.readUInt16LE(fit.length - 2) ^ 0x5555, fit.length - 2);
  const note = textNote(other, person)
    .replace(/^Patient-ID:.*$/m, 'Patient-ID:')
    .replace(/^Issuer:.*\n/m, '');
  const [image] = dicomStudy(other, person).values();
  const time = isoZoned(person.index, 0);
  const dataPoint = {
    header: {
      id: 'demo-bad-unit',
      creation_date_time: time,
      user_id: person.mrn,
      schema_id: { namespace: 'omh', name: 'heart-rate', version: '2.0' },
    },
    body: { heart_rate: { value: 1.2, unit: 'beats/fortnight' }, effective_time_frame: { date_time: time } },
  };
  const files = new Map<string, Buffer>([
    ['genotypes-truncated.vcf.gz', whole.subarray(0, Math.floor(whole.length * 0.6))],
    ['genotypes-one-bad-line.vcf', Buffer.from(vcfWithOneFault(person, now))],
    ['note-without-patient.txt', Buffer.from(note)],
    ['activity-wrong-crc.fit', fit],
    ['heart-rate-wrong-unit.json', Buffer.from(`${JSON.stringify([dataPoint])}\n`)],
  ]);
  if (image !== undefined) files.set('image-truncated.dcm', image.subarray(0, 900));
  return files;
}
