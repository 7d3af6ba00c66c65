import { CodedError } from '../kernel/error.js';
import type { AssetDeclaration, ErrorCode, Place, Staged } from '../kernel/index.js';
import type { Row } from './ports.js';

/** A record as its format staged it. `position` counts what the parser yielded, `ordinal` is the id of the record in its file. */
export interface StagedRecord {
  readonly position: number;
  readonly ordinal: number;
  readonly place: Place;
  readonly staged: readonly Staged[];
}

/** A record, or a part of one, that goes to quarantine. */
export interface Refusal {
  readonly ordinal: number;
  readonly place: Place;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly asset: string | null;
  readonly bytes: Uint8Array | null;
}

export interface Tally {
  passed: number;
  failed: number;
}

export interface Screened {
  readonly kept: readonly StagedRecord[];
  readonly refusals: readonly Refusal[];
  /** Rows left out by 'drop'. */
  readonly dropped: number;
  /** By 'asset.expectation'. */
  readonly tallies: ReadonlyMap<string, Tally>;
}

const FAILING_NAMED_MAX = 20;

/** Stops the load: none of the batch is committed and the file may be loaded again. */
export class ExpectationStop extends CodedError {}

/**
 * Asks the expectations of each row (spec pipelines section 4). 'quarantine' refuses the whole record, so that no child is left without
 * its parent; 'drop' leaves out the row. Throws ExpectationStop with the first failing record ids where one says 'fail'.
 */
export function screen(records: readonly StagedRecord[], assets: ReadonlyMap<string, AssetDeclaration>): Screened {
  const kept: StagedRecord[] = [];
  const refusals: Refusal[] = [];
  const tallies = new Map<string, Tally>();
  const stopping = new Map<string, number[]>();
  let dropped = 0;
  for (const record of records) {
    let refusal: Refusal | undefined;
    const staged = record.staged.filter((one) => {
      if (one.kind === 'link') return true;
      const asset = assets.get(one.asset);
      if (asset === undefined) throw new CodedError('CONFIG_INVALID', `A record was staged for ${one.asset}, which no pipeline declares.`);
      let stays = true;
      for (const expectation of asset.expectations) {
        const name = `${asset.table}.${expectation.name}`;
        let tally = tallies.get(name);
        if (tally === undefined) tallies.set(name, (tally = { passed: 0, failed: 0 }));
        if (holds(expectation.holds, one.row)) {
          tally.passed += 1;
          continue;
        }
        tally.failed += 1;
        if (expectation.action === 'drop') stays = false;
        if (expectation.action === 'fail') stopping.set(name, [...(stopping.get(name) ?? []), record.ordinal]);
        if (expectation.action === 'quarantine') refusal ??= refusalOf(record, asset.table, expectation.name);
      }
      if (!stays) dropped += 1;
      return stays;
    });
    if (refusal !== undefined) refusals.push(refusal);
    else kept.push(staged.length === record.staged.length ? record : { ...record, staged });
  }
  for (const [name, ordinals] of stopping) {
    const first = ordinals.slice(0, FAILING_NAMED_MAX).join(', ');
    throw new ExpectationStop('EXPECTATION_FAILED', `The expectation ${name} stops the load; first failing records: ${first}.`, {
      place: name,
    });
  }
  return { kept, refusals, dropped, tallies };
}

function holds(predicate: (row: Row) => boolean, row: Row): boolean {
  try {
    const answer: unknown = predicate(row);
    return answer === true;
  } catch {
    return false;
  }
}

function refusalOf(record: StagedRecord, asset: string, name: string): Refusal {
  const reason = `The record breaks the expectation ${name}.`;
  return { ordinal: record.ordinal, place: record.place, code: 'EXPECTATION_FAILED', reason, asset, bytes: null };
}
