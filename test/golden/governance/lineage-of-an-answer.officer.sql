select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($2::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, null::uuid[] as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."kind" as "kind", t0."principal" as "principal", t0."roles" as "roles", t0."purpose" as "purpose", t0."policy_version" as "policyVersion", t0."patients" as "patientCount", t0."result_digest" as "resultDigest", 
          (select 
            (select row_to_json(o3) from 
              (select t2."document" as "document", t2."columns" as "columns", t2."decisions" as "decisions") o3) from lineage_plan t2 where t2."plan_digest" = t0."plan_digest" limit 1) as "plan") o1) as j, null::uuid as person from lineage_run t0 where t0."run_id" = $1::uuid limit 1) r) f0
