import type { Pool } from 'pg';

/** What real sources hold now and then and the demo cohort does not: each statement changes a few rows of the loaded cohort. */
const ODD: readonly string[] = [
  // Numbers that JSON has no form for, or that print in more than one.
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '1e300',
    '5e-324',
    '-0',
    '0.30000000000000004',
    '1e21',
    '123456789012345680',
    '1e-7',
    '9007199254740993',
  ].map(
    (value, i) =>
      `update observation set value = '${value}' where (patient_id, observation_id) in (select patient_id, observation_id from observation order by 1, 2 offset ${i * 7} limit 2)`,
  ),
  `update wear_chunk set sm = 'NaN', mn = '-0', mx = 1e22 where (patient_id, metric, device, day) in (select patient_id, metric, device, day from wear_chunk order by 1, 2, 3, 4 limit 40)`,
  `update wear_chunk set n = 0 where (patient_id, metric, device, day) in (select patient_id, metric, device, day from wear_chunk order by 1, 2, 3, 4 offset 60 limit 20)`,
  // As they would be written.
  `update wear_chunk set header_digest = wear_header_digest(patient_id, metric, device, day, id, unit, t0, step_ms, n, enc, mn, mx, sm, sq, offset_minutes, version),
     content_digest = wear_chunk_digest(patient_id, metric, device, day, unit, t0, step_ms, n, enc, vals)`,
  // Texts that need escapes, are short, long or look like something else.
  ...[
    '',
    ' ',
    'ab',
    'abcd',
    'äöü😀',
    'a"b\\\\c',
    'line\\nfeed\\ttab',
    '\\u2028\\u2029',
    'null',
    '"0123456789abcdef0123456789abcdef:0:W10=:"',
  ].map(
    (value, i) =>
      `update patient set mrn = E'${value}', city = E'${value}' where patient_id in (select patient_id from patient order by 1 offset ${i * 5} limit 3)`,
  ),
  ...['03601', '1234', '123456', 'ABCDE', '55401-1234', ''].map(
    (value, i) =>
      `update patient set postal_code = '${value}' where patient_id in (select patient_id from patient order by 1 offset ${i * 8 + 1} limit 4)`,
  ),
  // Days and instants at the edges of the calendar, and parts of a millisecond.
  ...['0099-03-04', '1600-02-29', '9999-12-31'].map(
    (value, i) =>
      `update patient set birth_date = '${value}' where patient_id in (select patient_id from patient order by 1 offset ${i * 9 + 2} limit 4)`,
  ),
  ...['2020-01-01T00:30:00.123456+02', '0001-01-01T00:00:00Z', '2019-12-31T23:59:59.999999Z', '2020-06-30T23:59:59.9996Z'].map(
    (value, i) =>
      `update condition set onset_at = '${value}', recorded_at = null where (patient_id, condition_id) in (select patient_id, condition_id from condition order by 1, 2 offset ${i * 6} limit 3)`,
  ),
  ...['2020-01-01T00:30:00.123456+02', '2019-12-31T23:59:59.999999Z'].map(
    (value, i) =>
      `update imaging_study set started_at = '${value}', started_key = '${value}' where (patient_id, study_uid) in (select patient_id, study_uid from imaging_study order by 1, 2 offset ${i * 5} limit 4)`,
  ),
  `update note set authored_at = null where (patient_id, note_id) in (select patient_id, note_id from note order by 1, 2 limit 10)`,
  // Values that are not there.
  `update patient set family_name = null, birth_date = null, birth_year = null, phone = null where patient_id in (select patient_id from patient order by 1 offset 30 limit 6)`,
  `update imaging_study set modalities = '{}', body_parts = '{}' where (patient_id, study_uid) in (select patient_id, study_uid from imaging_study order by 1, 2 offset 12 limit 3)`,
  `update imaging_instance set file_bytes = 9007199254740993, pixel_mean = 'Infinity' where (patient_id, study_uid, series_uid, sop_uid) in (select patient_id, study_uid, series_uid, sop_uid from imaging_instance order by 1, 2, 3, 4 limit 5)`,
  `update imaging_instance set attributes = '{"b": 1, "a": {"n": 12345678901234567890, "f": 1.0, "s": "\\"x\\""}, "e": []}' where (patient_id, study_uid, series_uid, sop_uid) in (select patient_id, study_uid, series_uid, sop_uid from imaging_instance order by 1, 2, 3, 4 offset 3 limit 8)`,
];

/** Makes the cohort of a fuzz odd. */
export async function makeOdd(owner: Pool): Promise<void> {
  for (const statement of ODD) {
    const { rowCount } = await owner.query(statement);
    if (rowCount === 0) throw new Error(`no row is left for: ${statement}`);
  }
}
