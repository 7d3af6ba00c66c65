// Bound once: a look-up of the global for every draw costs more than the draw where the code runs in a vm context.
const { imul } = Math;

/** Rotates a 32-bit word to the left. */
function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** One step of splitmix32, which spreads a poor seed over the whole state. */
function splitmix(seed: number): number {
  let z = (seed + 0x9e3779b9) | 0;
  z = imul(z ^ (z >>> 16), 0x21f0aaad);
  z = imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/**
 * xoshiro128** (Blackman and Vigna 2018), seeded by splitmix32. Integer arithmetic only, so a seed gives the
 * same stream on every machine (spec/fusion.md F16). `fork` gives a stream of its own per purpose, so adding a
 * draw in one place does not move any other.
 */
export class Random {
  private readonly state: Int32Array;
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed | 0;
    this.state = new Int32Array(4);
    let word = this.seed;
    for (let i = 0; i < 4; i += 1) {
      word = splitmix(word + i);
      this.state[i] = word;
    }
    if (this.state.every((part) => part === 0)) this.state[0] = 1;
  }

  /** A generator that depends on this seed and the label only, not on the draws made so far. */
  fork(label: string): Random {
    let hash = 0x811c9dc5 ^ this.seed;
    for (let i = 0; i < label.length; i += 1) hash = imul(hash ^ label.charCodeAt(i), 0x01000193);
    return new Random(splitmix(hash));
  }

  /** 32 random bits as an integer from 0. */
  bits(): number {
    const s = this.state;
    const second = s[1]!;
    const result = imul(rotate(imul(second, 5), 7), 9) >>> 0;
    const shifted = second << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= second;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotate(s[3]!, 11);
    return result;
  }

  /** Uniform on [0, 1). */
  next(): number {
    return this.bits() / 4294967296;
  }

  /** Uniform integer from 0 to limit - 1. */
  below(limit: number): number {
    return (this.next() * limit) >>> 0;
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Fisher-Yates in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      const held = items[i]!;
      items[i] = items[j]!;
      items[j] = held;
    }
    return items;
  }
}
