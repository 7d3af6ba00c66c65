import { CodedError } from '../kernel/error.js';
import { LIMITS } from '../kernel/limits.js';

export interface Member {
  /** With '/' between folders. */
  readonly path: string;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Below this size no ratio counts: a small file of zeros is no bomb. */
const RATIO_FROM_BYTES = 16 * 1024 * 1024;

/** Throws ARCHIVE_PATH for a path that is empty, absolute, leaves its folder, or holds a backslash, a drive or a NUL. */
export function safePath(path: string, index: number): void {
  const parts = path.split('/');
  const bad = path === '' || path.startsWith('/') || /[\\\0]/.test(path) || /^[A-Za-z]:/.test(path) || parts.includes('..');
  if (bad) throw new CodedError('ARCHIVE_PATH', 'The path of a member leaves the folder of the archive.', { place: `member ${index}` });
}

/** Throws ARCHIVE_BOMB where the members together pass archive_bytes_max, archive_members_max or inflate_ratio_max. */
export function refuseBomb(sizes: readonly number[], packedBytes: number): void {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const bomb =
    sizes.length > LIMITS.archive_members_max ||
    total > LIMITS.archive_bytes_max ||
    (total > RATIO_FROM_BYTES && total / Math.max(1, packedBytes) > LIMITS.inflate_ratio_max);
  if (bomb)
    throw new CodedError('ARCHIVE_BOMB', 'The archive expands beyond archive_members_max, archive_bytes_max or inflate_ratio_max.', {
      place: 'byte 0',
    });
}
