/** The instants that a FHIR date or dateTime may mean: from `from` (inclusive) to `until` (exclusive), ms since 1970. */
export interface DateInterval {
  readonly from: number;
  readonly until: number;
}

const SHAPE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?)?)?$/;

/**
 * Reads a FHIR R4 date, dateTime or instant of any precision (`2019`, `2019-05`, `2019-05-04`, with time and zone).
 * Dates without a zone are taken in UTC. Null when it is not one, or names a day that no calendar has.
 */
export function dateInterval(text: string): DateInterval | null {
  const parts = SHAPE.exec(text);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const y = Number(year);
  const m = month === undefined ? 0 : Number(month) - 1;
  const d = day === undefined ? 1 : Number(day);
  if (y === 0 || m < 0 || m > 11 || d < 1 || d > daysIn(y, m)) return null;
  if (month === undefined) return { from: utc(y, 0, 1), until: utc(y + 1, 0, 1) };
  if (day === undefined) return { from: utc(y, m, 1), until: utc(y, m + 1, 1) };
  const midnight = utc(y, m, d);
  if (hour === undefined) return { from: midnight, until: utc(y, m, d + 1) };
  const offset = zoneMs(zone ?? 'Z');
  if (offset === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const ms = fraction === undefined ? 0 : Math.floor(Number(fraction) * 1000);
  const from = midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + ms - offset;
  return { from, until: from + (fraction === undefined ? 1000 : 1) };
}

function zoneMs(zone: string): number | null {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function daysIn(year: number, month: number): number {
  return new Date(utc(year, month + 1, 0)).getUTCDate();
}

/** Date.UTC reads the years 0 to 99 as 1900 to 1999. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}
