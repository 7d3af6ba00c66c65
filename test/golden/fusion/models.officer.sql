select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($2::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges") o0) as j, null::uuid[] as p from 
    (select coalesce(json_agg(r.e0 order by r.k0 desc, r.k1 desc, r.k2 desc), '[]'::json) as x0 from 
      (select t1."trained_at" as k0, t1."model_id" as k1, t1."version" as k2, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."id" as "id", t1."model_id" as "modelId", t1."state" as "state", t1."label" as "label", t1."modalities" as "modalities", t1."trained_on" as "trainedOn", t1."events" as "events", t1."trained_by" as "trainedBy") o3) as "node") o2) as e0 from 
        (select t4."trained_at", t4."model_id", t4."version", t4."id", t4."state", t4."label", t4."modalities", t4."trained_on", t4."events", t4."trained_by" from fusion_model t4 where true order by t4."trained_at" desc, t4."model_id" desc, t4."version" desc limit $1::int) t1) r) a) f0
