import { CodedError, isCoded } from '../kernel/error.js';
import type { IngestReport } from '../kernel/index.js';
import { LIMITS } from '../kernel/limits.js';
import { ingestArchive } from './archive.js';
import { baseName, type FileInput, type PipelineDeps } from './deps.js';
import { detect, headOf } from './detect.js';
import { FileLoad } from './load.js';
import { NO_PRODUCT, openFile, type FileFacts } from './ledger.js';
import type { PlannedBinding } from './plan.js';

/**
 * Loads one file, or every member of an archive, once. The raw bytes are kept first; rows follow in chunks, each one transaction with its
 * quarantine, counts and checkpoint, so that a load that was cut off at any point goes on where it stopped (spec pipelines P4, P5).
 * Faults of the file come back in the report; thrown are DISK_FULL, CONFLICT, EXPECTATION_FAILED of an expectation that stops the load,
 * errors of `open` and of the database.
 */
export async function ingestFile(file: FileInput, deps: PipelineDeps, inArchive = false): Promise<IngestReport> {
  const stored = await deps.store.objects.put(limited(file.open()));
  const kind = await kindOf(file, stored.digest, deps);
  const archive = !isCoded(kind) && kind.kind !== 'file' ? kind.kind : null;
  const planned: PlannedBinding | null = !isCoded(kind) && kind.kind === 'file' ? kind.planned : null;
  const facts: FileFacts = {
    ...stored,
    name: file.name,
    mediaType: planned?.binding.format.mediaType ?? (archive === null ? 'application/octet-stream' : `application/${archive}`),
    product: planned?.product ?? NO_PRODUCT,
    format: planned?.binding.format.name ?? archive,
    assembly: file.assembly ?? null,
  };
  const opened = await deps.store.transaction((tx) => openFile(tx, facts, deps.now()));
  const load = new FileLoad(facts, opened, deps);
  if (opened.finished) return load.duplicate();
  if (opened.clash !== null && deps.nameReuse !== 'accept') {
    const reason = `The name belongs to file ${opened.clash}; these bytes are ${stored.digest}.`;
    return load.refuse(new CodedError('NAME_REUSED', reason, { place: 'byte 0' }));
  }
  if (isCoded(kind)) return load.refuse(kind);
  if (archive !== null) {
    if (inArchive)
      return load.refuse(new CodedError('FORMAT_UNSUPPORTED', 'An archive inside an archive is not read.', { place: 'byte 0' }));
    return ingestArchive(archive, load, file, (member) => ingestFile(member, deps, true), deps);
  }
  return planned === null ? load.close(null) : load.run(planned);
}

async function kindOf(file: FileInput, digest: string, deps: PipelineDeps): Promise<ReturnType<typeof detect> | CodedError> {
  try {
    const head = await headOf(deps.store.objects.open(digest));
    return detect(head, baseName(file.name), deps.plan, file.product);
  } catch (error) {
    if (isCoded(error) && error.status === 422) return error;
    throw error;
  }
}

async function* limited(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of input) {
    bytes += part.length;
    if (bytes > LIMITS.file_bytes_max)
      throw new CodedError('FILE_TOO_LARGE', 'The file is larger than file_bytes_max.', { place: `byte ${bytes}` });
    yield part;
  }
}
