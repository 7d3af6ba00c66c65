select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($8::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."id" as "id", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t0."study_uid"::text, 'UTF8'))), 'hex'), 24) as "uid", to_char((date_trunc('year', t0."started_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt", t0."description" as "description", t0."modalities" as "modalities", t0."body_parts" as "bodyParts", 
          (select count(*)::int from imaging_series t2 where t2."patient_id" = t0."patient_id" and t2."study_uid" = t0."study_uid" and (t2.sensitivity <= 0 and exists 
            (select 1 from consent_effect ce where ce.patient_id = t2.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t2.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz))) as "seriesCount", 
          (select count(*)::int from imaging_instance t3 where t3."patient_id" = t0."patient_id" and t3."study_uid" = t0."study_uid" and (t3.sensitivity <= 0 and exists 
            (select 1 from consent_effect ce where ce.patient_id = t3.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t3.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz))) as "instanceCount", 
          (select 
            (select row_to_json(o5) from 
              (select a4.x0 as "edges") o5) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2, r.k3), '[]'::json) as x0 from 
              (select t6."number_key" as k0, t6."patient_id" as k1, t6."study_uid" as k2, t6."series_uid" as k3, 
                (select row_to_json(o7) from 
                  (select 
                    (select row_to_json(o8) from 
                      (select 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t6."series_uid"::text, 'UTF8'))), 'hex'), 24) as "uid", t6."number" as "number", t6."modality" as "modality", t6."body_part" as "bodyPart", 
                        (select 
                          (select row_to_json(o10) from 
                            (select a9.x0 as "edges", a9.total as "totalCount") o10) from 
                          (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2, r.k3, r.k4), '[]'::json) as x0, 
                            (select count(*)::int from imaging_instance t14 where t14."patient_id" = t6."patient_id" and t14."study_uid" = t6."study_uid" and t14."series_uid" = t6."series_uid" and (t14.sensitivity <= 0 and exists 
                              (select 1 from consent_effect ce where ce.patient_id = t14.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t14.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz))) as total from 
                            (select t11."number_key" as k0, t11."patient_id" as k1, t11."study_uid" as k2, t11."series_uid" as k3, t11."sop_uid" as k4, 
                              (select row_to_json(o12) from 
                                (select 
                                  (select row_to_json(o13) from 
                                    (select 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t11."sop_uid"::text, 'UTF8'))), 'hex'), 24) as "uid", t11."number" as "number", t11."rows" as "rows", t11."columns" as "columns", t11."bits" as "bits", case when t11."pixel_mean" between '-1.7976931348623157e308' and '1.7976931348623157e308' then t11."pixel_mean" end as "pixelMean", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t11."file_digest"::text, 'UTF8'))), 'hex'), 24) as "fileDigest") o13) as "node") o12) as e0 from 
                              (select t15.* from imaging_instance t15 where t15."patient_id" = t6."patient_id" and t15."study_uid" = t6."study_uid" and t15."series_uid" = t6."series_uid" and (t15.sensitivity <= 0 and exists 
                                (select 1 from consent_effect ce where ce.patient_id = t15.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t15.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz)) order by t15."number_key", t15."patient_id", t15."study_uid", t15."series_uid", t15."sop_uid" limit $5::int) t11) r) a9) as "instances") o8) as "node") o7) as e0 from 
                (select t16.* from imaging_series t16 where t16."patient_id" = t0."patient_id" and t16."study_uid" = t0."study_uid" and (t16.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t16.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t16.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz)) order by t16."number_key", t16."patient_id", t16."study_uid", t16."series_uid" limit $6::int) t6) r) a4) as "series", 
          (select 
            (select row_to_json(o18) from 
              (select t17."patient_id" as "id", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t17."family_name"::text, 'UTF8'))), 'hex'), 24) as "familyName") o18) from patient t17 where t17."patient_id" = t0."patient_id" and (t17.sensitivity <= 0 and exists 
            (select 1 from consent_effect ce where ce.patient_id = t17.patient_id and ce.purpose = $3::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t17.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz)) limit 1) as "patient") o1) as j, t0.patient_id as person from imaging_study t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t0.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz)) and t0."id" = $7::uuid limit 1) r) f0
