select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", 
        (select row_to_json(o1) from 
          (select a.c1 as "endCursor") o1) as "pageInfo") o0) as j, a.persons as p from 
    (select coalesce(json_agg(r.e0 order by r.k0 desc, r.k1 desc, r.k2 desc), '[]'::json) as x0, (array_agg(r.c1 order by r.k0, r.k1, r.k2))[1] as c1, array_agg(distinct r.person) as persons from 
      (select t2."started_key" as k0, t2."patient_id" as k1, t2."study_uid" as k2, 
        (select row_to_json(o3) from 
          (select 
            (select row_to_json(o4) from 
              (select to_char(t2."started_at" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt", t2."modalities" as "modalities") o4) as "node") o3) as e0, translate(encode(convert_to(json_build_array($1::text, t2."started_key"::text, t2."patient_id"::text, t2."study_uid"::text)::text, 'UTF8'), 'base64'), E'\n', '') as c1, t2.patient_id as person from 
        (select t5."started_key", t5."patient_id", t5."study_uid", t5."started_at", t5."modalities" from imaging_study t5 where (t5.site_id = any($2::text[]) and t5.sensitivity <= 2 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t5.patient_id and ce.purpose = $3::text and ce.categories & 2 <> 0 and ce.sensitivity_max >= t5.sensitivity and (t5.label_bits = 0 or t5.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t5.sensitivity and (ce.labels_any = 0 or t5.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t5.refs) and (ce.data_from is null or t5.started_at >= ce.data_from) and (ce.data_to is null or t5.started_at < ce.data_to) and (ce.refs is null or ce.refs && t5.refs))))) order by t5."started_key" desc, t5."patient_id" desc, t5."study_uid" desc limit $6::int) t2) r) a) f0
