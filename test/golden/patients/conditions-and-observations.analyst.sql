select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select 
          (select 
            (select row_to_json(o3) from 
              (select a2.x0 as "edges", a2.total as "totalCount") o3) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1), '[]'::json) as x0, 
              (select count(*)::int from condition t7 where t7."patient_id" = t0."patient_id" and (t7.sensitivity <= 0 and exists 
                (select 1 from consent_effect ce where ce.patient_id = t7.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t7.sensitivity and (t7.label_bits = 0 or t7.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t7.sensitivity and (ce.labels_any = 0 or t7.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t7.refs) and (ce.data_from is null or t7.onset_at >= ce.data_from) and (ce.data_to is null or t7.onset_at < ce.data_to) and (ce.refs is null or ce.refs && t7.refs)))))) as total from 
              (select t4."patient_id" as k0, t4."condition_id" as k1, 
                (select row_to_json(o5) from 
                  (select 
                    (select row_to_json(o6) from 
                      (select t4."code" as "code", t4."display" as "display", to_char((date_trunc('year', t4."onset_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "onsetAt", t4."status" as "status") o6) as "node") o5) as e0 from 
                (select t8."patient_id", t8."condition_id", t8."code", t8."display", t8."onset_at", t8."status" from condition t8 where t8."patient_id" = t0."patient_id" and (t8.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t8.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t8.sensitivity and (t8.label_bits = 0 or t8.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t8.sensitivity and (ce.labels_any = 0 or t8.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t8.refs) and (ce.data_from is null or t8.onset_at >= ce.data_from) and (ce.data_to is null or t8.onset_at < ce.data_to) and (ce.refs is null or ce.refs && t8.refs))))) order by t8."patient_id", t8."condition_id" limit $4::int) t4) r) a2) as "conditions", 
          (select 
            (select row_to_json(o10) from 
              (select a9.x0 as "edges", 
                (select row_to_json(o11) from 
                  (select a9.more as "hasNextPage") o11) as "pageInfo") o10) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1), '[]'::json) as x0, 
              (select count(*) from 
                (select 1 from observation t15 where t15."patient_id" = t0."patient_id" and (t15.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t15.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t15.sensitivity and (t15.label_bits = 0 or t15.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t15.sensitivity and (ce.labels_any = 0 or t15.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t15.refs) and (ce.data_from is null or t15.effective_at >= ce.data_from) and (ce.data_to is null or t15.effective_at < ce.data_to) and (ce.refs is null or ce.refs && t15.refs))))) limit $5::int + 1) n) > $5::int as more from 
              (select t12."patient_id" as k0, t12."observation_id" as k1, 
                (select row_to_json(o13) from 
                  (select 
                    (select row_to_json(o14) from 
                      (select t12."code" as "code", t12."display" as "display", case when t12."value" between '-1.7976931348623157e308' and '1.7976931348623157e308' then t12."value" end as "value", t12."unit" as "unit", to_char((date_trunc('year', t12."effective_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "effectiveAt") o14) as "node") o13) as e0 from 
                (select t16."patient_id", t16."observation_id", t16."code", t16."display", t16."value", t16."unit", t16."effective_at" from observation t16 where t16."patient_id" = t0."patient_id" and (t16.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t16.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t16.sensitivity and (t16.label_bits = 0 or t16.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t16.sensitivity and (ce.labels_any = 0 or t16.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t16.refs) and (ce.data_from is null or t16.effective_at >= ce.data_from) and (ce.data_to is null or t16.effective_at < ce.data_to) and (ce.refs is null or ce.refs && t16.refs))))) order by t16."patient_id", t16."observation_id" limit $5::int) t12) r) a9) as "observations", 
          (select count(*)::int from observation t17 where t17."patient_id" = t0."patient_id" and (t17.sensitivity <= 0 and exists 
            (select 1 from consent_effect ce where ce.patient_id = t17.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t17.sensitivity and (t17.label_bits = 0 or t17.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t17.sensitivity and (ce.labels_any = 0 or t17.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t17.refs) and (ce.data_from is null or t17.effective_at >= ce.data_from) and (ce.data_to is null or t17.effective_at < ce.data_to) and (ce.refs is null or ce.refs && t17.refs)))))) as "observationCount") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $6::uuid limit 1) r) f0
