select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($8::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", a.total as "totalCount") o0) as j, a.persons as p from 
    (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2), '[]'::json) as x0, array_agg(distinct r.person) as persons, 
      (select count(*)::int from note_concept t8 where (t8.site_id = any($1::text[]) and t8.sensitivity <= 2 and exists 
        (select 1 from consent_effect ce where ce.patient_id = t8.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t8.sensitivity and (t8.label_bits = 0 or t8.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t8.sensitivity and (ce.labels_any = 0 or t8.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t8.refs) and (ce.data_from is null or t8.authored_at >= ce.data_from) and (ce.data_to is null or t8.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t8.refs))))) and t8."code" = $5::text and t8."negation" = $6::text) as total from 
      (select t1."patient_id" as k0, t1."note_id" as k1, t1."ordinal" as k2, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."label" as "label", t1."negation" as "negation", t1."experiencer" as "experiencer", 
                (select 
                  (select row_to_json(o5) from 
                    (select t4."patient_id" as "id") o5) from patient t4 where t4."patient_id" = t1."patient_id" and (t4.site_id = any($1::text[]) and t4.sensitivity <= 2 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t4.patient_id and ce.purpose = $2::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t4.sensitivity and (t4.label_bits = 0 or t4.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t4.sensitivity and (ce.labels_any = 0 or t4.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t4.refs))))) limit 1) as "patient", 
                (select 
                  (select row_to_json(o7) from 
                    (select t6."type_label" as "typeLabel", t6."has_text" as "hasText") o7) from note t6 where t6."patient_id" = t1."patient_id" and t6."note_id" = t1."note_id" and (t6.site_id = any($1::text[]) and t6.sensitivity <= 2 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t6.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t6.sensitivity and (t6.label_bits = 0 or t6.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t6.sensitivity and (ce.labels_any = 0 or t6.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t6.refs) and (ce.data_from is null or t6.authored_at >= ce.data_from) and (ce.data_to is null or t6.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t6.refs))))) limit 1) as "note") o3) as "node") o2) as e0, t1.patient_id as person from 
        (select t9."patient_id", t9."note_id", t9."ordinal", t9."label", t9."negation", t9."experiencer" from note_concept t9 where (t9.site_id = any($1::text[]) and t9.sensitivity <= 2 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t9.patient_id and ce.purpose = $2::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t9.sensitivity and (t9.label_bits = 0 or t9.label_bits & ~ce.labels = 0) and ce.valid_from <= $3::timestamptz and ce.valid_to > $3::timestamptz and (not ce.bound or (ce.sensitivity_min <= t9.sensitivity and (ce.labels_any = 0 or t9.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $4::text[]) and (ce.refs_not is null or not ce.refs_not && t9.refs) and (ce.data_from is null or t9.authored_at >= ce.data_from) and (ce.data_to is null or t9.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t9.refs))))) and t9."code" = $5::text and t9."negation" = $6::text order by t9."patient_id", t9."note_id", t9."ordinal" limit $7::int) t1) r) a) f0
