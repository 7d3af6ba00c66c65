select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($11::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", 
        (select row_to_json(o1) from 
          (select a.more as "hasNextPage", a.c1 as "endCursor") o1) as "pageInfo", $1::text || ':n0:' || a.counted || ':' as "totalCount") o0) as j, a.persons as p from 
    (select coalesce(json_agg(r.e0 order by r.k0), '[]'::json) as x0, (array_agg(r.c1 order by r.k0 desc))[1] as c1, array_agg(distinct r.person) as persons, 
      (select count(*) from 
        (select 1 from patient t5 where (t5.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t5.patient_id and ce.purpose = $5::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t5.sensitivity and (t5.label_bits = 0 or t5.label_bits & ~ce.labels = 0) and ce.valid_from <= $6::timestamptz and ce.valid_to > $6::timestamptz and (not ce.bound or (ce.sensitivity_min <= t5.sensitivity and (ce.labels_any = 0 or t5.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $7::text[]) and (ce.refs_not is null or not ce.refs_not && t5.refs))))) and t5."sex" = $8::text and t5."birth_year" <= $9::int4 limit $10::int + 1) n) > $10::int as more, 
      (select translate(encode(coalesce(string_agg(uuid_send(g7.person) || int4send(g7.n), ''::bytea order by g7.person), ''::bytea), 'base64'), E'\n', '') from 
        (select t6."patient_id" as person, count(*)::int as n from patient t6 where (t6.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t6.patient_id and ce.purpose = $5::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t6.sensitivity and (t6.label_bits = 0 or t6.label_bits & ~ce.labels = 0) and ce.valid_from <= $6::timestamptz and ce.valid_to > $6::timestamptz and (not ce.bound or (ce.sensitivity_min <= t6.sensitivity and (ce.labels_any = 0 or t6.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $7::text[]) and (ce.refs_not is null or not ce.refs_not && t6.refs))))) and t6."sex" = $8::text and t6."birth_year" <= $9::int4 group by 1) g7) as counted from 
      (select t2."patient_id" as k0, 
        (select row_to_json(o3) from 
          (select translate(encode(convert_to(json_build_array($2::text, t2."patient_id"::text)::text, 'UTF8'), 'base64'), E'\n', '') as "cursor", 
            (select row_to_json(o4) from 
              (select t2."patient_id" as "id", t2."birth_year" as "birthYear", 'h:' || left(encode(sha256($4::bytea || sha256($3::bytea || convert_to(t2."family_name"::text, 'UTF8'))), 'hex'), 24) as "familyName", to_char(date_trunc('year', t2."birth_date")::date, 'YYYY-MM-DD') as "birthDate", t2."site_id" as "site") o4) as "node") o3) as e0, translate(encode(convert_to(json_build_array($2::text, t2."patient_id"::text)::text, 'UTF8'), 'base64'), E'\n', '') as c1, t2.patient_id as person from patient t2 where t2.patient_id = any(array
        (select t8.patient_id from patient t8 where (t8.sensitivity <= 0 and exists 
          (select 1 from consent_effect ce where ce.patient_id = t8.patient_id and ce.purpose = $5::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t8.sensitivity and (t8.label_bits = 0 or t8.label_bits & ~ce.labels = 0) and ce.valid_from <= $6::timestamptz and ce.valid_to > $6::timestamptz and (not ce.bound or (ce.sensitivity_min <= t8.sensitivity and (ce.labels_any = 0 or t8.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $7::text[]) and (ce.refs_not is null or not ce.refs_not && t8.refs))))) and t8."sex" = $8::text and t8."birth_year" <= $9::int4 order by t8."patient_id" limit $10::int))) r) a) f0
