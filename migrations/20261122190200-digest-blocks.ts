import type { MigrationInterface, QueryRunner } from 'typeorm';
import { versioned } from './sql.js';

type Columns = readonly (readonly [name: string, type: string])[];

const columnsOf = (text: string): Columns => text.split(', ').map((each) => each.split(' ') as [string, string]);

/** What each digest covers, in the order and of the types that the products declared when this was written. */
const BLOCK = columnsOf(
  'bucket int, variant_id text, callset_id uuid, samples int, ac int, an int, het int, hom_alt int, hemi_alt int, missing int, enc int, codes bytea',
);
const KEY = columnsOf('patient_id uuid, metric text, device text, day date');
const GRID = columnsOf('unit text, t0 timestamptz, step_ms int, n int, enc int');
const CHUNK = [...KEY, ...GRID, ...columnsOf('vals bytea')];
const HEADER = [
  ...KEY,
  ...columnsOf('id uuid'),
  ...GRID,
  ...columnsOf('mn float8, mx float8, sm float8, sq float8, offset_minutes int, version int'),
];

/** SHA-256 of the columns as Postgres sends a record in binary; text goes as UTF-8, whatever the session speaks. */
function digest(name: string, columns: Columns): string {
  const sent = columns.map(([, type], at) => (type === 'text' ? `convert_to($${at + 1}, 'UTF8')` : `$${at + 1}`));
  return `create function ${name}(${columns.map(([, type]) => type).join(', ')}) returns bytea language sql stable parallel safe
as $$ select sha256(record_send(row(${sent.join(', ')}))) $$;
`;
}

const of = (name: string, columns: Columns): string => `${name}(${columns.map(([column]) => column).join(', ')})`;
const BLOCK_DIGEST = of('genotype_block_digest', BLOCK).replace(' enc,', ' enc::int,');
const CHUNK_DIGEST = of('wear_chunk_digest', CHUNK);
const HEADER_DIGEST = of('wear_header_digest', HEADER);

/** What is stored counts as what was written. The owner is behind the wall too and would change no row; and nothing new is told, so no version is made. */
const filled = (table: string, set: string): string => `
alter table ${table} no force row level security;
alter table ${table} disable trigger user;
update ${table} set ${set};
alter table ${table} enable trigger user;
alter table ${table} force row level security;
`;

/**
 * Packed rows prove themselves. The numbers of a wearable day are served by SQL without its samples, so their digest is asked where no path leads
 * round it: by a policy that only takes away. It costs the most of all conditions, so it is asked of rows that the caller may see.
 */
export class DigestBlocks20261122190200 implements MigrationInterface {
  name = 'DigestBlocks20261122190200';

  async up(runner: QueryRunner): Promise<void> {
    const tables = ['', 'history.'];
    await runner.query(`
alter table raw_file add column chunks_digest text collate "C";
alter table genotype_block add column content_digest bytea;
alter table wear_chunk add column content_digest bytea, add column header_digest bytea;
${versioned('genotype_block')}${versioned('wear_chunk')}
${digest('genotype_block_digest', BLOCK)}${digest('wear_chunk_digest', CHUNK)}${digest('wear_header_digest', HEADER)}
${tables.map((schema) => filled(`${schema}genotype_block`, `content_digest = ${BLOCK_DIGEST}`)).join('')}
${tables.map((schema) => filled(`${schema}wear_chunk`, `content_digest = ${CHUNK_DIGEST}, header_digest = ${HEADER_DIGEST}`)).join('')}
alter table genotype_block alter column content_digest set not null;
alter table wear_chunk alter column content_digest set not null, alter column header_digest set not null;
create function refuse_corrupt(of_table text, place text) returns boolean language plpgsql stable parallel safe cost 10000 as $$
begin raise exception 'a stored row is not what was written' using errcode = 'XX001', table = of_table, column = 'header_digest', detail = place; end $$;
create policy intact on wear_chunk as restrictive for select to thalamus_reader using (
  case when header_digest = ${HEADER_DIGEST} then true else refuse_corrupt('wear_chunk', metric || ' ' || to_char(day, 'YYYY-MM-DD')) end);
${versioned('genotype_block')}${versioned('wear_chunk')}
`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
