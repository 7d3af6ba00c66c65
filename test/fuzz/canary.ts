import type { Pool } from 'pg';
import type { Answer } from '../../src/gateway/index.js';

/** Words that must reach nobody who reads pseudonyms only: names, record numbers, phones and the like of all persons. */
export interface Canaries {
  /** Which of them stand in a text; empty = none. */
  foundIn(text: string): readonly string[];
  readonly count: number;
}

/** Shorter words, such as odd record numbers, stand in other texts by chance. */
const LENGTH_MIN = 5;

/** Reads the identifiers of the cohort with the owner's eyes. */
export async function canariesOf(owner: Pool): Promise<Canaries> {
  const { rows } = await owner.query<Record<string, string | null>>(
    'select family_name, mrn, phone, email, social_security_number, address_line, given_name || $1 || family_name as full_name from patient',
    [' '],
  );
  const words = new Set<string>();
  for (const row of rows) for (const value of Object.values(row)) if (value !== null && value.length >= LENGTH_MIN) words.add(value);
  const list = [...words];
  return { count: list.length, foundIn: (text) => list.filter((word) => text.includes(word)) };
}

/** Everything of an answer that would leave the mesh. */
export const leaving = (answer: Answer): string => JSON.stringify([answer.data, answer.errors]);
