select f0.j::text as j0, f0.p as p0, f1.j::text as j1, f1.p as p1, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($5::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", a.total as "totalCount") o0) as j, null::uuid[] as p from 
    (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2, r.k3, r.k4), '[]'::json) as x0, 
      (select count(*)::int from variant t4 where t4."gene" = $2::text) as total from 
      (select t1."bucket" as k0, t1."assembly" as k1, t1."chrom" as k2, t1."pos" as k3, t1."variant_id" as k4, 
        (select row_to_json(o2) from 
          (select 
            (select row_to_json(o3) from 
              (select t1."variant_id" as "id", t1."clinical_significance" as "clinicalSignificance", $1::text || ':1:' || translate(encode(convert_to(json_build_array(t1."bucket", t1."variant_id")::text, 'UTF8'), 'base64'), E'\n', '') || ':' as "carriers") o3) as "node") o2) as e0 from 
        (select t5."bucket", t5."assembly", t5."chrom", t5."pos", t5."variant_id", t5."clinical_significance" from variant t5 where t5."gene" = $2::text order by t5."bucket", t5."assembly", t5."chrom", t5."pos", t5."variant_id" limit $3::int) t1) r) a) f0 cross join 
  (select 
    (select count(*)::int from variant t6 where t6."gene" = $4::text) as j, null::uuid[] as p) f1
