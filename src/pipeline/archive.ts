import { isCoded } from '../kernel/error.js';
import type { IngestReport } from '../kernel/index.js';
import type { FileInput, PipelineDeps } from './deps.js';
import { gunzip, isGzip } from './gunzip.js';
import type { FileLoad } from './load.js';
import { refuseBomb } from './member.js';
import { tarMembers } from './tar.js';
import { zipMembers } from './zip.js';

/**
 * Loads each member as a file of its own, named after the archive; the report of the archive sums them up, with the place 'member N'.
 * The whole list of members is checked before the first one is read.
 */
export async function ingestArchive(
  kind: 'zip' | 'tar',
  load: FileLoad,
  file: FileInput,
  ingest: (member: FileInput) => Promise<IngestReport>,
  deps: PipelineDeps,
): Promise<IngestReport> {
  const { digest, bytes } = load.facts;
  const { objects } = deps.store;
  const told = {
    ...(file.assembly === undefined ? {} : { assembly: file.assembly }),
    ...(file.product === undefined ? {} : { product: file.product }),
  };
  let number = 0;
  const take = async (path: string, open: () => AsyncIterable<Uint8Array>): Promise<void> => {
    const report = await ingest({ ...told, name: `${file.name}!/${path}`, open });
    await tellPersons(deps, digest, report.digest);
    load.add(report, `member ${number}`);
    number += 1;
  };
  try {
    if (kind === 'zip') {
      for (const member of await zipMembers((from, to) => objects.open(digest, { from, to }), bytes)) await take(member.path, member.open);
    } else {
      const sizes: number[] = [];
      for await (const member of tarMembers(plain(deps, digest))) sizes.push(member.size);
      refuseBomb(sizes, bytes);
      for await (const member of tarMembers(plain(deps, digest))) await take(member.path, () => member.bytes);
    }
  } catch (error) {
    if (isCoded(error) && error.status === 422 && error.code !== 'EXPECTATION_FAILED') return load.close(error);
    throw error;
  }
  return load.close(null);
}

/** The archive holds whom its member tells of: an erasure looks at both. */
async function tellPersons({ store }: PipelineDeps, archive: string, member: string): Promise<void> {
  await store.transaction((tx) =>
    tx.query(
      `insert into source_person (patient_id, digest) select patient_id, $1 from source_person where digest = $2 on conflict do nothing`,
      [archive, member],
    ),
  );
}

async function* plain(deps: PipelineDeps, digest: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = Buffer.alloc(0);
  for await (const part of deps.store.objects.open(digest, { from: 0, to: 2 })) head = Buffer.concat([head, part]);
  const raw = deps.store.objects.open(digest);
  yield* isGzip(head) ? gunzip(raw) : raw;
}
