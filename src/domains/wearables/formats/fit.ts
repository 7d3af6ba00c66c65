import { CodedError } from '../../../kernel/error.js';
import type { Format, Parsed, ParsedFault } from '../../../kernel/format.js';
import { readAll } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { FitSamples } from './fit-samples.js';
import { FitWalker, isFitHeader } from './fit-walk.js';
import type { FitFault } from './fit-walk.js';
import { parsedBatch } from './sample.js';
import type { WearableBatch } from './sample.js';

/** What a file holds, for the conformance report (spec/wearables.md W55). */
export interface FitReport {
  readonly segments: number;
  /** Data messages by global message number. */
  readonly messages: ReadonlyMap<number, number>;
  /** Structural faults in file order: FIT_CRC, FIT_TRUNCATED, FIT_MESSAGE, FIT_HEADER, FORMAT_UNSUPPORTED. */
  readonly faults: readonly FitFault[];
}

function assertFit(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new CodedError('FILE_EMPTY', 'the file holds no bytes');
  if (!isFitHeader(bytes, 0)) throw new CodedError('FIT_HEADER', 'the file does not begin with a FIT header', { place: 'byte 0' });
}

/** Counts the messages of every segment without reading their fields. Throws FILE_EMPTY or FIT_HEADER. */
export function readFit(bytes: Uint8Array): FitReport {
  assertFit(bytes);
  const walker = new FitWalker(bytes);
  const messages = new Map<number, number>();
  const faults: FitFault[] = [];
  const visitor = {
    define:
      ({ global }: { readonly global: number }) =>
      () => {
        messages.set(global, (messages.get(global) ?? 0) + 1);
      },
    fault: (fault: FitFault) => {
      faults.push(fault);
    },
  };
  while (walker.next(visitor));
  return { segments: walker.segment + 1, messages, faults };
}

function parsedFault(fault: FitFault): ParsedFault {
  return {
    ok: false,
    ordinal: fault.ordinal,
    place: `segment ${fault.segment}, byte ${fault.offset}`,
    code: fault.code,
    reason: fault.reason,
  };
}

/**
 * Garmin FIT (spec/wearables.md W22): chained segments, both endians, compressed timestamps, developer fields skipped by size.
 * An ordinal is the number of a data message in the file. Distance and steps, which FIT counts up, come as increments on the
 * interval between two messages. Of a damaged segment the complete messages are kept, then FIT_CRC, FIT_TRUNCATED or
 * FIT_MESSAGE follows with segment and byte; FIT_HEADER is thrown when the file is no FIT file at all.
 */
export const fitFormat: Format<WearableBatch> = {
  name: 'fit',
  mediaType: 'application/vnd.ant.fit',
  sniff: (head) => isFitHeader(head, 0),
  async *parse(input, options): AsyncGenerator<Parsed<WearableBatch>> {
    const max = LIMITS.record_bytes_max;
    const bytes = await readAll(input, max, () => new CodedError('FILE_TOO_LARGE', `a FIT file is larger than ${max} bytes`));
    assertFit(bytes);
    const walker = new FitWalker(bytes);
    for (;;) {
      const samples = new FitSamples(bytes, walker, options.now);
      if (!walker.next(samples)) return;
      for (const batch of samples.finish()) yield parsedBatch(batch);
      for (const fault of samples.faults) yield parsedFault(fault);
    }
  },
};
