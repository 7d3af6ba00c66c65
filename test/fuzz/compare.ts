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
  readonly document: string | null;
  readonly decisions: string | null;
  /** Columns that are shown, by coordinate. */
  readonly shown: readonly string[];
  readonly set: string | null;
  readonly patients: number;
  readonly versions: string | null;
}

/**
 * Both runs must tell the same persons, versions, document and decisions. Each tells the columns that it read itself: the reference path reads nothing below
 * rows that are not there, and so shows no more columns than the one statement of the compiled path.
 */
async function evidenceDiffers(owner: Pool, a: Answer, b: Answer): Promise<string | null> {
  const { rows } = await owner.query<Run>(
    `select r.run_id as id, r.kind, r.set_digest as set, r.patients, r.versions::text as versions, p.document, p.decisions::text as decisions,
       array(select (e ->> 'coordinate') || ' ' || (e ->> 'source') || ' ' || (e ->> 'masking') from jsonb_array_elements(p.columns) e where e ->> 'type' = 'DIRECT') as shown
     from lineage_run r left join lineage_plan p using (plan_digest) where r.run_id = any($1::uuid[])`,
    [[a.lineageId, b.lineageId]],
  );
  const [left, right] = [a, b].map((answer) => rows.find((row) => row.id === answer.lineageId));
  if (!left || !right) return 'a run left no record';
  for (const key of ['kind', 'document', 'decisions', 'set', 'patients', 'versions'] as const) {
    if (a.path !== 'refused' && left[key] !== right[key])
      return `the records differ in ${key}: ${String(left[key])} and ${String(right[key])}`;
  }
  const more = a.path === 'refused' ? [] : right.shown.filter((each) => !left.shown.includes(each));
  return more.length === 0 ? null : `only the reference path shows ${more.join(', ')}`;
}
