import { isInputObjectType, isListType, isNonNullType, type GraphQLInputType } from 'graphql';

/** One argument of a selection: its value, and whether the document names it by a variable. */
export interface Given {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly value: unknown;
  readonly variable: boolean;
  /** Without it the answers of two moments cannot be compared. */
  readonly kept?: boolean;
}

/** One field of a generated query; small enough to be cut down when it fails. */
export interface Selection {
  readonly field: string;
  readonly alias: string | null;
  readonly given: readonly Given[];
  /** The type whose field it is: fragments need it. */
  readonly on: string;
  readonly wrap: 'none' | 'inline' | 'bare' | 'fragment';
  readonly directive: { readonly name: 'skip' | 'include'; readonly on: boolean; readonly variable: boolean } | null;
  /** null for a leaf. */
  readonly of: readonly Selection[] | null;
}

export interface Question {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The text of a query with its fragments and the values of its variables. */
export function writeQuery(selections: readonly Selection[]): Question {
  const writer = new Writer();
  const body = writer.set(selections);
  const head = writer.declared.length > 0 ? `query Fuzz(${writer.declared.join(', ')})` : 'query Fuzz';
  return { query: [`${head} ${body}`, ...writer.fragments].join('\n'), variables: writer.variables };
}

class Writer {
  readonly declared: string[] = [];
  readonly fragments: string[] = [];
  readonly variables: Record<string, unknown> = {};
  private names = 0;

  set(selections: readonly Selection[]): string {
    return `{ ${selections.map((each) => this.selection(each)).join(' ')} }`;
  }

  private selection(each: Selection): string {
    const given = each.given.map(
      (argument) =>
        `${argument.name}: ${argument.variable ? this.variable(argument.type, argument.value) : literal(argument.type, argument.value)}`,
    );
    const directive = each.directive
      ? ` @${each.directive.name}(if: ${each.directive.variable ? this.condition(each.directive.on) : String(each.directive.on)})`
      : '';
    const field = `${each.alias === null ? '' : `${each.alias}: `}${each.field}${given.length > 0 ? `(${given.join(', ')})` : ''}${directive}${each.of ? ` ${this.set(each.of)}` : ''}`;
    if (each.wrap === 'bare') return `... { ${field} }`;
    if (each.wrap === 'inline') return `... on ${each.on} { ${field} }`;
    if (each.wrap === 'none') return field;
    const name = `F${this.names++}`;
    this.fragments.push(`fragment ${name} on ${each.on} { ${field} }`);
    return `...${name}`;
  }

  private variable(type: GraphQLInputType, value: unknown): string {
    const name = `v${this.names++}`;
    this.declared.push(`$${name}: ${String(type)}`);
    this.variables[name] = value;
    return `$${name}`;
  }

  private condition(on: boolean): string {
    const name = `c${this.names++}`;
    this.declared.push(`$${name}: Boolean!`);
    this.variables[name] = on;
    return `$${name}`;
  }
}

function literal(type: GraphQLInputType, value: unknown): string {
  if (value === null) return 'null';
  if (isNonNullType(type)) return literal(type.ofType, value);
  if (isListType(type)) {
    const items = Array.isArray(value) ? value : [value];
    return `[${items.map((item) => literal(type.ofType, item)).join(', ')}]`;
  }
  if (isInputObjectType(type)) throw new Error('queries take no input objects');
  // A value of an enum is a bare name.
  return 'getValues' in type && typeof value === 'string' ? value : JSON.stringify(value);
}

/** Queries that are a little smaller: one selection less, or one without its wrapping, alias or arguments. */
export function* smaller(selections: readonly Selection[]): Generator<readonly Selection[]> {
  for (const [i, each] of selections.entries()) {
    const replace = (...made: Selection[]): readonly Selection[] => [...selections.slice(0, i), ...made, ...selections.slice(i + 1)];
    if (selections.length > 1) yield replace();
    if (each.wrap !== 'none') yield replace({ ...each, wrap: 'none' });
    if (each.directive) yield replace({ ...each, directive: null });
    for (const [k, given] of each.given.entries()) {
      if (!isNonNullType(given.type) && given.kept !== true) yield replace({ ...each, given: each.given.filter((_, at) => at !== k) });
      if (given.variable) yield replace({ ...each, given: each.given.map((one, at) => (at === k ? { ...one, variable: false } : one)) });
    }
    if (each.alias !== null && !selections.some((other) => other !== each && (other.alias ?? other.field) === each.field))
      yield replace({ ...each, alias: null });
    if (each.of) for (const of of smaller(each.of)) yield replace({ ...each, of });
  }
}
