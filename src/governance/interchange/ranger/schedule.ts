import { CodedError } from '../../../kernel/index.js';
import type { FieldTest, Recurrence, Schedule } from './model.js';

const TIME = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;
const MINUTE_MS = 60_000;
/** Recurrences with a longer interval are refused, so that looking back has an end. */
const INTERVAL_DAYS_MAX = 366;

const invalid = (what: string): CodedError => new CodedError('POLICY_INVALID', `A validity schedule is refused: ${what}.`);

/** Milliseconds since 1970 of a wall clock time read as if it were UTC. */
function wallTime(text: string): number {
  const parts = TIME.exec(text)?.slice(1).map(Number);
  if (!parts) throw invalid('a time is not written as YYYY/MM/DD HH:MM:SS');
  const [year = 0, month = 0, ...rest] = parts;
  return Date.UTC(year, month - 1, ...(rest as [number, number, number, number]));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let known = formats.get(timeZone);
  if (!known) {
    // Names of three letters stand for several zones at once.
    if (/^[A-Z]{3}$/.test(timeZone) && timeZone !== 'GMT' && timeZone !== 'UTC') throw invalid('the time zone is ambiguous');
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    try {
      known = new Intl.DateTimeFormat('en-u-ca-gregory', { timeZone, hourCycle: 'h23', ...numeric });
    } catch {
      throw invalid('the time zone is unknown');
    }
    formats.set(timeZone, known);
  }
  return known;
}

/** What the clocks of a zone show at a moment, read as if it were UTC. */
function clockOf(at: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

function momentOf(wall: number, timeZone: string): number {
  const guess = wall - (clockOf(wall, timeZone) - wall);
  return guess - (clockOf(guess, timeZone) - wall);
}

/** Reads one schedule; what cannot be understood is refused (POLICY_INVALID), never taken as open. */
export function scheduleOf(json: Readonly<Record<string, unknown>>): Schedule {
  const text = (name: string): string | null => (typeof json[name] === 'string' && json[name].trim() !== '' ? json[name] : null);
  const start = text('startTime');
  const end = text('endTime');
  const timeZone = text('timeZone') ?? 'GMT';
  const rows = (json['recurrences'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  if (start === null && end === null && rows.length === 0) throw invalid('it says nothing');
  formatOf(timeZone);
  const from = start === null ? null : wallTime(start);
  const to = end === null ? null : wallTime(end);
  if (from !== null && to !== null && from >= to) throw invalid('it ends before it starts');
  const years: [number, number] = [
    from === null ? 1970 : new Date(from).getUTCFullYear(),
    to === null ? 9999 : new Date(to).getUTCFullYear(),
  ];
  return { start, end, timeZone, recurrences: rows.map((row) => recurrenceOf(row, years)) };
}

function recurrenceOf(json: Readonly<Record<string, unknown>>, years: [number, number]): Recurrence {
  const schedule = json['schedule'] as Readonly<Record<string, unknown>> | undefined;
  const interval = json['interval'] as Readonly<Record<string, unknown>> | undefined;
  if (!schedule || !interval) throw invalid('a recurrence lacks its schedule or its interval');
  const amount = (name: string, max: number): number => {
    const value = Number(interval[name] ?? 0);
    if (!Number.isInteger(value) || value < 0 || value > max) throw invalid(`the ${name} of an interval are out of range`);
    return value;
  };
  const minutes = amount('days', INTERVAL_DAYS_MAX) * 1440 + amount('hours', 23) * 60 + amount('minutes', 59);
  if (minutes === 0) throw invalid('an interval is empty');
  const field = (name: string, low: number, high: number): FieldTest | null => fieldOf(schedule[name], name, low, high);
  const needed = (name: string, low: number, high: number): FieldTest => {
    const test = field(name, low, high);
    if (test === null) throw invalid(`a recurrence has no ${name}`);
    return test;
  };
  const dayOfMonth = field('dayOfMonth', 1, 31);
  const dayOfWeek = field('dayOfWeek', 1, 7);
  if (dayOfMonth === null && dayOfWeek === null) throw invalid('a recurrence has no day');
  return {
    minute: needed('minute', 0, 59),
    hour: needed('hour', 0, 23),
    dayOfMonth,
    dayOfWeek,
    month: needed('month', 1, 12),
    year: needed('year', ...years),
    minutes,
  };
}

/** `*`, numbers and ranges, separated by commas. */
function fieldOf(value: unknown, name: string, low: number, high: number): FieldTest | null {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) return null;
  if (typeof value !== 'string') throw invalid(`the ${name} is no text`);
  const ranges = value.split(',').map((spec): [number, number] => {
    const ends = spec.split('-').map((each) => each.trim());
    if (ends.length > 2 || !ends.every((each) => each === '*' || /^\d{1,4}$/.test(each))) throw invalid(`the ${name} is not understood`);
    if (ends.includes('*')) return [low, high];
    const [from = low, to = from] = ends.map(Number);
    // A range of years may begin before or end after the schedule itself, not both.
    const outside = name === 'year' && ends.length === 2 ? from < low && to > high : from < low || to > high;
    if (outside || from > to) throw invalid(`the ${name} is out of range`);
    return [from, to];
  });
  return (each) => ranges.some(([from, to]) => from <= each && each <= to);
}

/**
 * True where the schedule is in force at `at` (milliseconds since 1970). Start and end are times of the schedule's zone; recurrences
 * follow the clock of `clockZone`, the zone of the service that decides.
 */
export function inForce(schedule: Schedule, at: number, clockZone: string): boolean {
  const { start, end, timeZone, recurrences } = schedule;
  if (start !== null && at < momentOf(wallTime(start), timeZone)) return false;
  if (end !== null && at > momentOf(wallTime(end), timeZone)) return false;
  return recurrences.length === 0 || recurrences.some((each) => recurs(each, clockOf(at, clockZone)));
}

export const anyInForce = (schedules: readonly Schedule[], at: number, clockZone: string): boolean =>
  schedules.length === 0 || schedules.some((each) => inForce(each, at, clockZone));

/** Looks back day by day for the last start whose interval has not ended. */
function recurs(recurrence: Recurrence, clock: number): boolean {
  const earliest = clock - recurrence.minutes * MINUTE_MS;
  for (let day = startOfDay(clock); day >= startOfDay(earliest); day -= 1440 * MINUTE_MS) {
    if (!onDay(recurrence, new Date(day))) continue;
    const last = lastStart(recurrence, day, clock);
    if (last !== null) return last >= earliest;
  }
  return false;
}

const startOfDay = (time: number): number => Math.floor(time / (1440 * MINUTE_MS)) * 1440 * MINUTE_MS;

function onDay({ dayOfMonth, dayOfWeek, month, year }: Recurrence, day: Date): boolean {
  const matches = dayOfMonth?.(day.getUTCDate()) === true || dayOfWeek?.(day.getUTCDay() + 1) === true;
  return matches && month(day.getUTCMonth() + 1) && year(day.getUTCFullYear());
}

function lastStart({ hour, minute }: Recurrence, day: number, clock: number): number | null {
  for (let h = 23; h >= 0; h -= 1) {
    if (!hour(h)) continue;
    for (let m = 59; m >= 0; m -= 1) {
      const start = day + (h * 60 + m) * MINUTE_MS;
      if (start <= clock && minute(m)) return start;
    }
  }
  return null;
}

/** The moments at which what the schedules say may change, in order. */
export function boundariesOf(schedules: readonly Schedule[]): readonly number[] {
  const edges = schedules.flatMap(({ start, end, timeZone }) => [
    ...(start === null ? [] : [momentOf(wallTime(start), timeZone)]),
    // The last moment still belongs to the schedule.
    ...(end === null ? [] : [momentOf(wallTime(end), timeZone) + 1]),
  ]);
  return [...new Set(edges)].sort((a, b) => a - b);
}
