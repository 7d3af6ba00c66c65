select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($9::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."type_label" as "typeLabel", null::text as "title", to_char((date_trunc('year', t0."authored_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "authoredAt", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t0."author"::text, 'UTF8'))), 'hex'), 24) as "author", t0."masked_body" as "body", 
          (select 
            (select row_to_json(o3) from 
              (select a2.x0 as "edges") o3) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2), '[]'::json) as x0 from 
              (select t4."patient_id" as k0, t4."note_id" as k1, t4."ordinal" as k2, 
                (select row_to_json(o5) from 
                  (select 
                    (select row_to_json(o6) from 
                      (select t4."ordinal" as "ordinal", t4."code" as "code", t4."title" as "title", t4."masked_body" as "text") o6) as "node") o5) as e0 from 
                (select t7."patient_id", t7."note_id", t7."ordinal", t7."code", t7."title", t7."masked_body" from note_section t7 where t7."patient_id" = t0."patient_id" and t7."note_id" = t0."note_id" and (t7.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t7.patient_id and ce.purpose = $3::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t7.sensitivity and (t7.label_bits = 0 or t7.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t7.sensitivity and (ce.labels_any = 0 or t7.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t7.refs) and (ce.data_from is null or null::timestamptz >= ce.data_from) and (ce.data_to is null or null::timestamptz < ce.data_to) and (ce.refs is null or ce.refs && t7.refs))))) order by t7."patient_id", t7."note_id", t7."ordinal" limit $6::int) t4) r) a2) as "sections", 
          (select 
            (select row_to_json(o9) from 
              (select a8.x0 as "edges", a8.total as "totalCount") o9) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2), '[]'::json) as x0, 
              (select count(*)::int from note_concept t13 where t13."patient_id" = t0."patient_id" and t13."note_id" = t0."note_id" and (t13.sensitivity <= 0 and exists 
                (select 1 from consent_effect ce where ce.patient_id = t13.patient_id and ce.purpose = $3::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t13.sensitivity and (t13.label_bits = 0 or t13.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t13.sensitivity and (ce.labels_any = 0 or t13.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t13.refs) and (ce.data_from is null or t13.authored_at >= ce.data_from) and (ce.data_to is null or t13.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t13.refs)))))) as total from 
              (select t10."patient_id" as k0, t10."note_id" as k1, t10."ordinal" as k2, 
                (select row_to_json(o11) from 
                  (select 
                    (select row_to_json(o12) from 
                      (select t10."code" as "code", t10."label" as "label", t10."negation" as "negation", t10."temporality" as "temporality", t10."experiencer" as "experiencer", to_char((date_trunc('year', t10."authored_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "authoredAt") o12) as "node") o11) as e0 from 
                (select t14."patient_id", t14."note_id", t14."ordinal", t14."code", t14."label", t14."negation", t14."temporality", t14."experiencer", t14."authored_at" from note_concept t14 where t14."patient_id" = t0."patient_id" and t14."note_id" = t0."note_id" and (t14.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t14.patient_id and ce.purpose = $3::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t14.sensitivity and (t14.label_bits = 0 or t14.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t14.sensitivity and (ce.labels_any = 0 or t14.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t14.refs) and (ce.data_from is null or t14.authored_at >= ce.data_from) and (ce.data_to is null or t14.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t14.refs))))) order by t14."patient_id", t14."note_id", t14."ordinal" limit $7::int) t10) r) a8) as "concepts") o1) as j, t0.patient_id as person from note t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $3::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs) and (ce.data_from is null or t0.authored_at >= ce.data_from) and (ce.data_to is null or t0.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t0.refs))))) and t0."note_id" = $8::uuid limit 1) r) f0
