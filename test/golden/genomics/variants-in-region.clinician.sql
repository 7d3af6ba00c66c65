select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($8::text[])) as versions from 
  (select 
    (select row_to_json(o0) from 
      (select a.x0 as "edges", 
        (select row_to_json(o1) from 
          (select a.more as "hasNextPage") o1) as "pageInfo") o0) as j, null::uuid[] as p from 
    (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2, r.k3, r.k4), '[]'::json) as x0, 
      (select count(*) from 
        (select 1 from variant t5 where t5."assembly" = $2::text and t5."chrom" = $4::text and t5."bucket" = any($3::int4[]) and t5."pos" >= $5::int4 and t5."pos" <= $6::int4 limit $7::int + 1) n) > $7::int as more from 
      (select t2."bucket" as k0, t2."assembly" as k1, t2."chrom" as k2, t2."pos" as k3, t2."variant_id" as k4, 
        (select row_to_json(o3) from 
          (select 
            (select row_to_json(o4) from 
              (select t2."variant_id" as "id", t2."pos" as "pos", t2."ref" as "ref", t2."alt" as "alt", t2."gene" as "gene", t2."consequence" as "consequence", $1::text || ':1:' || translate(encode(convert_to(json_build_array(t2."bucket", t2."variant_id")::text, 'UTF8'), 'base64'), E'\n', '') || ':' as "frequency") o4) as "node") o3) as e0 from 
        (select t6."bucket", t6."assembly", t6."chrom", t6."pos", t6."variant_id", t6."ref", t6."alt", t6."gene", t6."consequence" from variant t6 where t6."assembly" = $2::text and t6."chrom" = $4::text and t6."bucket" = any($3::int4[]) and t6."pos" >= $5::int4 and t6."pos" <= $6::int4 order by t6."bucket", t6."assembly", t6."chrom", t6."pos", t6."variant_id" limit $7::int) t2) r) a) f0
