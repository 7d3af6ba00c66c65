import type { Pool } from 'pg';

export interface RoleUse {
  readonly purpose: string;
  readonly plan: string;
  readonly runs: number;
  readonly lastAt: Date;
  /** Null for files. */
  readonly document: string | null;
  readonly policyVersion: string | null;
  readonly sources: readonly string[] | null;
  readonly coordinates: readonly string[] | null;
}

/** What callers of a role did since a UTC day, by purpose and plan. */
export async function useOfRole(pool: Pool, role: string, since: string): Promise<readonly RoleUse[]> {
  const { rows } = await pool.query<RoleUse>(
    `select u.purpose, u.plan_digest as plan, u.runs, u."lastAt", p.document, p.policy_version as "policyVersion",
       (select array_agg(distinct e.source) from jsonb_to_recordset(p.columns) as e(source text)) as sources,
       (select array_agg(distinct e.coordinate) from jsonb_to_recordset(p.columns) as e(coordinate text)) as coordinates
     from (select purpose, plan_digest, sum(runs)::int as runs, max(last_at) as "lastAt" from lineage_usage
           where day >= $2::date and $1 = any(roles) group by 1, 2) u left join lineage_plan p using (plan_digest)`,
    [role, since],
  );
  return rows;
}

export interface GrowthRow {
  readonly principal: string;
  readonly day: Date;
  readonly runs: number;
  readonly persons: number;
  readonly usual: number;
  readonly lastRun: string;
}

/** Days of callers on which more persons stood behind their answers than is usual for them in the 30 days before. */
export async function growthOf(
  pool: Pool,
  from: string,
  to: string,
  rule: { readonly persons: number; readonly times: number },
): Promise<readonly GrowthRow[]> {
  const { rows } = await pool.query<GrowthRow>(
    `with days as (
       select principal, day, sum(runs)::int as runs, sum(persons)::int as persons, (array_agg(last_run order by last_at desc))[1] as last_run
       from lineage_usage where day >= $1::date - 30 and day < $2::date group by 1, 2),
     compared as (
       select d.*, coalesce(avg(persons) over (partition by principal order by day range between interval '30 days' preceding and interval '1 day' preceding), 0) as usual
       from days d)
     select principal, day::timestamp at time zone 'UTC' as day, runs, persons, round(usual)::int as usual, last_run as "lastRun" from compared
     where day >= $1::date and persons >= $3 and persons > usual * $4 order by day, principal limit 500`,
    [from, to, rule.persons, rule.times],
  );
  return rows;
}

export interface UnreviewedGlass {
  readonly id: string;
  readonly sub: string;
  readonly at: Date;
}

/** Glass that is over and that nobody has reviewed. */
export async function unreviewedGlass(pool: Pool, from: number, to: number, now: number): Promise<readonly UnreviewedGlass[]> {
  const { rows } = await pool.query<UnreviewedGlass>(
    `select g.glass_id as id, g.sub, g.started_at as at from break_glass g
     where g.started_at >= $1 and g.started_at < $2
       and (g.ends_at <= $3 or exists (select 1 from break_glass_event e where e.glass_id = g.glass_id and e.kind = 'ended'))
       and not exists (select 1 from break_glass_event e where e.glass_id = g.glass_id and e.kind = 'reviewed')
     order by g.started_at, g.glass_id limit 500`,
    [new Date(from), new Date(to), new Date(now)],
  );
  return rows;
}

export interface AfterRevocation {
  readonly principal: string;
  readonly runs: number;
  readonly lastAt: Date;
  readonly lastRun: string;
}

/** Callers who were answered after their subject was revoked; runs are those of the days on which it happened. */
export async function usedAfterRevocation(pool: Pool, from: number, to: number): Promise<readonly AfterRevocation[]> {
  const { rows } = await pool.query<AfterRevocation>(
    `select u.principal, sum(u.runs)::int as runs, max(u.last_at) as "lastAt", (array_agg(u.last_run order by u.last_at desc))[1] as "lastRun"
     from lineage_usage u join token_revocation t on t.kind = 'subject' and t.value_digest = encode(sha256(convert_to('subject:' || u.principal, 'UTF8')), 'hex')
     where u.day >= ($1::timestamptz at time zone 'UTC')::date and u.last_at >= $1 and u.first_at < $2
       and u.last_at > t.at and (t.until is null or u.first_at < t.until)
     group by 1 order by 1 limit 500`,
    [new Date(from), new Date(to)],
  );
  return rows;
}

/** Callers of whom it was recorded that they are persons of the mesh, by the digest under which runs name them. */
export async function callersWhoArePersons(
  pool: Pool,
): Promise<readonly { readonly caller: string; readonly patientId: string; readonly ordinal: number }[]> {
  const { rows } = await pool.query<{ caller: string; patientId: string; ordinal: number }>(
    `select c.caller_digest as caller, p.patient_id as "patientId", p.ordinal from lineage_caller c
     cross join lateral jsonb_array_elements_text(case when jsonb_typeof(c.caller->'identities') = 'array' then c.caller->'identities' else '[]' end) i(identity)
     join patient p on p.patient_id::text = lower(substring(i.identity from '^Patient/(.*)$')) limit 200`,
  );
  return rows;
}
