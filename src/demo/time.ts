export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** 2026-03-01T08:00:00-05:00: the instant `ms` (milliseconds since 1970) on a clock `offsetMinutes` from UTC. */
export function isoZoned(ms: number, offsetMinutes: number): string {
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19);
  return local + zone(offsetMinutes, ':');
}

/** 2026-03-01 */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** 20260301 or, with `seconds`, 20260301080000 on the clock of the site. */
export function compactDate(ms: number, offsetMinutes = 0, seconds = false): string {
  return new Date(ms + offsetMinutes * 60_000)
    .toISOString()
    .replace(/[-:T]/g, '')
    .slice(0, seconds ? 14 : 8);
}

/** -0500, or -05:00 with a separator. */
export function zone(offsetMinutes: number, separator = ''): string {
  const minutes = Math.abs(offsetMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`;
}
