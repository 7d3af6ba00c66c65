import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeBundle, encodeBundle } from '../../src/evidence/index.js';
import type { Draw } from '../fuzz/random.js';

export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** Puts the files back as they were. */
  undo(): void;
}

const filesBelow = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((each) => {
    const file = path.join(dir, each.name);
    return each.isDirectory() ? filesBelow(file) : [file];
  });

type Change = (bytes: Buffer, random: Draw) => Buffer;

const spliced = (bytes: Buffer, at: number, remove: number, ...insert: number[]): Buffer =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + remove)]);

/** Changes of the bytes of one file. */
const CHANGES: Readonly<Record<string, Change>> = {
  'bit flipped': (bytes, random) => {
    const at = random.int(0, bytes.length - 1);
    return spliced(bytes, at, 1, bytes[at]! ^ (1 << random.int(0, 7)));
  },
  'bytes deleted': (bytes, random) => spliced(bytes, random.int(0, bytes.length - 1), random.int(1, 40)),
  'bytes inserted': (bytes, random) => {
    const made = Array.from({ length: random.int(1, 40) }, () => random.int(0, 255));
    return spliced(bytes, random.int(0, bytes.length), 0, ...made);
  },
  'bytes repeated': (bytes, random) => {
    const at = random.int(0, bytes.length - 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 32), bytes.subarray(at)]);
  },
  truncated: (bytes, random) => bytes.subarray(0, random.int(0, bytes.length - 1)),
  zeroed: (bytes, random) => {
    const at = random.int(0, bytes.length - 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)]);
  },
};

/** Two records of one bundle change places. */
const swapRecords: Change = (bytes, random) => {
  const entries = decodeBundle(bytes) ?? [];
  if (entries.length < 2) return bytes;
  const [a, b] = [random.int(0, entries.length - 1), random.int(0, entries.length - 1)];
  return encodeBundle(entries.with(a, entries[b]!).with(b, entries[a]!));
};

/** A digit or letter of a head becomes another. */
const editHead: Change = (bytes, random) => {
  const at = random.int(0, bytes.length - 1);
  return spliced(bytes, at, 1, random.pick([...Buffer.from('0123456789ABCDEFabcdef+/=\n')]));
};

/**
 * Whether `after` is a list of some of the heads of `before`. A shorter list says less and contradicts nothing: that heads were taken away is seen only by
 * who kept them elsewhere, and what counts of them is given to the verifier from there.
 */
function fewerHeads(before: Buffer, after: Buffer): boolean {
  const notes = (text: string): string[] => (text === '' ? [] : text.split(/(?<=[A-Za-z0-9+/=]\n)\n(?=audit)/));
  const known = new Set(notes(before.toString('utf8')));
  return notes(after.toString('utf8')).every((each) => known.has(each));
}

/** Changes something in the directory, at random, so that its content is another. */
export function mutate(dir: string, random: Draw): Mutation {
  for (;;) {
    const files = filesBelow(dir);
    // Bundles are the most bytes; heads and tiles get their share all the same.
    const kind = random.pick(['entries', 'tile', 'head']);
    const of = (file: string): string => (file.includes('/tile/entries/') ? 'entries' : file.includes('/tile/') ? 'tile' : 'head');
    const candidates = files.filter((file) => of(file) === kind);
    const file = random.pick(candidates);
    const before = readFileSync(file);
    const undo = (): void => {
      writeFileSync(file, before);
    };
    if (random.chance(0.05)) {
      rmSync(file);
      return { what: 'file deleted', file, undo };
    }
    if (random.chance(0.05)) {
      const added = `${file}${random.pick(['.bak', '0', '.tmp'])}`;
      writeFileSync(added, before);
      return {
        what: 'file added',
        file: added,
        undo: () => {
          rmSync(added);
        },
      };
    }
    if (random.chance(0.1) && kind !== 'head') {
      const other = random.pick(candidates);
      const there = readFileSync(other);
      if (there.equals(before)) continue;
      writeFileSync(file, there);
      writeFileSync(other, before);
      return {
        what: 'files swapped',
        file,
        undo: () => {
          writeFileSync(file, before);
          writeFileSync(other, there);
        },
      };
    }
    if (before.length === 0) continue;
    const special = kind === 'entries' ? { 'records swapped': swapRecords } : kind === 'head' ? { 'head edited': editHead } : {};
    const [what, change] = random.pick(Object.entries({ ...CHANGES, ...special }));
    const after = change(before, random);
    if (after.equals(before) || (file.endsWith('/checkpoints') && fewerHeads(before, after))) continue;
    writeFileSync(file, after);
    return { what, file, undo };
  }
}
