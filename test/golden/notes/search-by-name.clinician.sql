select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", a.total as "totalCount") o0) as j, a.persons as p from 
    (select coalesce(json_agg(r.e0 order by r.k0 desc, r.k1 desc, r.k2 desc), '[]'::json) as x0, array_agg(distinct r.person) as persons, 
      (select count(*)::int from note t4 where (t4.site_id = any($1::text[]) and t4.sensitivity <= 2 and exists 
        (select 1 from consent_effect ce where ce.patient_id = t4.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t4.sensitivity and (t4.label_bits = 0 or t4.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t4.sensitivity and (ce.labels_any = 0 or t4.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t4.refs) and (ce.data_from is null or t4.authored_at >= ce.data_from) and (ce.data_to is null or t4.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t4.refs))))) and t4."tsv_raw" @@ websearch_to_tsquery('english', $5::text)) as total from 
      (select t1."authored_key" as k0, t1."patient_id" as k1, t1."note_id" as k2, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."note_id" as "id") o3) as "node") o2) as e0, t1.patient_id as person from 
        (select t5."authored_key", t5."patient_id", t5."note_id" from note t5 where (t5.site_id = any($1::text[]) and t5.sensitivity <= 2 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t5.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t5.sensitivity and (t5.label_bits = 0 or t5.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t5.sensitivity and (ce.labels_any = 0 or t5.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t5.refs) and (ce.data_from is null or t5.authored_at >= ce.data_from) and (ce.data_to is null or t5.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t5.refs))))) and t5."tsv_raw" @@ websearch_to_tsquery('english', $5::text) order by t5."authored_key" desc, t5."patient_id" desc, t5."note_id" desc limit $6::int) t1) r) a) f0
