import {
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { DECLARATION, type FieldDeclaration } from '../../src/kernel/index.js';
import type { Given, Selection } from './document.js';
import type { Draw } from './random.js';
import type { Values } from './values.js';

const FIELDS_MAX = 70;
const DEPTH_MAX = 11;
const ALIASES_MAX = 20;
/** Lists whose rows change while the fuzz runs take these arguments always. */
const ALWAYS = new Set(['lineageRuns.to', 'auditRecords.logId']);
/** Arguments without which a reader answers nothing; each set is enough. */
const READER_NEEDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  genotypes: [['gene'], ['variantIds'], ['assembly', 'chrom', 'start', 'end']],
};

/** Draws valid queries of one class schema. */
export class QueryGenerator {
  private fields = 0;
  private aliases = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly values: Values,
    private readonly draw: Draw,
    /** Share of arguments that name nobody or break a limit. */
    private readonly faults: number,
  ) {}

  query(): Selection[] {
    this.fields = 0;
    this.aliases = 0;
    const query = this.schema.getQueryType();
    if (!query) throw new Error('the class sees no query');
    return this.selections(query, 0, this.draw.int(1, 3));
  }

  private selections(type: GraphQLObjectType, depth: number, wanted: number): Selection[] {
    const taken = new Set<string>();
    const made: Selection[] = [];
    const candidates = Object.values(type.getFields()).filter(
      (field) => !handWritten(field) && (depth < DEPTH_MAX - 4 || !isObjectType(getNamedType(field.type)) || structural(field.name)),
    );
    for (let i = 0; i < wanted && this.fields < FIELDS_MAX; i++) {
      if (this.draw.chance(0.06)) {
        if (!taken.has('__typename'))
          made.push({ field: '__typename', alias: null, given: [], on: type.name, wrap: this.wrapping(), directive: null, of: null });
        taken.add('__typename');
        continue;
      }
      const one = this.field(type, this.draw.pick(candidates), depth, taken);
      if (one) made.push(...this.split(one));
    }
    // An empty selection is no document, and one that may be skipped in whole leaves an empty object, which is worth asking too.
    if (made.length === 0)
      made.push({ field: '__typename', alias: null, given: [], on: type.name, wrap: 'none', directive: null, of: null });
    return made;
  }

  private field(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>, depth: number, taken: Set<string>): Selection | null {
    const canAlias = this.aliases < ALIASES_MAX;
    let alias: string | null = null;
    if (taken.has(field.name) || (canAlias && this.draw.chance(0.12))) {
      if (!canAlias) return null;
      // The last is longer than a name may be in Postgres, so that the other path answers.
      alias = this.draw.chance(0.03) ? `${'long'.repeat(16)}${this.aliases}` : this.draw.pick([`a${this.aliases}`, `x_${this.aliases}`]);
      this.aliases += 1;
    }
    taken.add(alias ?? field.name);
    this.fields += 1;
    const named = getNamedType(field.type);
    const of = isObjectType(named) ? this.selections(named, depth + 1, this.width(field.name, named)) : null;
    const directive = this.draw.chance(0.06)
      ? { name: this.draw.pick(['skip', 'include'] as const), on: this.draw.chance(0.5), variable: this.draw.chance(0.5) }
      : null;
    return { field: field.name, alias, given: this.given(field), on: type.name, wrap: this.wrapping(), directive, of };
  }

  private width(name: string, type: GraphQLObjectType): number {
    if (name === 'edges') return this.draw.int(1, 2);
    if (name === 'pageInfo') return this.draw.int(1, 2);
    return type.name.endsWith('Connection') ? this.draw.int(1, 3) : this.draw.int(1, 7);
  }

  private wrapping(): Selection['wrap'] {
    if (this.draw.chance(0.8)) return 'none';
    return this.draw.pick(['inline', 'bare', 'fragment'] as const);
  }

  /** Now and then one field is asked twice with parts of its selection each; both must merge. */
  private split(one: Selection): Selection[] {
    if (!one.of || one.of.length < 2 || one.directive !== null || !this.draw.chance(0.12) || one.given.some((each) => each.variable))
      return [one];
    const cut = this.draw.int(1, one.of.length - 1);
    return [
      { ...one, of: one.of.slice(0, cut) },
      { ...one, wrap: this.wrapping(), of: one.of.slice(cut) },
    ];
  }

  private given(field: GraphQLField<unknown, unknown>): Given[] {
    const needs = READER_NEEDS[field.name];
    const wanted = new Set(needs ? this.draw.pick(needs) : []);
    const made: Given[] = [];
    for (const argument of field.args) {
      const required = isNonNullType(argument.type) || ALWAYS.has(`${field.name}.${argument.name}`) || wanted.has(argument.name);
      const likely = argument.name === 'first' ? 0.8 : argument.name === 'after' ? 0.02 : 0.15;
      if (!required && !this.draw.chance(likely)) continue;
      made.push({
        name: argument.name,
        type: argument.type,
        value: this.value(field, argument, required),
        variable: this.draw.chance(0.35),
        kept: ALWAYS.has(`${field.name}.${argument.name}`),
      });
    }
    return made;
  }

  private value(field: GraphQLField<unknown, unknown>, argument: GraphQLArgument, required: boolean): unknown {
    const known = this.values.get(`${field.name}.${argument.name}`) ?? this.values.get(argument.name);
    const type = getNullableType<GraphQLInputType>(argument.type);
    if (ALWAYS.has(`${field.name}.${argument.name}`)) return this.draw.pick(known ?? []);
    if (!required && this.draw.chance(0.05)) return null;
    const named = getNamedType(type);
    if (isEnumType(named)) return this.draw.pick(named.getValues()).name;
    if (this.draw.chance(this.faults)) return this.fault(argument.name, named.name, isListType(type));
    if (named.name === 'Boolean') return this.draw.chance(0.5);
    if (known && known.length > 0) {
      if (isListType(type)) return Array.from({ length: this.draw.int(0, 4) }, () => this.draw.pick(known));
      const value = this.draw.pick(known);
      return named.name === 'LocalDate' && typeof value === 'string' ? value.slice(0, 10) : value;
    }
    return this.fault(argument.name, named.name, isListType(type));
  }

  private fault(name: string, type: string, list: boolean): unknown {
    if (name === 'first') return this.draw.pick([-1, 501, 0]);
    if (type === 'Int') return this.draw.pick([0, -5, 2_147_483_647]);
    if (type === 'DateTimeISO') return '1900-01-01T00:00:00.000Z';
    if (type === 'LocalDate') return '1900-01-01';
    if (type === 'Boolean') return false;
    const text = this.draw.pick(['', 'nobody', '00000000-0000-7000-8000-000000000000', "' or 1=1 --", 'ä€😀', '%', '\\', 'WyJ4Il0=']);
    return list ? [text] : text;
  }
}

/** Hand-written queries have one path only, so there is nothing to compare. */
const handWritten = (field: GraphQLField<unknown, unknown>): boolean =>
  (field.extensions[DECLARATION] as FieldDeclaration | undefined)?.kind === 'operation';

const structural = (name: string): boolean => name === 'edges' || name === 'node' || name === 'pageInfo';
