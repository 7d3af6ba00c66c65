import type { BulkCategory } from './bulk-rule.js';

/** What a table holds of persons: in the words of an accounting, and by category of 28 CFR 202.204 to 202.249. */
interface Content {
  readonly words: string;
  readonly category: BulkCategory;
  /** Columns that hold something else, or something more, than the table as a whole. */
  readonly columns?: Readonly<Record<string, readonly { readonly words: string; readonly category: BulkCategory }[]>>;
}

const contact = [{ words: 'names and contact data', category: 'covered-identifiers' }] as const;
const pictures = [
  { words: 'images', category: 'personal-health' },
  // A head or face can be rendered from them and recognised.
  { words: 'images', category: 'biometric' },
] as const;
const header = [...pictures, { words: 'names and contact data', category: 'covered-identifiers' }] as const;
const device = [
  { words: 'wearable data', category: 'personal-health' },
  { words: 'device identifiers', category: 'covered-identifiers' },
] as const;
const document = [
  { words: 'clinical notes', category: 'personal-health' },
  { words: 'names and contact data', category: 'covered-identifiers' },
] as const;
const outcome = [{ words: 'diagnoses', category: 'personal-health' }] as const;

/** By table. What is not here is about persons and their health until it is declared otherwise. Version 1. */
const CONTENTS: Readonly<Record<string, Content>> = {
  patient: {
    words: 'demographic data',
    category: 'covered-identifiers',
    columns: {
      mrn: contact,
      given_name: contact,
      family_name: contact,
      address_line: contact,
      city: contact,
      phone: contact,
      email: contact,
      social_security_number: contact,
      deceased: outcome,
      deceased_at: outcome,
    },
  },
  identity_key: { words: 'record numbers', category: 'covered-identifiers' },
  condition: { words: 'diagnoses', category: 'personal-health' },
  observation: { words: 'measurements and laboratory results', category: 'personal-health' },
  fhir_resource: { words: 'health records', category: 'personal-health' },
  consent: { words: 'consents', category: 'personal-health' },
  callset: { words: 'genomic data', category: 'human-genomic' },
  sample_index: { words: 'genomic data', category: 'human-genomic' },
  genotype_block: { words: 'genomic data', category: 'human-genomic' },
  imaging_study: { words: 'imaging records', category: 'personal-health' },
  imaging_series: { words: 'imaging records', category: 'personal-health' },
  imaging_instance: {
    words: 'imaging records',
    category: 'personal-health',
    columns: { attributes: header, file_digest: pictures },
  },
  note: { words: 'clinical notes', category: 'personal-health' },
  note_section: { words: 'clinical notes', category: 'personal-health' },
  note_concept: { words: 'clinical notes', category: 'personal-health' },
  wear_chunk: { words: 'wearable data', category: 'personal-health', columns: { device } },
  // Files as they arrived, by the names of their assets.
  imaging: { words: 'imaging records', category: 'personal-health', columns: { instance_file: header } },
  notes: { words: 'clinical notes', category: 'personal-health', columns: { note_file: document } },
  wear_device: { words: 'wearable data', category: 'personal-health', columns: { device } },
};

/** Tables in which no person is, and those that only decide who may see what. */
const NOBODY: ReadonlySet<string> = new Set([
  'break_glass',
  'consent_effect',
  'dataset_version',
  'fusion_model',
  'governance_epoch',
  'ingest_checkpoint',
  'lineage_plan',
  'pipeline_update',
  'policy_event',
  'raw_file',
  'token_revocation',
  'variant',
]);

const HEALTH = { words: 'health records', category: 'personal-health' } as const;

/** What a column holds of persons. `source` is table.column, or the asset name of a file; nothing where no person is in the table. */
export function contentOf(source: string): readonly { readonly words: string; readonly category: BulkCategory }[] {
  const dot = source.indexOf('.');
  const table = dot < 0 ? source : source.slice(0, dot);
  if (NOBODY.has(table)) return [];
  const content = Object.hasOwn(CONTENTS, table) ? CONTENTS[table] : undefined;
  if (!content) return [HEALTH];
  const { columns = {} } = content;
  const column = source.slice(dot + 1);
  return (Object.hasOwn(columns, column) ? columns[column] : undefined) ?? [content];
}
