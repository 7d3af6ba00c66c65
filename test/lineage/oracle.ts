import type { Pool, PoolClient } from 'pg';
import { MACHINERY_TABLES, isMachinery } from './machinery.js';
import { untraced, type Statement } from './trace.js';

/**
 * What Postgres says that statements read, as table.column: each text becomes the body of an SQL function of a scratch transaction, which Postgres parses and whose
 * references it notes column by column in pg_depend, wherever in the statement they stand (CREATE FUNCTION, "SQL-standard function body"). Parameters
 * keep the types that PREPARE infers. Nothing of the product takes part. A text that cannot be traced throws.
 */
export class Oracle {
  private readonly known = new Map<string, readonly string[]>();

  constructor(private readonly owner: Pool) {}

  /** Columns that any of the statements reads, the machinery's own left out. */
  async read(statements: readonly Statement[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const { text } of statements) for (const column of await this.columnsOf(text)) found.add(column);
    return found;
  }

  get statements(): number {
    return this.known.size;
  }

  private async columnsOf(text: string): Promise<readonly string[]> {
    let known = this.known.get(text);
    if (!known) {
      known = isMachinery(text) ? [] : await untraced(() => this.trace(text));
      this.known.set(text, known);
    }
    return known;
  }

  private async trace(text: string): Promise<readonly string[]> {
    const client = await this.owner.connect();
    try {
      await client.query('begin');
      const columns = await dependencies(client, text);
      return columns.filter((column) => !MACHINERY_TABLES.has(column.slice(0, column.indexOf('.'))));
    } catch (error) {
      throw new Error(`a statement cannot be traced: ${error instanceof Error ? error.message : 'unknown'}\n${text}`, { cause: error });
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
}

async function dependencies(client: PoolClient, text: string): Promise<string[]> {
  await client.query(`prepare lineage_oracle as ${text}`);
  const { rows: prepared } = await client.query<{ types: string }>(
    `select array_to_string(parameter_types, ',') as types from pg_prepared_statements where name = 'lineage_oracle'`,
  );
  await client.query('deallocate lineage_oracle');
  await client.query(
    `create function pg_temp.lineage_oracle(${prepared[0]?.types ?? ''}) returns void language sql begin atomic ${text}; end`,
  );
  const { rows } = await client.query<{ relation: string; attribute: string | null; body: string }>(
    `select distinct c.relname as relation, a.attname as attribute, pg_get_function_sqlbody(p.oid) as body from pg_depend d
       join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid and p.proname = 'lineage_oracle' and p.pronamespace = pg_my_temp_schema()
       join pg_class c on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid
       left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0`,
  );
  refuseWholeRows(rows[0]?.body ?? '', new Set(rows.map((row) => row.relation)));
  return rows.flatMap(({ relation, attribute }) => (attribute === null ? [] : [`${relation}.${attribute}`])).sort();
}

/** A whole row of a table is noted as the table alone, so a statement with one would hide what it reads. Rows of sub-selects are no such rows. */
function refuseWholeRows(body: string, relations: ReadonlySet<string>): void {
  const plain = withoutTexts(body);
  for (const relation of relations) {
    const names = [...plain.matchAll(new RegExp(`\\b${relation}\\s+(\\w+)`, 'g'))].map(([, alias = '']) => alias);
    for (const name of [relation, ...names])
      if (plain.includes(`(${name}.*`) || plain.includes(` ${name}.*`)) throw new Error(`it names a whole row of ${relation}`);
  }
}

const withoutTexts = (sql: string): string => sql.replaceAll(/'(?:[^']|'')*'/g, "''");
