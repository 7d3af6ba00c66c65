import { Field, InputType } from 'type-graphql';
import { valueType, value } from './declare.js';
import { CodedError } from './error.js';
import { LIMITS } from './limits.js';
import { SCALARS } from './scalar.js';
import type { Scope } from './scope.js';

/** A file in a mutation. Large files go in by the command line. */
@InputType({ description: 'A file to load, of at most 1.4 MB; larger files are loaded from the command line.' })
export class IngestFile {
  @Field(() => SCALARS.String, { description: 'Name with its ending; tells formats apart and is not stored.' })
  name!: string;
  @Field(() => SCALARS.String, { description: 'The bytes in base64 (RFC 4648, section 4).' })
  contentBase64!: string;
  @Field(() => SCALARS.String, { nullable: true, description: 'Reference assembly where the file does not state it: GRCh37 or GRCh38.' })
  assembly?: string;
}

@valueType('IngestFault', 'A reason for which records of a file were refused.')
export class IngestFault {
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Stable code of the fault.' })
  code!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Where it first stood.' })
  place!: string;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'What is wrong, without values.',
  })
  reason!: string;
  @value({ type: () => SCALARS.Int, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Records with this fault.' })
  count!: number;
}

@valueType('IngestResult', 'What became of a file: counts only.')
export class IngestResult {
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'sha256 of the file as received.',
  })
  digest!: string;
  @value({ type: () => SCALARS.String, tags: ['catalogue'], safeHarbor: 'none', description: 'Format that read it.' })
  format!: string | null;
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'ingested, partly, refused or duplicate.',
  })
  status!: string;
  @value({ type: () => SCALARS.Int, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Records that were read.' })
  records!: number;
  @value({
    type: () => SCALARS.Int,
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Records in quarantine, with reason.',
  })
  quarantined!: number;
  @value({
    type: () => [IngestFault],
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Reasons, the most frequent first.',
  })
  faults!: IngestFault[];
  @value({ type: () => SCALARS.ID, required: true, tags: ['catalogue'], safeHarbor: 'none', description: 'Lineage record of the load.' })
  lineageId!: string;
}

/** What every ingest mutation does: decode, hand over, report. */
export async function ingestThrough(scope: Scope, product: string, file: IngestFile): Promise<IngestResult> {
  const bytes = Buffer.from(file.contentBase64, 'base64');
  if (bytes.length === 0 || bytes.length > LIMITS.request_body_bytes_max) {
    throw new CodedError('BAD_INPUT', 'The content is empty, too large or not base64.', { place: 'file.contentBase64' });
  }
  const report = await scope.ingest({ product, name: file.name, bytes, ...(file.assembly ? { assembly: file.assembly } : {}) });
  return { ...report, faults: [...report.faults] };
}
