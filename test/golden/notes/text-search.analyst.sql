select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", $1::text || ':n0:' || a.counted || ':' as "totalCount") o0) as j, a.persons as p from 
    (select coalesce(json_agg(r.e0 order by r.k0, r.k1), '[]'::json) as x0, array_agg(distinct r.person) as persons, 
      (select translate(encode(coalesce(string_agg(uuid_send(g5.person) || int4send(g5.n), ''::bytea order by g5.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t4."patient_id" as person, count(*)::int as n from note t4 where (t4.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t4.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t4.sensitivity and (t4.label_bits = 0 or t4.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t4.sensitivity and (ce.labels_any = 0 or t4.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t4.refs) and (ce.data_from is null or t4.authored_at >= ce.data_from) and (ce.data_to is null or t4.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t4.refs))))) and t4."tsv_masked" @@ websearch_to_tsquery('english', $5::text) group by 1) g5) as counted from 
      (select t1."patient_id" as k0, t1."note_id" as k1, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."note_id" as "id", t1."type_code" as "typeCode", to_char((date_trunc('year', t1."authored_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "authoredAt", t1."masked_body" as "body") o3) as "node") o2) as e0, t1.patient_id as person from 
        (select t6."patient_id", t6."note_id", t6."type_code", t6."authored_at", t6."masked_body" from note t6 where (t6.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t6.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t6.sensitivity and (t6.label_bits = 0 or t6.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t6.sensitivity and (ce.labels_any = 0 or t6.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t6.refs) and (ce.data_from is null or t6.authored_at >= ce.data_from) and (ce.data_to is null or t6.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t6.refs))))) and t6."tsv_masked" @@ websearch_to_tsquery('english', $5::text) order by t6."patient_id", t6."note_id" limit $6::int) t1) r) a) f0
