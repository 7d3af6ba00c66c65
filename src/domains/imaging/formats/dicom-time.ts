const DATE = /^(\d{4})\.?(\d{2})\.?(\d{2})$/;
const TIME = /^(\d{2}):?(?:(\d{2}):?(?:(\d{2})(?:\.(\d{1,6}))?)?)?$/;
const OFFSET = /^([+-])(\d{2})(\d{2})$/;

/**
 * A DA, a TM and the offset of (0008,0201) as one ISO instant, or null when the date is absent or impossible
 * (PS3.5 section 6.2). Adds TIME_ZONE_ASSUMED when no offset is given and 'Z' stands in, STUDY_TIME_MISSING when the day's
 * start stands in for an absent or impossible time, STUDY_DATE_INVALID for a date that is none.
 */
export function instantOf(date: string | null, time: string | null, offset: string | null, warnings: Set<string>): string | null {
  if (date === null) return null;
  const day = DATE.exec(date);
  if (day === null || !isDay(Number(day[1]), Number(day[2]), Number(day[3]))) {
    warnings.add('STUDY_DATE_INVALID');
    return null;
  }
  return `${day[1] ?? ''}-${day[2] ?? ''}-${day[3] ?? ''}T${clockOf(time, warnings)}${zoneOf(offset, warnings)}`;
}

function clockOf(time: string | null, warnings: Set<string>): string {
  const [, hour = '00', minute = '00', second = '00', fraction = ''] = TIME.exec(time ?? '') ?? [];
  if (time === null || !TIME.test(time) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
    warnings.add('STUDY_TIME_MISSING');
    return '00:00:00.000';
  }
  // TM allows a leap second; ISO readers do not.
  const whole = second === '60' ? '59' : second;
  return `${hour}:${minute}:${whole}.${fraction.padEnd(3, '0').slice(0, 3)}`;
}

function zoneOf(offset: string | null, warnings: Set<string>): string {
  const [, sign, hours, minutes] = OFFSET.exec(offset ?? '') ?? [];
  if (sign === undefined || hours === undefined || minutes === undefined || Number(hours) > 14 || Number(minutes) > 59) {
    warnings.add('TIME_ZONE_ASSUMED');
    return 'Z';
  }
  return `${sign}${hours}:${minutes}`;
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
