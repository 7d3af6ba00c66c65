import { Client, escapeIdentifier, type PoolConfig } from 'pg';

/** Rows and a digest of each table of data; the digest does not depend on the order of rows. */
export type Content = Readonly<Record<string, { readonly rows: number; readonly digest: string }>>;

/** Evidence and books whose rows tell of each try, or hold random bytes: they are checked on their own. */
const NOT_DATA =
  /^(audit_|lineage_|dataset_|person_key$|pipeline_update$|schema_|migration|typeorm|governance_|counter$|bulk_|disclos|policy_|export_)/;
/** Which of several files or tries came first. */
const NOT_CONTENT = new Set([
  'source_digest',
  'source_ordinal',
  'ordinal',
  'patient_id',
  'id',
  'at',
  'changed_in',
  'update_id',
  'version',
  'valid_change',
  'change_from',
  'event_id',
  'quarantine_id',
]);

export async function contentOf(config: PoolConfig): Promise<Content> {
  const client = new Client(config);
  await client.connect();
  try {
    const { rows: columns } = await client.query<{ table: string; column: string }>(
      `select c.relname as table, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
        order by c.relname, a.attnum`,
    );
    const tables = new Map<string, string[]>();
    for (const { table, column } of columns) tables.set(table, [...(tables.get(table) ?? []), column]);
    const content: Record<string, { rows: number; digest: string }> = {};
    for (const [table, all] of tables) {
      if (NOT_DATA.test(table)) continue;
      const names = all.filter((name) => !NOT_CONTENT.has(name) && !name.endsWith('_change'));
      const row = names.length === 0 ? "''" : `row(${names.map((name) => escapeIdentifier(name)).join(', ')})::text`;
      const { rows } = await client.query<{ rows: number; digest: string | null }>(
        `select count(*)::int as rows, md5(string_agg(md5(${row}), '' order by md5(${row}))) as digest from ${escapeIdentifier(table)}`,
      );
      content[table] = { rows: rows[0]?.rows ?? 0, digest: rows[0]?.digest ?? '' };
    }
    return content;
  } finally {
    await client.end();
  }
}

/** How a content differs from what it should be: rows too few, rows too many, and tables whose rows differ. */
export function difference(found: Content, wanted: Content): { lost: number; duplicated: number; tables: string[] } {
  let lost = 0;
  let duplicated = 0;
  const tables: string[] = [];
  for (const [table, { rows, digest }] of Object.entries(wanted)) {
    const other = found[table] ?? { rows: 0, digest: '' };
    lost += Math.max(0, rows - other.rows);
    duplicated += Math.max(0, other.rows - rows);
    if (other.digest !== digest) tables.push(table);
  }
  return { lost, duplicated, tables };
}
