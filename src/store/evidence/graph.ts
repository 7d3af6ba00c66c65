import type { Pool } from 'pg';
import { LIMITS } from '../../kernel/index.js';

/** An edge as it is stored, from what came first on; `owner` is whose run stands at one of its ends. */
export interface StoredLink {
  readonly from: string;
  readonly to: string;
  readonly type?: 'DIRECT' | 'INDIRECT';
  readonly masking?: boolean;
  readonly runs?: number;
  readonly version?: number;
}

export interface StoredRun {
  readonly runId: string;
  readonly at: Date;
  readonly principal: string;
  readonly plan: string | null;
  readonly versions: Readonly<Record<string, number>>;
  /** id@version, and whether it was trained by the run. */
  readonly model: string | null;
  readonly trained: boolean;
}

/** Rows of an answer that may be too long: one more than is told. */
const ROWS = LIMITS.lineage_edges_max + 1;
/** Whose runs may be seen; null: all. */
type Sub = string | null;

const ANSWERED = `exists (select 1 from lineage_usage u where u.plan_digest = p.plan_digest and u.principal = $2)`;

/** The graph of lineage on Postgres: each function takes one step from all nodes of one kind. Nothing of the runs of others leaves where `sub` is given. */
export class LineageGraphStore {
  constructor(private readonly pool: Pool) {}

  /** Fields that depend on columns (table.column). */
  fieldsOf(columns: readonly string[], sub: Sub): Promise<StoredLink[]> {
    return this.links(
      `select distinct 'column:' || e.source as "from", 'field:' || p.plan_digest || '#' || e.coordinate as "to", e.type, coalesce(e.masking, false) as masking
       from unnest($1::text[]) s(source)
       join lineage_plan p on p.columns @> jsonb_build_array(jsonb_build_object('source', s.source))
       cross join lateral jsonb_to_recordset(p.columns) as e(coordinate text, source text, type text, masking boolean)
       where e.source = s.source and ($2::text is null or ${ANSWERED}) limit ${ROWS}`,
      [columns, sub],
    );
  }

  /** Columns of which others than the caller made plans. */
  async columnsOfOthers(columns: readonly string[], sub: string): Promise<readonly string[]> {
    return this.texts(
      `select s.source as value from unnest($1::text[]) s(source) where exists (select 1 from lineage_plan p
         where p.columns @> jsonb_build_array(jsonb_build_object('source', s.source)) and not ${ANSWERED})`,
      [columns, sub],
    );
  }

  /** Fields of plans, with the columns that they depend on. */
  columnsOf(plans: readonly string[]): Promise<StoredLink[]> {
    return this.links(
      `select distinct 'column:' || e.source as "from", 'field:' || p.plan_digest || '#' || e.coordinate as "to", e.type, coalesce(e.masking, false) as masking
       from lineage_plan p cross join lateral jsonb_to_recordset(p.columns) as e(coordinate text, source text, type text, masking boolean)
       where p.plan_digest = any($1::text[]) limit ${ROWS}`,
      [plans],
    );
  }

  /** Runs of plans: those of one caller on one day are told by the last of them. */
  runsOf(plans: readonly string[], sub: Sub): Promise<StoredLink[]> {
    return this.links(
      `select 'plan:' || plan_digest as "from", 'run:' || last_run as "to", runs::int from lineage_usage
       where plan_digest = any($1::text[]) and ($2::text is null or principal = $2) limit ${ROWS}`,
      [plans, sub],
    );
  }

  /** Plans that others than the caller ran. */
  async plansOfOthers(plans: readonly string[], sub: string): Promise<readonly string[]> {
    return this.texts(
      `select p.d as value from unnest($1::text[]) p(d) where exists (select 1 from lineage_usage u where u.plan_digest = p.d and u.principal <> $2)`,
      [plans, sub],
    );
  }

  /** Which of these plans a caller was answered by; all that exist where `sub` is null. */
  async plansSeen(plans: readonly string[], sub: Sub): Promise<readonly string[]> {
    return this.texts(
      `select p.plan_digest as value from lineage_plan p where p.plan_digest = any($1::text[]) and ($2::text is null or ${ANSWERED})`,
      [plans, sub],
    );
  }

  runsBy(principals: readonly string[]): Promise<StoredLink[]> {
    return this.links(
      `select 'run:' || last_run as "from", 'principal:' || principal as "to", sum(runs)::int as runs from lineage_usage
       where principal = any($1::text[]) group by last_run, principal limit ${ROWS}`,
      [principals],
    );
  }

  async runs(ids: readonly string[]): Promise<readonly StoredRun[]> {
    const { rows } = await this.pool.query<StoredRun>(
      `select run_id as "runId", at, principal, plan_digest as plan, versions,
         (facts->'model'->>'id') || '@' || (facts->'model'->>'version') as model, coalesce(facts->'model' ? 'known', false) as trained
       from lineage_run where run_id = any($1::uuid[])`,
      [ids],
    );
    return rows;
  }

  /** Files that made versions of datasets, or of which datasets they made versions, or by which run. */
  loads(by: 'dataset' | 'digest' | 'run_id', values: readonly string[]): Promise<StoredLink[]> {
    return this.links(
      `select distinct 'file:' || digest as "from", 'dataset:' || dataset as "to", version::int as version from lineage_load
       where ${by}::text = any($1::text[]) limit ${ROWS}`,
      [values],
    );
  }

  loadedBy(by: 'digest' | 'run_id', values: readonly string[]): Promise<StoredLink[]> {
    return this.links(
      `select distinct 'run:' || run_id as "from", 'file:' || digest as "to" from lineage_load where ${by}::text = any($1::text[]) limit ${ROWS}`,
      [values],
    );
  }

  /** Runs that trained or used models (id@version). */
  async modelLinks(models: readonly string[], act: 'train' | 'run', sub: Sub): Promise<StoredLink[]> {
    const model = `'model:' || model_id || '@' || model_version`;
    const [from, to] = act === 'train' ? [`'run:' || last_run`, model] : [model, `'run:' || last_run`];
    return this.links(
      `select ${from} as "from", ${to} as "to", sum(runs)::int as runs from lineage_model
       where model_id = any($1::text[]) and model_id || '@' || model_version = any($2::text[]) and act = $3 and ($4::text is null or principal = $4)
       group by 1, 2 limit ${ROWS}`,
      [models.map((each) => each.slice(0, each.lastIndexOf('@'))), models, act, sub],
    );
  }

  /** Models that others than the caller trained or used. */
  async modelsOfOthers(models: readonly string[], act: 'train' | 'run', sub: string): Promise<readonly string[]> {
    return this.texts(
      `select distinct model_id || '@' || model_version as value from lineage_model
       where model_id = any($1::text[]) and model_id || '@' || model_version = any($2::text[]) and act = $3 and principal <> $4`,
      [models.map((each) => each.slice(0, each.lastIndexOf('@'))), models, act, sub],
    );
  }

  /** Which of these exist. */
  async existing(kind: 'file' | 'principal' | 'model', values: readonly string[]): Promise<readonly string[]> {
    const text = {
      file: `select digest as value from raw_file where digest = any($1::text[]) union select digest from lineage_load where digest = any($1::text[])`,
      principal: `select v as value from unnest($1::text[]) v where exists (select 1 from lineage_usage u where u.principal = v)`,
      model: `select id as value from fusion_model where id = any($1::text[])`,
    }[kind];
    return this.texts(text, [values]);
  }

  /** What there is to tell of plans: their documents, as far as they are short. */
  async documents(plans: readonly string[], letters: number): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.pool.query<{ plan: string; document: string }>(
      'select plan_digest as plan, left(document, $2) as document from lineage_plan where plan_digest = any($1::text[])',
      [plans, letters],
    );
    return new Map(rows.map((row) => [row.plan, row.document]));
  }

  private async links(text: string, values: readonly unknown[]): Promise<StoredLink[]> {
    return (await this.pool.query<StoredLink & Record<string, unknown>>(text, [...values])).rows;
  }

  private async texts(text: string, values: readonly unknown[]): Promise<readonly string[]> {
    return (await this.pool.query<{ value: string }>(text, [...values])).rows.map((row) => row.value);
  }
}
