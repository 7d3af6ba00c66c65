import type { Pool } from 'pg';
import { ask, type Answer } from '../../src/gateway/index.js';
import type { Principal } from '../../src/kernel/index.js';
import type { TestMesh } from '../support/mesh.js';
import type { Question } from './document.js';

export interface Compared {
  /** Which path the mesh chose by itself. */
  readonly path: string;
  readonly answer: Answer;
  readonly reference: Answer;
  /** How they differ; null where they agree. */
  readonly difference: string | null;
}

/** Asks one question of both executors and compares what they answer and what they record. */
export async function compare(mesh: TestMesh, who: Principal, question: Question): Promise<Compared> {
  const answer = await ask(mesh.mesh, who, question);
  const reference = await ask(mesh.mesh, who, question, 'reference');
  return {
    path: answer.path,
    answer,
    reference,
    difference: differenceOf(answer, reference) ?? (await evidenceDiffers(mesh.pools.owner, answer, reference)),
  };
}

/** Errors by code and, where the fault lies in an argument of a list, by coordinate; of several faulty readers either may be told first. */
function differenceOf(a: Answer, b: Answer): string | null {
  const codes = (answer: Answer): string =>
    JSON.stringify(answer.errors.map((each) => [each.code, each.place?.includes('.') ? each.place : null]));
  if (codes(a) !== codes(b)) return `errors ${codes(a)} and ${codes(b)}`;
  return firstDifference(a.data, b.data, 'data');
}

/** The first place where two JSON values differ, the order of keys included. */
function firstDifference(a: unknown, b: unknown, place: string): string | null {
  if (a === b) return null;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object')
    return `${place}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`;
  const [left, right] = [Object.keys(a), Object.keys(b)];
  if (left.join('\n') !== right.join('\n')) return `${place}: keys ${left.join(',')} and ${right.join(',')}`;
  for (const key of left) {
    const found = firstDifference((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${place}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

interface Run {
  readonly id: string;
  readonly kind: string;
  readonly plan: string | null;
  readonly set: string | null;
  readonly patients: number;
  readonly versions: string | null;
}

/** Both runs must tell the same persons, plan and versions. */
async function evidenceDiffers(owner: Pool, a: Answer, b: Answer): Promise<string | null> {
  const { rows } = await owner.query<Run>(
    'select run_id as id, kind, plan_digest as plan, set_digest as set, patients, versions::text as versions from lineage_run where run_id = any($1::uuid[])',
    [[a.lineageId, b.lineageId]],
  );
  const [left, right] = [a, b].map((answer) => rows.find((row) => row.id === answer.lineageId));
  if (!left || !right) return 'a run left no record';
  for (const key of ['kind', 'plan', 'set', 'patients', 'versions'] as const) {
    if (left[key] !== right[key]) return `the records differ in ${key}: ${String(left[key])} and ${String(right[key])}`;
  }
  return null;
}
