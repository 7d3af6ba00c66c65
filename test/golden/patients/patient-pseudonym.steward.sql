select f0.j::text as j0, f0.p as p0, f1.j::text as j1, f1.p as p1, f2.j::text as j2, f2.p as p2, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."patient_id" as "id", t0."synthetic" as "synthetic") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $4::uuid limit 1) r) f0 cross join 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o3) from 
        (select t2."patient_id" as "id") o3) as j, t2.patient_id as person from patient t2 where (t2.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t2.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t2.sensitivity and (t2.label_bits = 0 or t2.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t2.sensitivity and (ce.labels_any = 0 or t2.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t2.refs))))) and t2."patient_id" = $5::uuid limit 1) r) f1 cross join 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o5) from 
        (select t4."patient_id" as "id") o5) as j, t4.patient_id as person from patient t4 where (t4.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t4.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t4.sensitivity and (t4.label_bits = 0 or t4.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t4.sensitivity and (ce.labels_any = 0 or t4.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t4.refs))))) and t4."patient_id" = $6::uuid limit 1) r) f2
