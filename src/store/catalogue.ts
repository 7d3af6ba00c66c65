import type { Pool } from 'pg';

/** Types of the columns of all tables: table -> column -> type as Postgres names it inside (int4, timestamptz, jsonb), arrays as 'text[]'. */
export async function columnTypes(pool: Pool): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const { rows } = await pool.query<{ table: string; column: string; type: string }>(
    `select c.relname as table, a.attname as column,
            case when t.typelem <> 0 and t.typcategory = 'A' then e.typname || '[]' else t.typname end as type
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
       join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       join pg_catalog.pg_type t on t.oid = a.atttypid
       left join pg_catalog.pg_type e on e.oid = t.typelem
      where c.relkind in ('r', 'p')
      order by c.relname, a.attnum`,
  );
  const tables = new Map<string, Map<string, string>>();
  for (const row of rows) {
    let columns = tables.get(row.table);
    if (columns === undefined) {
      columns = new Map<string, string>();
      tables.set(row.table, columns);
    }
    columns.set(row.column, row.type);
  }
  return tables;
}
