import type { Pool } from 'pg';
import type { Columns } from './columns.js';
import type { DisclosedRun, ProtocolReach } from './disclosed-run.js';
import { chosen, pieces } from './pieces.js';

/** Runs by which something left: refusals and loads disclose nothing, nor does an answer without data; a file has no data but its bytes. */
const LEAVES: ReadonlySet<string> = new Set(['query', 'mutation', 'export', 'replay']);

function left({ dictionaries, index, patients }: Columns, i: number): boolean {
  const act = dictionaries.act[index.act[i] ?? 0];
  if (!act || !LEAVES.has(act.kind) || (patients[i] ?? 0) === 0) return false;
  if (act.told) return true;
  const { file, method, status } = dictionaries.facts[index.facts[i] ?? 0] ?? {};
  const served =
    file !== undefined && file !== null && method === 'GET' && (status === 200 || status === 206 || status === '200' || status === '206');
  return served && dictionaries.plan[index.plan[i] ?? 0] === null;
}

/** Runs by which data about one person left, in the order of time. */
export async function runsAbout(pool: Pool, ordinal: number, from: number, to: number): Promise<DisclosedRun[]> {
  const request = { from, to, ordinal, runs: true };
  const found: (Omit<DisclosedRun, 'columns' | 'decisions'> & { readonly plan: string | null })[] = [];
  for await (const piece of pieces(pool, request)) {
    const { columns } = piece;
    const { dictionaries, index } = columns;
    for (const i of chosen(piece, request)) {
      const who = dictionaries.who[index.who[i] ?? 0];
      if (!who || !left(columns, i)) continue;
      found.push({
        runId: piece.runAt(i),
        at: columns.at[i] ?? 0,
        purpose: who.purpose,
        recipient: who.recipient,
        persons: columns.patients[i] ?? 0,
        facts: dictionaries.facts[index.facts[i] ?? 0] ?? {},
        plan: dictionaries.plan[index.plan[i] ?? 0] ?? null,
      });
    }
  }
  const { rows } = await pool.query<{ digest: string; columns: DisclosedRun['columns']; decisions: DisclosedRun['decisions'] }>(
    'select plan_digest as digest, columns, decisions from lineage_plan where plan_digest = any($1::text[])',
    [[...new Set(found.flatMap((each) => each.plan ?? []))]],
  );
  const plans = new Map(rows.map((row) => [row.digest, row]));
  return found
    .sort((a, b) => a.at - b.at || (a.runId < b.runId ? -1 : 1))
    .map(({ plan, ...run }) => ({
      ...run,
      columns: plans.get(plan ?? '')?.columns ?? [],
      decisions: plans.get(plan ?? '')?.decisions ?? [],
    }));
}

/** Whom runs reached by which something left to one of the recipients, or for one of the purposes. */
export async function reached(
  pool: Pool,
  { recipients, purposes }: { readonly recipients: readonly string[]; readonly purposes: readonly string[] },
  from: number,
  to: number,
): Promise<ProtocolReach> {
  const persons = new Set<number>();
  const range = { from, to };
  let [firstAt, lastAt]: [number | null, number | null] = [null, null];
  for await (const piece of pieces(pool, range)) {
    const { columns } = piece;
    const meant = columns.dictionaries.who.map((who) => recipients.includes(who.recipient ?? '') || purposes.includes(who.purpose));
    if (!meant.includes(true)) continue;
    const numbers = new Set<number>();
    for (const i of chosen(piece, range)) {
      if (meant[columns.index.who[i] ?? 0] !== true || !left(columns, i)) continue;
      const at = columns.at[i] ?? 0;
      firstAt = Math.min(firstAt ?? at, at);
      lastAt = Math.max(lastAt ?? at, at);
      numbers.add(columns.set[i] ?? 0);
    }
    if (numbers.size === 0) continue;
    const sets = await piece.sets();
    for (const number of numbers) for (const ordinal of sets[number - 1] ?? []) persons.add(ordinal);
  }
  return { persons: persons.size, firstAt, lastAt };
}
