select f0.j::text as j0, f0.p as p0, f1.j::text as j1, f1.p as p1, f2.j::text as j2, f2.p as p2, f3.j::text as j3, f3.p as p3, f4.j::text as j4, f4.p as p4, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($9::text[])) as versions from 
  (select 
    (select to_json($4::text || ':n0:' || 
      (select translate(encode(coalesce(string_agg(uuid_send(g1.person) || int4send(g1.n), ''::bytea order by g1.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t0."patient_id" as person, count(*)::int as n from patient t0 where (t0.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) group by 1) g1) || ':')) as j, null::uuid[] as p) f0 cross join 
  (select 
    (select to_json($4::text || ':n1:' || 
      (select translate(encode(coalesce(string_agg(uuid_send(g3.person) || int4send(g3.n), ''::bytea order by g3.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t2."patient_id" as person, count(*)::int as n from patient t2 where (t2.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t2.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t2.sensitivity and (t2.label_bits = 0 or t2.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t2.sensitivity and (ce.labels_any = 0 or t2.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t2.refs))))) and t2."site_id" = $5::text group by 1) g3) || ':')) as j, null::uuid[] as p) f1 cross join 
  (select 
    (select to_json($4::text || ':n2:' || 
      (select translate(encode(coalesce(string_agg(uuid_send(g5.person) || int4send(g5.n), ''::bytea order by g5.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t4."patient_id" as person, count(*)::int as n from patient t4 where (t4.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t4.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t4.sensitivity and (t4.label_bits = 0 or t4.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t4.sensitivity and (ce.labels_any = 0 or t4.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t4.refs))))) and t4."birth_year" <= $6::int4 group by 1) g5) || ':')) as j, null::uuid[] as p) f2 cross join 
  (select 
    (select to_json($4::text || ':n3:' || 
      (select translate(encode(coalesce(string_agg(uuid_send(g7.person) || int4send(g7.n), ''::bytea order by g7.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t6."patient_id" as person, count(*)::int as n from patient t6 where (t6.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t6.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t6.sensitivity and (t6.label_bits = 0 or t6.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t6.sensitivity and (ce.labels_any = 0 or t6.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t6.refs))))) and t6."birth_year" >= $7::int4 group by 1) g7) || ':')) as j, null::uuid[] as p) f3 cross join 
  (select 
    (select row_to_json(o8) from 
      (select $4::text || ':n4:' || a.counted || ':' as "totalCount") o8) as j, null::uuid[] as p from 
    (select 
      (select translate(encode(coalesce(string_agg(uuid_send(g11.person) || int4send(g11.n), ''::bytea order by g11.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t10."patient_id" as person, count(*)::int as n from patient t10 where (t10.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t10.patient_id and ce.purpose = $1::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t10.sensitivity and (t10.label_bits = 0 or t10.label_bits & ~ce.labels = 0) and ce.valid_from <= $2::timestamptz and ce.valid_to > $2::timestamptz and (not ce.bound or (ce.sensitivity_min <= t10.sensitivity and (ce.labels_any = 0 or t10.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $3::text[]) and (ce.refs_not is null or not ce.refs_not && t10.refs))))) and t10."birth_year" <= $8::int4 group by 1) g11) as counted) a) f4
