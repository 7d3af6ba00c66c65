select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($6::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."patient_id" as "id", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t0."family_name"::text, 'UTF8'))), 'hex'), 24) as "familyName", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t0."mrn"::text, 'UTF8'))), 'hex'), 24) as "mrn", to_char(date_trunc('year', t0."birth_date")::date, 'YYYY-MM-DD') as "birthDate", t0."birth_year" as "birthYear", t0."sex" as "sex", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t0."city"::text, 'UTF8'))), 'hex'), 24) as "city", null::text as "postalCode", t0."site_id" as "site", t0."synthetic" as "synthetic", t0."deceased" as "deceased") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $3::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz)) and t0."patient_id" = $5::uuid limit 1) r) f0
