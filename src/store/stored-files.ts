import type { ReadSession } from './session.js';

/** What the books say of a file in the object store. */
export interface StoredFile {
  readonly mediaType: string;
  readonly bytes: number;
  /** sha256 of its list of chunk digests; null where it came without one. */
  readonly chunksDigest: string | null;
}

/** Media types under which files leave, by the one that their format has; a file of any other format is not given out. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  'application/dicom': 'application/dicom',
  'application/cda+xml': 'application/cda+xml',
  'application/hl7-v2': 'application/hl7-v2',
  'text/plain': 'text/plain',
};

/**
 * Those of the files that were read to their end and held one record, by digest. What else a file held may be about somebody else, and whose
 * it is cannot be told where a record was refused, so a batch of messages is never given out whole.
 */
export async function storedFiles(session: ReadSession, digests: readonly string[]): Promise<ReadonlyMap<string, StoredFile>> {
  if (digests.length === 0) return new Map();
  const { rows } = await session.query<{ digest: string; media_type: string; bytes: string; chunks_digest: string | null }>({
    name: 'stored-files',
    text: `select f.digest, f.media_type, f.bytes, f.chunks_digest from raw_file f where f.digest = any($1::text[])
      and exists (select 1 from ingest_checkpoint c where c.digest = f.digest)
      and not exists (select 1 from ingest_checkpoint c where c.digest = f.digest and not (c.finished and c.next_ordinal <= 1))`,
    values: [digests],
  });
  const found = new Map<string, StoredFile>();
  for (const { digest, media_type, bytes, chunks_digest: chunksDigest } of rows) {
    const mediaType = Object.hasOwn(MEDIA_TYPES, media_type) ? MEDIA_TYPES[media_type] : undefined;
    if (mediaType !== undefined) found.set(digest, { mediaType, bytes: Number(bytes), chunksDigest });
  }
  return found;
}
