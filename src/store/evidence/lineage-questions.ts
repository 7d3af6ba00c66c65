import type { Pool } from 'pg';
import { runsOf, type Usage } from './usage.js';
import { CodedError, LIMITS } from '../../kernel/index.js';

export interface Use {
  readonly runs: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export interface ColumnImpact {
  readonly plans: readonly (Use & {
    readonly plan: string;
    readonly fields: readonly { coordinate: string; type: 'DIRECT' | 'INDIRECT'; masking: boolean }[];
  })[];
  readonly purposes: readonly (Use & { readonly purpose: string })[];
  readonly principals: readonly (Use & { readonly principal: string })[];
  readonly models: readonly string[];
}

const ANSWERING = new Set(['query', 'mutation', 'export', 'replay']);

/**
 * What depended on a column (table.column) on the UTC days [from, to), over rows and packed records alike. Where `sub` is given, in runs of this caller
 * alone. Throws LIMIT_EXCEEDED.
 */
export async function columnImpact(pool: Pool, column: string, from: string, to: string, sub: string | null): Promise<ColumnImpact> {
  const { rows } = await pool.query<{ plan: string; fields: ColumnImpact['plans'][number]['fields'] }>(
    `select p.plan_digest as plan, (select jsonb_agg(distinct jsonb_build_object('coordinate', e.coordinate, 'type', e.type, 'masking', coalesce(e.masking, false)))
         from jsonb_to_recordset(p.columns) as e(coordinate text, source text, type text, masking boolean) where e.source = $1) as fields
     from lineage_plan p where p.columns @> jsonb_build_array(jsonb_build_object('source', $1::text))`,
    [column],
  );
  const fields = new Map(rows.map((row) => [row.plan, row.fields]));
  const all = fields.size === 0 ? [] : await runsOf(pool, [...fields.keys()], Date.parse(from), Date.parse(to));
  const uses = all.filter((use) => use.code === null && ANSWERING.has(use.kind) && (sub === null || use.principal === sub));
  const plans = summed(uses, (use) => use.plan ?? '');
  if (plans.size > LIMITS.lineage_plans_max)
    throw new CodedError('LIMIT_EXCEEDED', `An impact tells of at most ${LIMITS.lineage_plans_max} plans: ask for fewer days.`, {
      place: 'from',
    });
  const models = await pool.query<{ model: string }>(
    `select distinct model_id || '@' || model_version as model from lineage_model
     where plan_digest = any($1::text[]) and act = 'train' and day >= $2::date and day < $3::date and ($4::text is null or principal = $4) order by 1`,
    [[...fields.keys()], from, to, sub],
  );
  return {
    plans: [...plans].map(([plan, use]) => ({ ...use, plan, fields: fields.get(plan) ?? [] })),
    purposes: [...summed(uses, (use) => use.purpose)].map(([purpose, use]) => ({ ...use, purpose })),
    principals: [...summed(uses, (use) => use.principal)].map(([principal, use]) => ({ ...use, principal })),
    models: models.rows.map((row) => row.model),
  };
}

/** Uses by a name that they share, in the order of the names. */
function summed(uses: readonly Usage[], nameOf: (use: Usage) => string): ReadonlyMap<string, Use> {
  const sums = new Map<string, { runs: number; first: number; last: number }>();
  for (const use of uses) {
    const sum = sums.get(nameOf(use)) ?? { runs: 0, first: Infinity, last: -Infinity };
    sums.set(nameOf(use), { runs: sum.runs + use.runs, first: Math.min(sum.first, use.firstAt), last: Math.max(sum.last, use.lastAt) });
  }
  return new Map(
    [...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { runs, first, last }]) => [name, { runs, firstAt: new Date(first), lastAt: new Date(last) }]),
  );
}

/** Brings what is counted by day up to the last run; asked before any question that is answered from it. */
export async function catchUpUsage(pool: Pool): Promise<void> {
  await pool.query('select catch_up_usage()');
}

/** What a run says beside what an accounting asks. */
export interface RunDetails {
  readonly principal: string;
  readonly roles: readonly string[];
  readonly plan: string | null;
  readonly document: string | null;
  readonly caller: string | null;
}

/** Runs that are rows; those that are packed are not told. */
export async function runDetails(pool: Pool, runIds: readonly string[]): Promise<ReadonlyMap<string, RunDetails>> {
  const { rows } = await pool.query<RunDetails & { runId: string }>(
    `select r.run_id as "runId", r.principal, r.roles, r.plan_digest as plan, r.caller_digest as caller, p.document
     from lineage_run r left join lineage_plan p using (plan_digest) where r.run_id = any($1::uuid[])`,
    [runIds],
  );
  return new Map(rows.map((row) => [row.runId, row]));
}

/** Ids of glass that was ever broken for a person. */
export async function glassOver(pool: Pool, patientId: string): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>('select glass_id as id from break_glass where patient_id = $1', [patientId]);
  return new Set(rows.map((row) => row.id));
}

export interface TrainedModelRow {
  readonly id: string;
  readonly hash: string;
  readonly state: string;
  readonly label: string;
  readonly persons: number;
  readonly events: number;
  readonly trainedBy: string;
  readonly trainedAt: Date;
  readonly runId: string;
  readonly features: Readonly<Record<string, string>> | null;
  readonly trainingData: string | null;
}

/** A model by id, the newest version, or by id@version; null where there is none. */
export async function trainedModel(pool: Pool, model: string): Promise<TrainedModelRow | null> {
  const { rows } = await pool.query<TrainedModelRow>(
    `select id, hash, state, label, trained_on as persons, events, trained_by as "trainedBy", trained_at as "trainedAt", lineage_id as "runId",
       parameters->'features' as features, card->>'trainingData' as "trainingData"
     from fusion_model where id = $1 or model_id = $1 order by trained_at desc, version limit 1`,
    [model],
  );
  return rows[0] ?? null;
}

/** What a plan reads, each column once: DIRECT where any field shows it. */
export async function planColumns(pool: Pool, plan: string): Promise<readonly { name: string; type: 'DIRECT' | 'INDIRECT' }[]> {
  const { rows } = await pool.query<{ name: string; type: 'DIRECT' | 'INDIRECT' }>(
    `select e.source as name, min(e.type) as type from lineage_plan p cross join lateral jsonb_to_recordset(p.columns) as e(source text, type text)
     where p.plan_digest = $1 group by 1 order by 1`,
    [plan],
  );
  return rows;
}

/** Files that made these datasets up to these versions. Throws LIMIT_EXCEEDED. */
export async function filesBehind(
  pool: Pool,
  versions: Readonly<Record<string, number>>,
): Promise<readonly { digest: string; dataset: string; version: number }[]> {
  const { rows } = await pool.query<{ digest: string; dataset: string; version: number }>(
    `select distinct l.dataset, l.version::int as version, l.digest from jsonb_each_text($1::jsonb) v join lineage_load l on l.dataset = v.key and l.version <= v.value::bigint
     order by 1, 2, 3 limit ${LIMITS.lineage_edges_max + 1}`,
    [JSON.stringify(versions)],
  );
  if (rows.length > LIMITS.lineage_edges_max)
    throw new CodedError('LIMIT_EXCEEDED', `At most ${LIMITS.lineage_edges_max} files are told; ask lineageGraph for one dataset.`, {
      place: 'files',
    });
  return rows;
}

export interface PolicyAtRow {
  readonly version: number;
  readonly digest: string;
  readonly document: unknown;
  readonly proposedBy: string;
  readonly decidedBy: string;
  readonly from: Date;
  readonly to: Date | null;
}

/** The local policy that was in force at an instant: the approval that was the last one then. */
export async function policyInForceAt(
  pool: Pool,
  time: number,
): Promise<{ readonly row: PolicyAtRow | null; readonly firstAt: Date | null; readonly recorded: readonly string[] }> {
  const { rows } = await pool.query<PolicyAtRow>(
    `select p.version, p.digest, p.document, p.actor as "proposedBy", a.actor as "decidedBy", a.at as "from",
       (select min(l.at) from policy_event l where l.kind = 'approved' and (l.at, l.version) > (a.at, a.version)) as "to"
     from policy_event a join policy_event p on p.version = a.version and p.kind = 'proposed'
     where a.kind = 'approved' and a.at <= $1 order by a.at desc, a.version desc limit 1`,
    [new Date(time)],
  );
  const first = await pool.query<{ at: Date | null }>(`select min(at) as at from policy_event where kind = 'approved'`);
  const recorded = await pool.query<{ value: string }>(
    `select distinct p.policy_version as value from lineage_usage u join lineage_plan p using (plan_digest) where u.day = ($1::timestamptz at time zone 'UTC')::date order by 1`,
    [new Date(time)],
  );
  return { row: rows[0] ?? null, firstAt: first.rows[0]?.at ?? null, recorded: recorded.rows.map((row) => row.value) };
}

export interface ConsentAtRow {
  readonly consentId: string;
  readonly status: string;
  readonly scope: string | null;
  readonly decidedAt: Date | null;
  readonly understood: boolean;
  readonly provisions: unknown;
  readonly source: string;
  readonly knownFrom: Date | null;
  readonly knownTo: Date | null;
}

export interface PermitRow {
  readonly purpose: string;
  readonly categories: number;
  readonly sensitivityMin: number;
  readonly sensitivityMax: number;
  readonly validFrom: Date | null;
  readonly validTo: Date | null;
}

const CONSENT = ['consent_id', 'status', 'scope', 'decided_at', 'understood', 'provisions', 'source_digest'];
const EFFECT = ['purpose', 'atom', 'categories', 'sensitivity_min', 'sensitivity_max', 'valid_from', 'valid_to'];

/** Rows of a versioned table as they were at an instant, by when the changes were made that began and ended them. */
const spansOf = (table: 'consent' | 'consent_effect', columns: readonly string[]): string => `
  (select t.*, b.at as known_from, e.at as known_to from (
     select ${columns.join(', ')}, changed_in, null::bigint as ended_in from ${table} where patient_id = $1
     union all select ${columns.join(', ')}, changed_in, ended_in from history.${table} where patient_id = $1) t
   left join dataset_change b on b.dataset = '${table}' and b.change = t.changed_in
   left join dataset_change e on e.dataset = '${table}' and e.change = t.ended_in
   where (b.at is null or t.changed_in = 0 or b.at <= $2) and (t.ended_in is null or e.at > $2)) x`;

export async function consentAt(
  pool: Pool,
  patientId: string,
  time: number,
): Promise<{ readonly version: number | null; readonly consents: readonly ConsentAtRow[]; readonly permits: readonly PermitRow[] }> {
  const values = [patientId, new Date(time)];
  const columns = `consent_id as "consentId", status, scope, decided_at as "decidedAt", understood, provisions, source_digest as source,
    case when changed_in = 0 then null else known_from end as "knownFrom", known_to as "knownTo"`;
  const consents = await pool.query<ConsentAtRow>(
    `select ${columns} from ${spansOf('consent', CONSENT)} order by consent_id, known_from nulls first`,
    values,
  );
  const permits = await pool.query<PermitRow>(
    `select purpose, categories, sensitivity_min as "sensitivityMin", sensitivity_max as "sensitivityMax",
       case when isfinite(valid_from) then valid_from end as "validFrom", case when isfinite(valid_to) then valid_to end as "validTo"
     from ${spansOf('consent_effect', EFFECT)} where valid_from <= $2 and valid_to > $2 order by purpose, atom`,
    values,
  );
  const version = await pool.query<{ version: number | null }>(
    `select max(version)::int as version from dataset_change where dataset = 'consent' and at <= $1`,
    [new Date(time)],
  );
  return { version: version.rows[0]?.version ?? null, consents: consents.rows, permits: permits.rows };
}
