import { CodedError, isCoded } from '../kernel/error.js';
import type { Place, StageContext } from '../kernel/index.js';
import type { Refusal, StagedRecord } from './expect.js';
import { gunzip, isBlockedGzip, isGzip } from './gunzip.js';
import { idsOf } from './ids.js';
import type { PlannedBinding } from './plan.js';
import type { PipelineStore } from './ports.js';

/** What the parser yielded at one position: a record that was staged, or a refusal. */
export type ReadItem =
  { readonly ok: true; readonly record: StagedRecord } | { readonly ok: false; readonly position: number; readonly refusal: Refusal };

/** A fault of the whole file, from its reader. Whatever else is thrown while reading is a fault of the machine. */
export class FileFault extends Error {
  constructor(readonly fault: CodedError) {
    super(fault.message);
  }
}

export interface Reading {
  readonly digest: string;
  /** Lower-case base name. */
  readonly name: string;
  readonly assembly: string | null;
  /** Milliseconds since 1970; the present as far as the file is concerned, so that reading it again gives the same. */
  readonly arrivedAt: number;
}

/**
 * Parses and stages a stored file. Same bytes, same arrival, same items. A record that its stage refuses or breaks on becomes a refusal.
 * Throws FileFault.
 */
export async function* readFile(
  objects: PipelineStore['objects'],
  { binding }: PlannedBinding,
  reading: Reading,
): AsyncGenerator<ReadItem, void, undefined> {
  const machine: { fault?: Error } = {};
  const options = { name: reading.name, now: reading.arrivedAt, ...(reading.assembly === null ? {} : { assembly: reading.assembly }) };
  const memo = new Map<string, unknown>();
  let position = 0;
  try {
    for await (const parsed of binding.format.parse(bytesOf(objects, reading.digest, machine), options)) {
      const at = position++;
      const { ordinal, place } = parsed;
      if (!parsed.ok) {
        const { code, reason, bytes = null } = parsed;
        yield { ok: false, position: at, refusal: { ordinal, place, code, reason, asset: null, bytes } };
        continue;
      }
      const context: StageContext = {
        digest: reading.digest,
        name: reading.name,
        assembly: reading.assembly ?? undefined,
        ordinal,
        now: reading.arrivedAt,
        newId: idsOf(reading.digest, ordinal, reading.arrivedAt),
        memo,
      };
      let item: ReadItem;
      try {
        item = { ok: true, record: { position: at, ordinal, place, staged: [...binding.stage(parsed.value, context)] } };
      } catch (error) {
        item = { ok: false, position: at, refusal: refusalOf(error, ordinal, place) };
      }
      yield item;
    }
  } catch (error) {
    if (machine.fault !== undefined) throw machine.fault;
    throw new FileFault(
      isCoded(error)
        ? error
        : new CodedError('INTERNAL', `The reader of ${binding.format.name} failed.`, { detail: String(error), cause: error }),
    );
  }
}

function refusalOf(error: unknown, ordinal: number, place: Place): Refusal {
  if (isCoded(error)) {
    const where = error.place === undefined || error.place === place ? place : `${place} ${error.place}`;
    return { ordinal, place: where, code: error.code, reason: error.message, asset: null, bytes: null };
  }
  return { ordinal, place, code: 'INTERNAL', reason: 'The record could not be turned into rows.', asset: null, bytes: null };
}

/** Faults of the disk are told apart from faults of the data. */
async function* bytesOf(objects: PipelineStore['objects'], digest: string, machine: { fault?: Error }): AsyncGenerator<Uint8Array> {
  const raw = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* objects.open(digest);
    } catch (error) {
      machine.fault = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  };
  let head: Uint8Array = Buffer.alloc(0);
  for await (const part of objects.open(digest, { from: 0, to: 18 })) head = Buffer.concat([head, part]);
  yield* isGzip(head) && !isBlockedGzip(head) ? gunzip(raw()) : raw();
}
