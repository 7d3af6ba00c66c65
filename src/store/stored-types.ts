import { types } from 'pg';

/** Object ids of built-in types (pg_type.dat); they never change. */
const BIGINT = 20;
const DATE = 1082;
const TIMESTAMPTZ = 1184;
const UTC = /^(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/;

/**
 * Values as pipelines read them back: bigint as number, date as text, timestamptz as ISO text in UTC (the session must be in UTC),
 * bytea as Buffer, json parsed. Infinite instants keep their words.
 */
export const storedTypes = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
    if (oid === BIGINT) return Number;
    if (oid === DATE) return String;
    if (oid === TIMESTAMPTZ) return isoOf;
    return (types.getTypeParser as (oid: number, format: string) => (text: string) => unknown)(oid, format ?? 'text');
  },
};

/** As JavaScript writes an instant, with more digits only where there are more. */
function isoOf(text: string): string {
  const found = UTC.exec(text);
  if (found === null) return text;
  const [, day = '', time = '', fraction = ''] = found;
  return `${day}T${time}.${fraction.padEnd(3, '0')}Z`;
}
