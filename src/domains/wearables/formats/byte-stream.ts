import { CodedError } from '../../../kernel/error.js';

const SEVEN_BITS = 0x80;
const INT32_HALF = 0x4000_0000;

/** Grows as it is written. Varints hold integers up to 2^53 in zigzag form, so a magnitude up to 2^52. */
export class ByteWriter {
  private bytes: Uint8Array;
  private n = 0;

  constructor(expected: number) {
    this.bytes = new Uint8Array(Math.max(expected, 16));
  }

  byte(value: number): void {
    if (this.n === this.bytes.length) this.grow(1);
    this.bytes[this.n] = value;
    this.n += 1;
  }

  zigzag(value: number): void {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    if (rest < INT32_HALF) {
      while (rest >= SEVEN_BITS) {
        this.byte((rest & 0x7f) | SEVEN_BITS);
        rest >>= 7;
      }
    } else {
      while (rest >= SEVEN_BITS) {
        this.byte((rest % SEVEN_BITS) | SEVEN_BITS);
        rest = Math.floor(rest / SEVEN_BITS);
      }
    }
    this.byte(rest);
  }

  raw(bytes: Uint8Array): void {
    this.grow(bytes.length);
    this.bytes.set(bytes, this.n);
    this.n += bytes.length;
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.n);
  }

  private grow(by: number): void {
    if (this.n + by <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.n + by));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Reads what ByteWriter wrote; INTERNAL when the bytes end early or some are left over. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new CodedError('INTERNAL', 'a stored chunk ends early', { place: `byte ${this.at}` });
    this.at += 1;
    return value;
  }

  zigzag(): number {
    let value = 0;
    let weight = 1;
    let byte = this.byte();
    while (byte >= SEVEN_BITS) {
      value += (byte - SEVEN_BITS) * weight;
      weight *= SEVEN_BITS;
      byte = this.byte();
    }
    value += byte * weight;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  raw(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.bytes.length) throw new CodedError('INTERNAL', 'a stored chunk ends early', { place: `byte ${this.at}` });
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  end(): void {
    if (this.at !== this.bytes.length)
      throw new CodedError('INTERNAL', 'a stored chunk holds more than its samples', { place: `byte ${this.at}` });
  }
}
