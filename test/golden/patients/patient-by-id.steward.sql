select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($5::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."patient_id" as "id", null::text as "familyName", null::text as "mrn", to_char(null::date, 'YYYY-MM-DD') as "birthDate", t0."birth_year" as "birthYear", t0."sex" as "sex", null::text as "city", null::text as "postalCode", t0."site_id" as "site", t0."synthetic" as "synthetic", t0."deceased" as "deceased") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $4::uuid limit 1) r) f0
