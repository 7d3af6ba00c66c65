/**
 * A set of requests for rows: all whose purpose, category, level, labels, recipient, clinical time and references lie inside every bound.
 * `purposes`, `categories`, `levels` and `labels` are bits; `labels` are those that a row may carry, `any` those of which it must carry
 * one (0 asks for none). null bounds nothing; a row must carry one of `refs` and none of `not`. Times are ms since 1970, half open.
 */
export interface Box {
  readonly purposes: number;
  readonly categories: number;
  readonly levels: number;
  readonly labels: number;
  readonly any: number;
  readonly recipients: readonly string[] | null;
  readonly from: number;
  readonly to: number;
  readonly refs: readonly string[] | null;
  readonly not: readonly string[];
}

/** A union of boxes. */
export type Region = readonly Box[];

/** Bounds the work on one region; more than this is not understood. */
const BOXES_MAX = 256;

/** A consent that is too involved to be compiled; it counts as a denial. */
export class TooInvolved extends Error {}

function bounded(region: Region): Region {
  if (region.length > BOXES_MAX) throw new TooInvolved();
  return region;
}

export const union = (left: Region, right: Region): Region => bounded([...left, ...right]);
export const intersect = (left: Region, right: Region): Region =>
  bounded(left.flatMap((one) => right.map((other) => common(one, other)).filter((box) => box !== null)));

/**
 * What both hold, or less: where two lists of recipients, references or labels both ask for "one of these", only what is in both lists
 * is kept. A region of permissions may come out too small, never too large.
 */
export function common(left: Box, right: Box): Box | null {
  return whole({
    purposes: left.purposes & right.purposes,
    categories: left.categories & right.categories,
    levels: left.levels & right.levels,
    labels: left.labels & right.labels,
    ...anyOf(left, right.any),
    recipients: inBoth(left.recipients, right.recipients),
    from: Math.max(left.from, right.from),
    to: Math.min(left.to, right.to),
    refs: inBoth(left.refs, right.refs),
    not: [...new Set([...left.not, ...right.not])],
  });
}

/** Asks for one of `bits` besides what is asked already; -1 where that cannot be. */
function anyOf(box: Box, bits: number): { any: number } {
  if (bits === 0) return { any: box.any };
  if (box.any === 0) return { any: bits };
  return { any: box.any & bits || -1 };
}

function inBoth(left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null {
  if (left === null || right === null) return left ?? right;
  return left.filter((one) => right.includes(one));
}

/** The box in its plainest form; null where nothing lies in it. */
function whole(box: Box): Box | null {
  const any = box.any === 0 ? 0 : box.any & box.labels;
  const refs = box.refs?.filter((ref) => !box.not.includes(ref)) ?? null;
  if (box.purposes === 0 || box.categories === 0 || box.levels === 0 || box.any < 0 || (box.any > 0 && any === 0)) return null;
  if (box.from >= box.to || box.recipients?.length === 0 || refs?.length === 0) return null;
  return { ...box, any, refs };
}

export function subtract(region: Region, denied: Box): Region {
  return bounded(region.flatMap((box) => without(box, denied)));
}

/**
 * What of a box lies outside `denied`, or less: a denial to some recipients is one to all, since whoever names no identity would escape
 * it, and one of a data period takes rows without a time.
 */
function without(box: Box, denied: Box): Box[] {
  const pieces: (Box | null)[] = [];
  let rest = box;
  for (const key of ['purposes', 'categories', 'levels'] as const) {
    pieces.push(whole({ ...rest, [key]: rest[key] & ~denied[key] }));
    rest = { ...rest, [key]: rest[key] & denied[key] };
    if (rest[key] === 0) return [box];
  }
  const elsewhere = rest.labels & ~denied.labels;
  if (elsewhere !== 0) pieces.push(whole({ ...rest, ...anyOf(rest, elsewhere) }));
  if (denied.any !== 0) {
    const any = rest.any === 0 ? 0 : rest.any & ~denied.any || -1;
    pieces.push(whole({ ...rest, labels: rest.labels & ~denied.any, any }));
  }
  pieces.push(whole({ ...rest, to: Math.min(rest.to, denied.from) }), whole({ ...rest, from: Math.max(rest.from, denied.to) }));
  if (denied.refs !== null) pieces.push(whole({ ...rest, not: [...new Set([...rest.not, ...denied.refs])] }));
  if (denied.not.length > 0) pieces.push(whole({ ...rest, refs: inBoth(rest.refs, denied.not) }));
  return pieces.filter((piece) => piece !== null);
}

/** The same region of fewer boxes: those inside others are left out, those that differ in one set of bits are joined. */
export function simplified(region: Region): Region {
  const found = [...region];
  for (let at = 0; at < found.length;) {
    const other = found.findIndex((box, place) => place !== at && join(found[at] as Box, box) !== null);
    if (other < 0) {
      at++;
      continue;
    }
    const [first, second] = [Math.min(at, other), Math.max(at, other)];
    found[first] = join(found[at] as Box, found[other] as Box) as Box;
    found.splice(second, 1);
    at = first;
  }
  return found;
}

function join(left: Box, right: Box): Box | null {
  if (holds(left, right)) return left;
  if (!sameBounds(left, right)) return null;
  const differing = (['purposes', 'categories', 'levels'] as const).filter((key) => left[key] !== right[key]);
  const [key] = differing;
  return differing.length === 1 && key !== undefined ? { ...left, [key]: left[key] | right[key] } : null;
}

const covers = (wide: number, narrow: number): boolean => (narrow & ~wide) === 0;
const among = (some: readonly string[], all: readonly string[]): boolean => some.every((one) => all.includes(one));
const sameList = (left: readonly string[] | null, right: readonly string[] | null): boolean =>
  left === null || right === null ? left === right : among(left, right) && among(right, left);

function sameBounds(left: Box, right: Box): boolean {
  const numbers = left.labels === right.labels && left.any === right.any && left.from === right.from && left.to === right.to;
  return numbers && sameList(left.recipients, right.recipients) && sameList(left.refs, right.refs) && sameList(left.not, right.not);
}

/** Whether all of `inner` lies in `outer`; false where that is not plain. */
function holds(outer: Box, inner: Box): boolean {
  const bits = (['purposes', 'categories', 'levels', 'labels'] as const).every((key) => covers(outer[key], inner[key]));
  if (!bits || (outer.any !== 0 && (inner.any === 0 || !covers(outer.any, inner.any)))) return false;
  if (outer.from > inner.from || outer.to < inner.to || !among(outer.not, inner.not)) return false;
  const list = (wide: readonly string[] | null, narrow: readonly string[] | null): boolean =>
    wide === null || (narrow !== null && among(narrow, wide));
  return list(outer.recipients, inner.recipients) && list(outer.refs, inner.refs);
}
