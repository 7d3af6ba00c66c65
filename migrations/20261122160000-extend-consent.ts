import type { MigrationInterface, QueryRunner } from 'typeorm';

const PERSON_TABLES = [
  'patient',
  'identity_key',
  'consent',
  'condition',
  'observation',
  'fhir_resource',
  'sample_index',
  'imaging_study',
  'imaging_series',
  'imaging_instance',
  'note',
  'note_section',
  'note_concept',
  'wear_chunk',
  'wear_device',
];

/** Bit numbers as the kernel had them when this was written; a label that is not listed takes the last bit. */
const LABELS = ['ETH', 'SUD', 'ETHUD', 'OPIOIDUD', 'PSY', 'MH', 'BH', 'SDV', 'HIV', 'STD', 'SEX', 'GDIS'];
const ALL_LABELS = 8191;

/**
 * Rows about a person get their sensitivity labels and the references that consents may name; what a consent permits gets bounds on
 * labels, recipients, data periods and references. Permissions of restricted data were given whatever the label, and stay so.
 */
export class ExtendConsent20261122160000 implements MigrationInterface {
  name = 'ExtendConsent20261122160000';

  async up(runner: QueryRunner): Promise<void> {
    const bits = LABELS.map((label, at) => `when '${label}' then ${1 << at}`).join(' ');
    await runner.query(`
${PERSON_TABLES.map((table) => `alter table ${table} add column label_bits int not null default 0, add column refs text[] not null default '{}';`).join('\n')}
alter table note no force row level security;
update note set label_bits = (select coalesce(bit_or(case label ${bits} else ${1 << LABELS.length} end), 0) from unnest(labels) as label)
  where labels <> '{}';
alter table note force row level security;
alter table consent_effect
  add column atom text collate "C" not null default '',
  add column sensitivity_min smallint not null default 0,
  add column labels int not null default 0,
  add column labels_any int not null default 0,
  add column recipients text[],
  add column data_from timestamptz,
  add column data_to timestamptz,
  add column refs text[],
  add column refs_not text[],
  add column bound boolean not null default false;
update consent_effect set atom = sensitivity_max || ' ' || valid_from, labels = case when sensitivity_max > 0 then ${ALL_LABELS} else 0 end;
alter table consent_effect drop constraint consent_effect_pkey;
alter table consent_effect add primary key (patient_id, purpose, atom);
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
