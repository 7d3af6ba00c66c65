select f0.j::text as j0, f0.p as p0, f1.j::text as j1, f1.p as p1, f2.j::text as j2, f2.p as p2, f3.j::text as j3, f3.p as p3, f4.j::text as j4, f4.p as p4, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($8::text[])) as versions from 
  (select 
    (select case when c.n between 1 and 10 then null else c.n end from 
      (select 
        (select count(*)::int from patient t0 where (t0.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz))) as n) c) as j, null::uuid[] as p) f0 cross join 
  (select 
    (select case when c.n between 1 and 10 then null else c.n end from 
      (select 
        (select count(*)::int from patient t1 where (t1.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t1.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t1.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz)) and t1."site_id" = $3::text) as n) c) as j, null::uuid[] as p) f1 cross join 
  (select 
    (select case when c.n between 1 and 10 then null else c.n end from 
      (select 
        (select count(*)::int from patient t2 where (t2.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t2.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t2.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz)) and t2."birth_year" <= $4::int4) as n) c) as j, null::uuid[] as p) f2 cross join 
  (select 
    (select case when c.n between 1 and 10 then null else c.n end from 
      (select 
        (select count(*)::int from patient t3 where (t3.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t3.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t3.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz)) and t3."birth_year" >= $5::int4) as n) c) as j, null::uuid[] as p) f3 cross join 
  (select 
    (select row_to_json(o4) from 
      (select a.total as "totalCount") o4) as j, a.persons as p from 
    (select array_agg(distinct r.person) as persons, 
      (select case when c.n between 1 and 10 then null else c.n end from 
        (select 
          (select count(*)::int from patient t6 where (t6.sensitivity <= 0 and exists 
            (select 1 from consent_effect ce where ce.patient_id = t6.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t6.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz)) and t6."birth_year" <= $6::int4) as n) c) as total from 
      (select t5."patient_id" as k0, t5.patient_id as person from patient t5 where t5.patient_id = any(array
        (select t7.patient_id from patient t7 where (t7.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t7.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t7.sensitivity and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz)) and t7."birth_year" <= $6::int4 order by t7."patient_id" limit $7::int))) r) a) f4
