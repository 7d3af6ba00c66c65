import {
  MODALITIES,
  SMALL_ZIP3,
  type ColumnField,
  type EntityDeclaration,
  type Mask,
  type Predicate,
  type SqlType,
} from '../kernel/index.js';
import { quoted, type SqlBuilder } from './sql-builder.js';

/** A row predicate as SQL over the rows of `alias`. Comparison with NULL is not true, so it shows nothing. */
export function predicateSql(builder: SqlBuilder, entity: EntityDeclaration, alias: string, predicate: Predicate): string {
  switch (predicate.op) {
    case 'true':
      return 'true';
    case 'false':
      return 'false';
    case 'and':
    case 'or':
      return `(${predicate.of.map((each) => predicateSql(builder, entity, alias, each)).join(` ${predicate.op} `)})`;
    case 'in':
      return predicate.attribute === 'principal'
        ? `${alias}.${entity.principal ?? 'null'} = ${builder.bind('me:sub', 'text', (values) => values.sub)}`
        : `${alias}.site_id = any(${builder.bind('me:sites', 'text[]', (values) => values.sites)})`;
    case '<=':
      return `${alias}.sensitivity <= ${predicate.literal}`;
    case 'consent':
      return consentSql(builder, entity, alias);
  }
}

/** The person permits the purpose of the request for the modality and the confidentiality of the row, now. */
function consentSql(builder: SqlBuilder, entity: EntityDeclaration, alias: string): string {
  if (!entity.patient || !entity.modality) return 'false';
  const purpose = builder.bind('purpose', 'text', (values) => values.purpose);
  const now = builder.bind('now', 'timestamptz', (values) => values.now);
  return (
    `exists (select 1 from consent_effect ce where ce.patient_id = ${alias}.${entity.patient} and ce.purpose = ${purpose}` +
    ` and ce.categories & ${MODALITIES[entity.modality]} <> 0 and ce.sensitivity_max >= ${alias}.sensitivity` +
    ` and ce.valid_from <= ${now} and ce.valid_to > ${now})`
  );
}

/** A masked cell. A mask that does not fit the type gives NULL. */
export function maskSql(builder: SqlBuilder, mask: Mask, expression: string, type: SqlType, alias: string, field?: ColumnField): string {
  const text = type === 'text' || type === 'uuid';
  switch (mask) {
    case 'HASH': {
      if (!text) return `null::${castOf(type)}`;
      const inner = builder.bind('mask:inner', 'bytea', (values) => values.maskPads.inner);
      const outer = builder.bind('mask:outer', 'bytea', (values) => values.maskPads.outer);
      return `'h:' || left(encode(sha256(${outer} || sha256(${inner} || convert_to(${expression}::text, 'UTF8'))), 'hex'), 24)`;
    }
    case 'LAST4':
      if (!text) return `null::${castOf(type)}`;
      return `case when length(${expression}::text) <= 4 then repeat('x', length(${expression}::text)) else repeat('x', length(${expression}::text) - 4) || right(${expression}::text, 4) end`;
    case 'YEAR':
      if (type === 'date') return `date_trunc('year', ${expression})::date`;
      if (type === 'timestamptz') return `(date_trunc('year', ${expression} at time zone 'UTC') at time zone 'UTC')`;
      return `null::${castOf(type)}`;
    case 'ZIP3':
      if (type !== 'text') return `null::${castOf(type)}`;
      return `case when ${expression} !~ '^[0-9]{5}' or left(${expression}, 3) = any('{${SMALL_ZIP3.join(',')}}') then '000' else left(${expression}, 3) end`;
    case 'REDACT':
      return field?.redacted ? `${alias}.${quoted(field.redacted)}` : `null::${castOf(type)}`;
    case 'NULL':
      return `null::${castOf(type)}`;
  }
}

export function castOf(type: SqlType): string {
  if (type === 'json') return 'jsonb';
  return type === 'int' ? 'int4' : type === 'bigint' ? 'int8' : type;
}

/** The JSON text form of a value; one form for each type, shared by both executors. */
export function jsonForm(expression: string, type: SqlType): string {
  switch (type) {
    case 'timestamptz':
      return `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
    case 'date':
      return `to_char(${expression}, 'YYYY-MM-DD')`;
    case 'float8':
      // NaN and infinities are no JSON numbers; Postgres would print them as text.
      return `case when ${expression} between '-1.7976931348623157e308' and '1.7976931348623157e308' then ${expression} end`;
    default:
      return expression;
  }
}
