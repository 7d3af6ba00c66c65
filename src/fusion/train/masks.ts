import type { Random } from './random.js';

/** Which modalities of a model are present, as bits in the order of the model's modalities. */
export type Mask = number;

/** Modalities up to which every subset is evaluated (spec/fusion.md F25). */
export const ALL_SUBSETS_MAX = 6;
/** Modalities that one model may fuse. */
export const MODALITIES_MAX = 16;

export function sizeOf(mask: Mask): number {
  let size = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) size += 1;
  return size;
}

export function namesOf(mask: Mask, modalities: readonly string[]): string[] {
  return modalities.filter((_, m) => (mask >> m) & 1);
}

/** The masks to evaluate: all non-empty subsets up to 6 modalities; above that all singles, pairs, leave-one-outs and the full set. */
export function evaluatedMasks(modalities: number): Mask[] {
  const full = 2 ** modalities - 1;
  const masks: Mask[] = [];
  for (let mask = 1; mask <= full; mask += 1) {
    const size = sizeOf(mask);
    if (modalities <= ALL_SUBSETS_MAX || size <= 2 || size >= modalities - 1) masks.push(mask);
  }
  return masks;
}

/**
 * Denial-style dropout (F6): each present modality is dropped with probability `rate`, independent of label and values.
 * One present modality, picked at random, stays when all would go.
 */
export function dropModalities(mask: Mask, rate: number, random: Random): Mask {
  const present: number[] = [];
  for (let m = 0; mask >> m !== 0; m += 1) if ((mask >> m) & 1) present.push(m);
  let kept = 0;
  for (const m of present) if (random.next() >= rate) kept |= 1 << m;
  const rescued = present[random.below(present.length)];
  return kept === 0 && rescued !== undefined ? 1 << rescued : kept;
}
