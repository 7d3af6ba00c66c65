import { createGunzip } from 'node:zlib';
import { CodedError } from '../kernel/error.js';
import { LIMITS } from '../kernel/limits.js';

/** Fed in small steps, so that one step cannot expand beyond about 16 MiB (deflate reaches 1032:1). */
const STEP_BYTES = 16_384;
/** Below this size no ratio counts: a small file of zeros is no bomb. */
const RATIO_FROM_BYTES = 16 * 1024 * 1024;

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** Blocked gzip names its block size in a field BC (SAM specification, section 4.1); readers of such formats check the blocks themselves. */
export const isBlockedGzip = (head: Uint8Array): boolean =>
  isGzip(head) && ((head[3] ?? 0) & 4) !== 0 && head[12] === 0x42 && head[13] === 0x43;

/**
 * Inflates gzip of one or more members. Everything before a fault is yielded first.
 * Throws GZIP_TRUNCATED, GZIP_CORRUPT, or ARCHIVE_BOMB beyond inflate_ratio_max, with the place 'byte N' of the compressed file.
 */
export async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = createGunzip();
  let ready: Buffer[] = [];
  const state: { failure?: Error; ended: boolean } = { ended: false };
  let settle: () => void = () => undefined;
  inflater.on('data', (part: Buffer) => ready.push(part));
  inflater.on('error', (error) => {
    state.failure = error;
    settle();
  });
  // What follows the last member is no data; the inflater ends there without taking the rest of the step.
  inflater.on('end', () => {
    state.ended = true;
    settle();
  });
  let taken = 0;
  let given = 0;
  const drain = function* (): Generator<Buffer, void, undefined> {
    const parts = ready;
    ready = [];
    for (const part of parts) {
      given += part.length;
      yield part;
    }
  };
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += STEP_BYTES) {
        const step = chunk.subarray(at, at + STEP_BYTES);
        await new Promise<void>((resolve) => {
          settle = resolve;
          inflater.write(step, () => resolve());
        });
        yield* drain();
        if (state.failure !== undefined) throw faultOf(state.failure, taken);
        if (state.ended) return;
        taken += step.length;
        if (given > RATIO_FROM_BYTES && given / taken > LIMITS.inflate_ratio_max) {
          throw new CodedError('ARCHIVE_BOMB', 'The compressed data expand beyond inflate_ratio_max.', { place: `byte ${taken}` });
        }
      }
    }
    await new Promise<void>((resolve) => {
      settle = resolve;
      inflater.end();
    });
    yield* drain();
    if (state.failure !== undefined) throw faultOf(state.failure, taken);
  } finally {
    inflater.destroy();
  }
}

function faultOf(error: Error, at: number): CodedError {
  const truncated = 'code' in error && error.code === 'Z_BUF_ERROR';
  const place = `byte ${at}`;
  if (truncated) return new CodedError('GZIP_TRUNCATED', 'The compressed data end early.', { place });
  return new CodedError('GZIP_CORRUPT', 'The compressed data cannot be inflated.', { place });
}
