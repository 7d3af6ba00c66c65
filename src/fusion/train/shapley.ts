import { CodedError } from '../../kernel/error.js';

/** Players beyond which 2^k evaluations are refused (spec/fusion.md F29). */
export const SHAPLEY_PLAYERS_MAX = 8;

/**
 * Exact Shapley values of `players` players. `worth` is called once for each of the 2^k coalitions, given as bits;
 * the values sum to worth(all) - worth(none) up to rounding.
 * @throws CodedError LIMIT_EXCEEDED for more than 8 players.
 */
export function shapley(players: number, worth: (coalition: number) => number): Float64Array {
  if (players > SHAPLEY_PLAYERS_MAX)
    throw new CodedError('LIMIT_EXCEEDED', `Exact contributions are given for up to ${SHAPLEY_PLAYERS_MAX} modalities.`);
  const size = 1 << players;
  const values = Float64Array.from({ length: size }, (_, coalition) => worth(coalition));
  const order = Int32Array.from({ length: size }, (_, coalition) => coalition.toString(2).replaceAll('0', '').length);
  // |S|! (k - |S| - 1)! / k! = 1 / (k * C(k - 1, |S|))
  const share = new Float64Array(players);
  let choose = 1;
  for (let s = 0; s < players; s += 1) {
    share[s] = 1 / (players * choose);
    choose = (choose * (players - 1 - s)) / (s + 1);
  }
  return Float64Array.from({ length: players }, (_, player) => {
    let sum = 0;
    for (let coalition = 0; coalition < size; coalition += 1) {
      if ((coalition >> player) & 1) continue;
      sum += share[order[coalition]!]! * (values[coalition | (1 << player)]! - values[coalition]!);
    }
    return sum;
  });
}
