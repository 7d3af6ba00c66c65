select f0.j::text as j0, f0.p as p0, 
  (select json_object_agg(dataset, version)::text from dataset_version where dataset = any($10::text[])) as versions from 
  (select (array_agg(r.j))[1] as j, array_agg(r.person) filter (where r.person is not null) as p from 
    (select 
      (select row_to_json(o1) from 
        (select 
          (select 
            (select row_to_json(o3) from 
              (select a2.x0 as "edges", 
                (select row_to_json(o4) from 
                  (select a2.more as "hasNextPage") o4) as "pageInfo") o3) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1, r.k2, r.k3), '[]'::json) as x0, 
              (select count(*) from 
                (select 1 from wear_chunk t8 where t8."patient_id" = t0."patient_id" and (t8.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t8.patient_id and ce.purpose = $3::text and ce.categories & 8 <> 0 and ce.sensitivity_max >= t8.sensitivity and (t8.label_bits = 0 or t8.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t8.sensitivity and (ce.labels_any = 0 or t8.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t8.refs) and (ce.data_from is null or t8.t0 >= ce.data_from) and (ce.data_to is null or t8.t0 < ce.data_to) and (ce.refs is null or ce.refs && t8.refs))))) and t8."metric" = $6::text limit $7::int + 1) n) > $7::int as more from 
              (select t5."patient_id" as k0, t5."metric" as k1, t5."device" as k2, t5."day" as k3, 
                (select row_to_json(o6) from 
                  (select 
                    (select row_to_json(o7) from 
                      (select to_char(date_trunc('year', t5."day")::date, 'YYYY-MM-DD') as "day", 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t5."device"::text, 'UTF8'))), 'hex'), 24) as "device", t5."unit" as "unit", t5."n" as "count", case when t5."mn" between '-1.7976931348623157e308' and '1.7976931348623157e308' then t5."mn" end as "minimum", case when t5."mx" between '-1.7976931348623157e308' and '1.7976931348623157e308' then t5."mx" end as "maximum", case when (t5."sm" / nullif(t5."n", 0)) between '-1.7976931348623157e308' and '1.7976931348623157e308' then (t5."sm" / nullif(t5."n", 0)) end as "mean", case when t5."sm" between '-1.7976931348623157e308' and '1.7976931348623157e308' then t5."sm" end as "sum") o7) as "node") o6) as e0 from 
                (select t9."patient_id", t9."metric", t9."device", t9."day", t9."unit", t9."n", t9."mn", t9."mx", t9."sm" from wear_chunk t9 where t9."patient_id" = t0."patient_id" and (t9.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t9.patient_id and ce.purpose = $3::text and ce.categories & 8 <> 0 and ce.sensitivity_max >= t9.sensitivity and (t9.label_bits = 0 or t9.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t9.sensitivity and (ce.labels_any = 0 or t9.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t9.refs) and (ce.data_from is null or t9.t0 >= ce.data_from) and (ce.data_to is null or t9.t0 < ce.data_to) and (ce.refs is null or ce.refs && t9.refs))))) and t9."metric" = $6::text order by t9."patient_id", t9."metric", t9."device", t9."day" limit $7::int) t5) r) a2) as "wearableDays", 
          (select 
            (select row_to_json(o11) from 
              (select a10.x0 as "edges") o11) from 
            (select coalesce(json_agg(r.e0 order by r.k0, r.k1), '[]'::json) as x0 from 
              (select t12."patient_id" as k0, t12."device" as k1, 
                (select row_to_json(o13) from 
                  (select 
                    (select row_to_json(o14) from 
                      (select 'h:' || left(encode(sha256($2::bytea || sha256($1::bytea || convert_to(t12."device"::text, 'UTF8'))), 'hex'), 24) as "device", t12."source" as "source", to_char((date_trunc('year', t12."first_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "firstAt", to_char((date_trunc('year', t12."last_at" at time zone 'UTC') at time zone 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastAt") o14) as "node") o13) as e0 from 
                (select t15."patient_id", t15."device", t15."source", t15."first_at", t15."last_at" from wear_device t15 where t15."patient_id" = t0."patient_id" and (t15.sensitivity <= 0 and exists 
                  (select 1 from consent_effect ce where ce.patient_id = t15.patient_id and ce.purpose = $3::text and ce.categories & 8 <> 0 and ce.sensitivity_max >= t15.sensitivity and (t15.label_bits = 0 or t15.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t15.sensitivity and (ce.labels_any = 0 or t15.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t15.refs) and (ce.data_from is null or null::timestamptz >= ce.data_from) and (ce.data_to is null or null::timestamptz < ce.data_to) and (ce.refs is null or ce.refs && t15.refs))))) order by t15."patient_id", t15."device" limit $8::int) t12) r) a10) as "wearableDevices") o1) as j, t0.patient_id as person from patient t0 where (t0.sensitivity <= 0 and exists 
      (select 1 from consent_effect ce where ce.patient_id = t0.patient_id and ce.purpose = $3::text and ce.categories & 16 <> 0 and ce.sensitivity_max >= t0.sensitivity and (t0.label_bits = 0 or t0.label_bits & ~ce.labels = 0) and ce.valid_from <= $4::timestamptz and ce.valid_to > $4::timestamptz and (not ce.bound or (ce.sensitivity_min <= t0.sensitivity and (ce.labels_any = 0 or t0.label_bits & ce.labels_any <> 0) and (ce.recipients is null or ce.recipients && $5::text[]) and (ce.refs_not is null or not ce.refs_not && t0.refs))))) and t0."patient_id" = $9::uuid limit 1) r) f0
