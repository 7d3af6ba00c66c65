import { decodeOrdinals } from '../../kernel/index.js';
import { ByteReader, ByteWriter } from './bytes.js';

/** Ordinals that share one row of the index. */
const GROUP_WIDTH = 256;

/** Which sets of a segment hold each person of one group: for every ordinal, in order, a block of differences of set numbers. */
export interface PostingRow {
  readonly group: number;
  readonly ordinals: readonly number[];
  readonly sets: Buffer;
}

export const groupOf = (ordinal: number): number => Math.floor(ordinal / GROUP_WIDTH);

/** Turns sets of persons (number from 1 -> ordinals) over into persons -> sets. */
export function postingsOf(sets: readonly Buffer[]): PostingRow[] {
  const lists = new Map<number, { writer: ByteWriter; last: number }>();
  sets.forEach((bytes, i) => {
    for (const ordinal of decodeOrdinals(bytes)) {
      let list = lists.get(ordinal);
      if (!list) lists.set(ordinal, (list = { writer: new ByteWriter(64), last: 0 }));
      list.writer.varint(i + 1 - list.last);
      list.last = i + 1;
    }
  });
  const groups = new Map<number, { ordinals: number[]; writer: ByteWriter }>();
  for (const [ordinal, { writer }] of [...lists].sort(([a], [b]) => a - b)) {
    let group = groups.get(groupOf(ordinal));
    if (!group) groups.set(groupOf(ordinal), (group = { ordinals: [], writer: new ByteWriter() }));
    group.ordinals.push(ordinal);
    group.writer.block(writer.bytes);
  }
  return [...groups].map(([group, { ordinals, writer }]) => ({ group, ordinals, sets: writer.bytes }));
}

/** Numbers of the sets that hold one person. */
export function setsWith({ ordinals, sets }: Pick<PostingRow, 'ordinals' | 'sets'>, ordinal: number): number[] {
  const reader = new ByteReader(sets);
  for (const each of ordinals) {
    const block = reader.block();
    if (each === ordinal) return numbersIn(block);
  }
  return [];
}

/** The sets again: index 0 is set number 1. Ordinals ascend. */
export function setsOf(rows: readonly Pick<PostingRow, 'ordinals' | 'sets'>[], count: number): number[][] {
  const found: number[][] = Array.from({ length: count }, () => []);
  for (const { ordinals, sets } of rows) {
    const reader = new ByteReader(sets);
    for (const ordinal of ordinals) for (const number of numbersIn(reader.block())) found[number - 1]?.push(ordinal);
  }
  return found;
}

function numbersIn(block: Buffer): number[] {
  const reader = new ByteReader(block);
  const numbers: number[] = [];
  for (let last = 0; !reader.done;) numbers.push((last += reader.varint()));
  return numbers;
}
