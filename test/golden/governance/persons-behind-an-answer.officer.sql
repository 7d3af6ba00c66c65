select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($3::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, null::uuid[] as p from 
    (select 
      (select row_to_json(o1) from 
        (select t0."principal" as "principal", $1::text || ':1:' || translate(encode(convert_to(json_build_array(t0."set_digest")::text, 'UTF8'), 'base64'), E'\n', '') || ':' as "patients") o1) as j, null::uuid as person from lineage_run t0 where t0."run_id" = $2::uuid limit 1) r) f0
