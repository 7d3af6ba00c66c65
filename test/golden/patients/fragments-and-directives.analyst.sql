select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($6::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select 'Patient'::text as "__typename", t0."patient_id" as "key", t0."sex" as "sex", t0."birth_year" as "born", t0."site_id" as "site", 
          (select 
            (select row_to_json(o3) from 
              (select 'NoteConnection'::text as "__typename", a2.x1 as "edges", 
                (select row_to_json(o4) from 
                  (select 'PageInfo'::text as "__typename", a2.more as "hasNextPage") o4) as "pageInfo") o3) from 
            (select coalesce(json_agg(r.e1 order by r.k0, r.k1), '[]'::json) as x1, 
              (select count(*) from 
                (select 1 from note t8 where t8."patient_id" = t0."patient_id" and (t8.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t8.patient_id and ce.purpose = $1::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t8.sensitivity and (t8.label_bits = 0 or t8.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t8.sensitivity and (ce.labels_any = 0 or t8.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t8.refs) and (ce.data_from is null or t8.authored_at >= ce.data_from) and (ce.data_to is null or t8.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t8.refs))))) limit $4::int + 1) n) > $4::int as more from 
              (select t5."patient_id" as k0, t5."note_id" as k1, 
                (select row_to_json(o6) from 
                  (select 'NoteEdge'::text as "__typename", 
                    (select row_to_json(o7) from 
                      (select 'Note'::text as "__typename", t5."type_label" as "typeLabel") o7) as "node") o6) as e1 from 
                (select t9."patient_id", t9."note_id", t9."type_label" from note t9 where t9."patient_id" = t0."patient_id" and (t9.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t9.patient_id and ce.purpose = $1::text and ce.categories & 4 <> 0 and ce.sensitivity_max >= t9.sensitivity and (t9.label_bits = 0 or t9.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t9.sensitivity and (ce.labels_any = 0 or t9.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t9.refs) and (ce.data_from is null or t9.authored_at >= ce.data_from) and (ce.data_to is null or t9.authored_at < ce.data_to) and (ce.refs is null or ce.refs && t9.refs))))) order by t9."patient_id", t9."note_id" limit $4::int) t5) r) a2) as "notes") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $5::uuid limit 1) r) f0
