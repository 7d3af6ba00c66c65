select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($7::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select $1::text || ':1:' || translate(encode(convert_to(json_build_array(t0."patient_id")::text, 'UTF8'), 'base64'), E'\n', '') || ':' as "wearableWindows") o1) as j, t0.patient_id as person from patient t0 where (t0.site_id = any($2::text[]) and t0.sensitivity <= 2 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $3::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $6::uuid limit 1) r) f0
