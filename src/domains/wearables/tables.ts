import type { ContentDigest, DigestColumns } from '../../kernel/index.js';

const KEY = { patient_id: 'uuid', metric: 'text', device: 'text', day: 'date' } as const satisfies DigestColumns;
const GRID = { unit: 'text', t0: 'timestamptz', step_ms: 'int', n: 'int', enc: 'int' } as const satisfies DigestColumns;

const place = (row: Readonly<Record<string, unknown>>): string => `${String(row['metric'])} ${String(row['day'])}`;

/** Proves what a chunk needs to be unpacked. Readers ask it of every chunk. */
export const CHUNK_DIGEST = {
  table: 'wear_chunk',
  column: 'content_digest',
  of: { ...KEY, ...GRID, vals: 'bytea' },
  place,
} as const satisfies ContentDigest;

/**
 * Proves the numbers of a day, which are served by SQL alone and without the samples. The row level security of the table asks it of
 * every row that the reader's role is given, on whatever path.
 */
export const HEADER_DIGEST: ContentDigest = {
  table: 'wear_chunk',
  column: 'header_digest',
  of: { ...KEY, id: 'uuid', ...GRID, mn: 'float8', mx: 'float8', sm: 'float8', sq: 'float8', offset_minutes: 'int', version: 'int' },
  place,
};
