/** An instant with the offset it was stated in; both stay, because a local day is cut by the second. */
export interface Instant {
  /** Milliseconds since 1970 UTC. */
  readonly t: number;
  /** Minutes east of UTC as written. */
  readonly offsetMinutes: number;
}

const ZERO = 48;
const OFFSET_MINUTES_MAX = 14 * 60;

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Offset in minutes of `Z`, `+hh:mm` or `+hhmm` (one space before it is allowed), or null. */
function offsetAt(text: string, start: number): number | null {
  const at = text[start] === ' ' ? start + 1 : start;
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return at + 1 === text.length ? 0 : null;
  if (sign !== '+' && sign !== '-') return null;
  const hours = digits(text, at + 1, 2);
  const colon = text[at + 3] === ':' ? 1 : 0;
  const minutes = digits(text, at + 3 + colon, 2);
  if (hours < 0 || minutes < 0 || minutes > 59 || text.length !== at + 5 + colon) return null;
  const total = hours * 60 + minutes;
  if (total > OFFSET_MINUTES_MAX) return null;
  return sign === '-' ? -total : total;
}

/** Milliseconds of a fraction and the index after it; digits beyond the millisecond are cut. */
function fractionAt(text: string, at: number): { millis: number; next: number } | null {
  let next = at + 1;
  let millis = 0;
  let weight = 100;
  for (; next < text.length; next += 1) {
    const digit = text.charCodeAt(next) - ZERO;
    if (digit < 0 || digit > 9) break;
    if (weight >= 1) millis += digit * weight;
    weight /= 10;
  }
  return next === at + 1 ? null : { millis: Math.floor(millis), next };
}

/**
 * Reads RFC 3339 (`2020-02-05T09:25:00.5-08:00`, seconds optional) and the Apple stamp (`2024-01-01 01:01:42 +0200`).
 * Null for anything else: a local time without a zone is not an instant (TIME_INVALID for the caller).
 */
export function parseInstant(text: string): Instant | null {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return null;
  const separator = text[10];
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':') return null;
  if (separator !== 'T' && separator !== 't' && separator !== ' ') return null;
  let at = 16;
  let millis = 0;
  if (text[at] === ':') {
    const seconds = digits(text, 17, 2);
    // 60 is a leap second, which POSIX time folds into the next minute.
    if (seconds < 0 || seconds > 60) return null;
    millis = seconds * 1000;
    at = 19;
    if (text[at] === '.') {
      const fraction = fractionAt(text, at);
      if (fraction === null) return null;
      millis += fraction.millis;
      at = fraction.next;
    }
  }
  const offsetMinutes = offsetAt(text, at);
  if (offsetMinutes === null) return null;
  const midnight = Date.UTC(year, month - 1, day);
  // Date.UTC rolls 31 April over; a stamp that does not exist is refused instead. Years below 100 are moved by it too.
  if (year < 100 || new Date(midnight).getUTCDate() !== day) return null;
  return { t: midnight + (hour * 60 + minute - offsetMinutes) * 60_000 + millis, offsetMinutes };
}
