select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($2::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", a.total as "totalCount") o0) as j, null::uuid[] as p from 
    (select coalesce(json_agg(r.e0 order by r.k0), '[]'::json) as x0, 
      (select count(*)::int from quarantine t4 where true) as total from 
      (select t1."quarantine_id" as k0, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."product" as "product", t1."place" as "place", t1."code" as "code", t1."reason" as "reason", t1."state" as "state", t1."ordinal" as "ordinal") o3) as "node") o2) as e0 from 
        (select t5."quarantine_id", t5."product", t5."place", t5."code", t5."reason", t5."state", t5."ordinal" from quarantine t5 where true order by t5."quarantine_id" limit $1::int) t1) r) a) f0
