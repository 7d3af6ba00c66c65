/** A set of persons as ascending ordinals in varint deltas (LEB128). */
export function encodeOrdinals(ordinals: readonly number[]): Buffer {
  const bytes: number[] = [];
  let last = 0;
  for (const ordinal of [...new Set(ordinals)].sort((a, b) => a - b)) {
    let delta = ordinal - last;
    last = ordinal;
    while (delta > 0x7f) {
      bytes.push((delta & 0x7f) | 0x80);
      delta = Math.floor(delta / 128);
    }
    bytes.push(delta);
  }
  return Buffer.from(bytes);
}

export function decodeOrdinals(bytes: Uint8Array): number[] {
  const ordinals: number[] = [];
  let value = 0;
  let shift = 1;
  let last = 0;
  for (const byte of bytes) {
    value += (byte & 0x7f) * shift;
    if (byte & 0x80) {
      shift *= 128;
      continue;
    }
    last += value;
    ordinals.push(last);
    value = 0;
    shift = 1;
  }
  return ordinals;
}
