import {
  MODALITIES,
  SMALL_ZIP3,
  type ColumnField,
  type EntityDeclaration,
  type Literal,
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
    case 'except':
      // Only where it is false for certain: what cannot be told stays forbidden.
      return `((${predicateSql(builder, entity, alias, predicate.of)}) is false)`;
    case 'in':
      return `${alias}.${memberSql(builder, entity, predicate)}`;
    case '<=':
      return `${alias}.sensitivity <= ${predicate.literal}`;
    case 'compare':
      return `${columnSql(alias, predicate.column, predicate.literal)} ${predicate.operator} ${literalSql(builder, predicate.literal)}`;
    case 'one-of':
      if (predicate.literals.length === 0) return 'false';
      return `(${predicate.literals.map((each) => `${columnSql(alias, predicate.column, each)} = ${literalSql(builder, each)}`).join(' or ')})`;
    case 'between':
      return `(${columnSql(alias, predicate.column, predicate.from)} >= ${literalSql(builder, predicate.from)} and ${columnSql(alias, predicate.column, predicate.to)} <= ${literalSql(builder, predicate.to)})`;
    case 'is-null':
      return `${alias}.${quoted(predicate.column)} is null`;
    case 'glass':
      return glassSql(builder, entity, alias);
    case 'consent':
      return consentSql(builder, entity, alias);
  }
}

function memberSql(builder: SqlBuilder, entity: EntityDeclaration, { attribute, me }: Predicate & { op: 'in' }): string {
  const column =
    attribute === 'principal'
      ? entity.principal
      : attribute === 'patient'
        ? entity.patient
        : attribute === 'site'
          ? 'site_id'
          : 'sensitivity';
  if (column === undefined) throw new Error(`rows of ${entity.table} have no ${attribute}`);
  switch (me) {
    case 'sub':
      return `${column} = ${builder.bind('me:sub', 'text', (values) => values.sub)}`;
    case 'sites':
      return `${column} = any(${builder.bind('me:sites', 'text[]', (values) => values.sites)})`;
    case 'patient':
      return `${column} = ${builder.bind('me:patient', 'uuid', (values) => values.patient)}`;
  }
}

/** A column in the form in which literals of a type are compared with it: texts by their bytes, numbers as float8. */
function columnSql(alias: string, column: string, literal: Literal): string {
  const target = `${alias}.${quoted(column)}`;
  return typeof literal === 'string' ? `${target}::text collate "C"` : typeof literal === 'number' ? `${target}::float8` : target;
}

function literalSql(builder: SqlBuilder, literal: Literal): string {
  const type = typeof literal === 'string' ? 'text' : typeof literal === 'number' ? 'float8' : 'bool';
  return builder.bind(`literal:${JSON.stringify(literal)}`, type, () => literal);
}

/** The caller broke the glass for the person of the row, and the time is not over. */
function glassSql(builder: SqlBuilder, entity: EntityDeclaration, alias: string): string {
  if (!entity.patient) return 'false';
  const sub = builder.bind('me:sub', 'text', (values) => values.sub);
  const now = builder.bind('now', 'timestamptz', (values) => values.now);
  return (
    `exists (select 1 from break_glass bg where bg.sub = ${sub} and bg.patient_id = ${alias}.${entity.patient}` +
    ` and bg.started_at <= ${now} and bg.ends_at > ${now}` +
    ` and not exists (select 1 from break_glass_event be where be.glass_id = bg.glass_id and be.kind = 'ended'))`
  );
}

/**
 * The person permits the purpose of the request for the modality, the confidentiality and the sensitivity labels of the row, now. What
 * else a permission may be bound to (recipients, data period, references) is looked at only where it is. A row whose clinical time is
 * not known lies in no data period. That most rows have no label is said first: the planner knows it, and nothing of the bits.
 */
function consentSql(builder: SqlBuilder, entity: EntityDeclaration, alias: string): string {
  if (!entity.patient || !entity.modality) return 'false';
  const purpose = builder.bind('purpose', 'text', (values) => values.purpose);
  const now = builder.bind('now', 'timestamptz', (values) => values.now);
  return (
    `exists (select 1 from consent_effect ce where ce.patient_id = ${alias}.${entity.patient} and ce.purpose = ${purpose}` +
    ` and ce.categories & ${MODALITIES[entity.modality]} <> 0 and ce.sensitivity_max >= ${alias}.sensitivity` +
    ` and (${alias}.label_bits = 0 or ${alias}.label_bits & ~ce.labels = 0) and ce.valid_from <= ${now} and ce.valid_to > ${now}` +
    ` and (not ce.bound or (${boundsSql(builder, entity, alias)})))`
  );
}

/** The row of the person has no time and no author: whoever may read some of the data may know whose they are, unless it is denied. */
function boundsSql(builder: SqlBuilder, entity: EntityDeclaration, alias: string): string {
  const identities = builder.bind('me:identities', 'text[]', (values) => values.identities);
  const occurred = entity.occurred === undefined ? 'null::timestamptz' : `${alias}.${entity.occurred}`;
  const ofPerson = entity.key.length === 1 && entity.key[0] === entity.patient;
  return [
    `ce.sensitivity_min <= ${alias}.sensitivity and (ce.labels_any = 0 or ${alias}.label_bits & ce.labels_any <> 0)`,
    `(ce.recipients is null or ce.recipients && ${identities})`,
    `(ce.refs_not is null or not ce.refs_not && ${alias}.refs)`,
    ...(ofPerson
      ? []
      : [
          `(ce.data_from is null or ${occurred} >= ce.data_from) and (ce.data_to is null or ${occurred} < ce.data_to)`,
          `(ce.refs is null or ce.refs && ${alias}.refs)`,
        ]),
  ].join(' and ');
}

/** What is masked: the cell, and the row that it stands in. */
export interface Masked {
  readonly expression: string;
  readonly type: SqlType;
  readonly alias: string;
  readonly entity: EntityDeclaration;
  readonly field?: ColumnField | undefined;
}

/** A masked cell. A mask that does not fit the type gives NULL. */
export function maskSql(builder: SqlBuilder, mask: Mask, cell: Masked): string {
  const { expression, type, alias, field } = cell;
  const nothing = `null::${castOf(type)}`;
  const text = type === 'text' || type === 'uuid';
  const length = `length(${expression}::text)`;
  switch (mask) {
    case 'HASH':
      return text ? `'h:' || left(encode(${hmacSql(builder, `${expression}::text`)}, 'hex'), 24)` : nothing;
    case 'LAST4':
      if (!text) return nothing;
      return `case when ${length} <= 4 then repeat('x', ${length}) else repeat('x', ${length} - 4) || right(${expression}::text, 4) end`;
    case 'FIRST4':
      if (!text) return nothing;
      return `case when ${length} <= 4 then repeat('x', ${length}) else left(${expression}::text, 4) || repeat('x', ${length} - 4) end`;
    case 'YEAR':
      if (type === 'date') return `date_trunc('year', ${expression})::date`;
      if (type === 'timestamptz') return `(date_trunc('year', ${expression} at time zone 'UTC') at time zone 'UTC')`;
      return nothing;
    case 'ZIP3':
      if (type !== 'text') return nothing;
      return `case when ${expression} !~ '^[0-9]{5}' or left(${expression}, 3) = any('{${SMALL_ZIP3.join(',')}}') then '000' else left(${expression}, 3) end`;
    case 'AGE90':
      return ageSql(builder, cell, nothing);
    case 'DATESHIFT':
      return shiftSql(builder, cell, nothing);
    case 'REDACT':
      return field?.redacted ? `${alias}.${quoted(field.redacted)}` : nothing;
    case 'NULL':
      return nothing;
  }
}

/** HMAC-SHA-256 (RFC 2104) from sha256 alone, under the key of the purpose. */
function hmacSql(builder: SqlBuilder, text: string): string {
  const inner = builder.bind('mask:inner', 'bytea', (values) => values.maskPads.inner);
  const outer = builder.bind('mask:outer', 'bytea', (values) => values.maskPads.outer);
  return `sha256(${outer} || sha256(${inner} || convert_to(${text}, 'UTF8')))`;
}

/** Ages over 89 are 90; of a birth only the year is left, and none before that of the ninetieth birthday. */
function ageSql(builder: SqlBuilder, { expression, type, field }: Masked, nothing: string): string {
  const oldest = (): string =>
    `(extract(year from ${builder.bind('now', 'timestamptz', (values) => values.now)} at time zone 'UTC')::int - 90)`;
  if (type === 'date') {
    return `case when ${expression} is not null then make_date(greatest(extract(year from ${expression})::int, ${oldest()}), 1, 1) end`;
  }
  if (type !== 'int') return nothing;
  return `case when ${expression} >= 0 then ${field?.identifier === 'birth' ? `greatest(${expression}, ${oldest()})` : `least(${expression}, 90)`} end`;
}

/** From 1 to 364 days back, the same for all dates of one person under one purpose. */
function shiftSql(builder: SqlBuilder, { expression, type, alias, entity }: Masked, nothing: string): string {
  if (!entity.patient || (type !== 'date' && type !== 'timestamptz')) return nothing;
  const word = `('x' || left(encode(${hmacSql(builder, `'shift:' || ${alias}.${entity.patient}::text`)}, 'hex'), 8))::bit(32)::bigint`;
  const days = `(1 + ${word} % 364)::int`;
  return type === 'date' ? `(${expression} - ${days})` : `(${expression} - make_interval(days => ${days}))`;
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
