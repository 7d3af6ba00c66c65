import type { PixelPlace, Scan } from './dicom-elements.js';
import type { Values } from './dicom-values.js';

/** First-order statistics over all voxels, named as the Image Biomarker Standardisation Initiative names them (section 3.3). */
export interface PixelStatistics {
  readonly mean: number;
  /** Square root of the intensity variance, 1/N. */
  readonly sd: number;
  /** Percentiles by nearest rank. */
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly min: number;
  readonly max: number;
}

/** The image pixel description (PS3.3 section C.7.6.3). Absent numbers are null. */
export interface PixelShape {
  readonly rows: number | null;
  readonly columns: number | null;
  readonly frames: number;
  readonly samples: number;
  readonly bitsAllocated: number | null;
  readonly photometric: string | null;
}

export function shapeOf(values: Values): PixelShape {
  return {
    rows: values.number('x00280010'),
    columns: values.number('x00280011'),
    frames: values.number('x00280008') ?? 1,
    samples: values.number('x00280002') ?? 1,
    bitsAllocated: values.number('x00280100'),
    photometric: values.text('x00280004'),
  };
}

/** Video streams hold all frames in one fragment or few (PS3.5 section A.4.5 and following). */
const VIDEO = /^1\.2\.840\.10008\.1\.2\.4\.10\d/;
/** Pixel data may lie elsewhere: (0028,7FE0) Pixel Data Provider URL. */
const PROVIDER_URL = 'x00287fe0';

/** True when the object has fewer pixel data than it says, or was cut. */
export function isIncomplete(scan: Scan, shape: PixelShape, values: Values, transferSyntax: string, native: boolean): boolean {
  const { pixel } = scan;
  if (scan.cut) return true;
  if (pixel === null) return isImage(shape, values) && !values.has(PROVIDER_URL);
  if (pixel.fragments !== null) return !VIDEO.test(transferSyntax) && pixel.fragments < shape.frames;
  // Compressed data of a stated length break PS3.5 section A.4; how much is missing cannot be told.
  if (!native) return pixel.length === 0;
  const expected = expectedBytes(pixel, shape);
  return expected === null || pixel.length < expected;
}

/** Storage classes that are nothing without pixels: CR, CT, US, MR, SC, XA, PET, visible light and their kin; not MR spectroscopy. */
const IMAGE_CLASSES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:1|2|3|4|6|7|12|13|14|20|77\.1|128)(?:\.|$)/;
const MR_SPECTROSCOPY = '1.2.840.10008.5.1.4.1.1.4.2';

/** An object that was cut between two elements is well-formed; its class and image description tell that pixels lack. */
function isImage(shape: PixelShape, values: Values): boolean {
  if (shape.rows !== null || shape.columns !== null || shape.photometric !== null) return true;
  const sopClass = values.text('x00080016') ?? '';
  return sopClass !== MR_SPECTROSCOPY && IMAGE_CLASSES.test(sopClass);
}

function expectedBytes(pixel: PixelPlace, shape: PixelShape): number | null {
  const { rows, columns, frames, samples, bitsAllocated, photometric } = shape;
  if (rows === null || columns === null || bitsAllocated === null) return null;
  // 4:2:2 keeps two chrominance samples for each two pixels.
  const perPixel = photometric === 'YBR_FULL_422' || photometric === 'YBR_PARTIAL_422' ? 2 : samples;
  return Math.ceil((rows * columns * perPixel * bitsAllocated * frames) / 8);
}

const INTENSITIES: ReadonlySet<string> = new Set(['MONOCHROME1', 'MONOCHROME2', 'RGB']);

/**
 * Statistics of complete native 8 and 16 bit intensities after rescale, or null: compressed, absent, colour indices and
 * YBR hold no intensities. Rescale per frame or by lookup table also gives null, with RESCALE_PER_FRAME or MODALITY_LUT.
 */
export function statisticsOf(scan: Scan, shape: PixelShape, values: Values, warnings: Set<string>): PixelStatistics | null {
  const { pixel } = scan;
  const bits = shape.bitsAllocated;
  if (pixel?.tag !== 'x7fe00010' || pixel.fragments !== null || (bits !== 8 && bits !== 16)) return null;
  if (!INTENSITIES.has(shape.photometric ?? '')) return null;
  const expected = expectedBytes(pixel, shape);
  if (expected === null || expected === 0) return null;
  if (values.has('x00283000')) return refuse(warnings, 'MODALITY_LUT');
  if (!values.has('x00281053') && (values.has('x52009229') || values.has('x52009230'))) return refuse(warnings, 'RESCALE_PER_FRAME');

  const stored = Math.min(values.number('x00280101') ?? bits, bits);
  const high = values.number('x00280102') ?? stored - 1;
  const shift = Math.max(0, high + 1 - stored);
  const bytes = scan.bytes.subarray(pixel.offset, pixel.offset + expected);
  const histogram = bits === 8 ? histogram8(bytes) : histogram16(bytes, scan.encoding.littleEndian);
  const signed = values.number('x00280103') === 1;
  const slope = values.number('x00281053') ?? 1;
  return summarise(histogram, { shift, stored, signed }, slope, values.number('x00281052') ?? 0);
}

function refuse(warnings: Set<string>, code: string): null {
  warnings.add(code);
  return null;
}

function histogram8(bytes: Buffer): Uint32Array {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  return counts;
}

function histogram16(bytes: Buffer, littleEndian: boolean): Uint32Array {
  const counts = new Uint32Array(65_536);
  const low = littleEndian ? 0 : 1;
  const high = 1 - low;
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const cell = (bytes[at + low] as number) | ((bytes[at + high] as number) << 8);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

interface Cells {
  readonly shift: number;
  readonly stored: number;
  readonly signed: boolean;
}

/** Bits beyond the stored ones may hold overlays; they are no part of the value (PS3.5 section 8.1.1). */
function valueOf(cell: number, { shift, stored, signed }: Cells): number {
  const value = (cell >>> shift) & (2 ** stored - 1);
  return signed && value >= 2 ** (stored - 1) ? value - 2 ** stored : value;
}

function summarise(histogram: Uint32Array, cells: Cells, slope: number, intercept: number): PixelStatistics {
  const counts = new Float64Array(2 ** cells.stored);
  const lowest = cells.signed ? -(2 ** (cells.stored - 1)) : 0;
  let total = 0;
  let sum = 0;
  histogram.forEach((count, cell) => {
    if (count === 0) return;
    const value = valueOf(cell, cells);
    counts[value - lowest] = (counts[value - lowest] as number) + count;
    total += count;
    sum += count * value;
  });
  const mean = sum / total;
  let squares = 0;
  counts.forEach((count, index) => {
    if (count > 0) squares += count * (index + lowest - mean) ** 2;
  });
  const rescale = (value: number): number => value * slope + intercept;
  const at = (share: number): number => rescale(rankOf(counts, Math.ceil((slope < 0 ? 1 - share : share) * total)) + lowest);
  const ends = [at(0), at(1)].sort((a, b) => a - b);
  return {
    mean: rescale(mean),
    sd: Math.sqrt(squares / total) * Math.abs(slope),
    p10: at(0.1),
    p50: at(0.5),
    p90: at(0.9),
    min: ends[0] as number,
    max: ends[1] as number,
  };
}

/** The index of the value that holds the given rank, counted from 1. */
function rankOf(counts: Float64Array, rank: number): number {
  const wanted = Math.max(1, rank);
  let seen = 0;
  for (let index = 0; index < counts.length; index += 1) {
    seen += counts[index] as number;
    if (seen >= wanted) return index;
  }
  return counts.length - 1;
}
