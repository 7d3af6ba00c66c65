import type { Literal, Predicate } from '../../../kernel/index.js';

const TOKEN = /\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_]\w*)|(<=|>=|[=<>(),]))/y;
const OPERATORS: ReadonlySet<string> = new Set(['=', '<', '<=', '>', '>=']);
const TEXT_MAX = 2000;
const DEPTH_MAX = 16;

interface Token {
  readonly kind: 'literal' | 'name' | 'sign';
  readonly text: string;
  readonly value: Literal;
}

/**
 * A row filter, written as a SQL condition, as a predicate of the closed language: comparisons of a column with a literal, IN, BETWEEN,
 * IS NULL, joined by AND and OR. Anything else (functions, negation, other columns, macros) is null: it cannot be compiled.
 */
export function predicateOf(filter: string): Predicate | null {
  const tokens = filter.length > TEXT_MAX ? null : tokensOf(filter);
  if (tokens === null || tokens.length === 0) return null;
  const parser = new Parser(tokens);
  const predicate = parser.either(0);
  return parser.ended ? predicate : null;
}

function tokensOf(text: string): Token[] | null {
  const found: Token[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const [, quoted, number, name, sign] = TOKEN.exec(trimmed) ?? [];
    if (quoted !== undefined) found.push({ kind: 'literal', text: '', value: quoted.replaceAll("''", "'") });
    else if (number !== undefined) found.push({ kind: 'literal', text: '', value: Number(number) });
    else if (name !== undefined) found.push({ kind: 'name', text: name.toLowerCase(), value: false });
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign, value: false });
    else return null;
  }
  return found;
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get ended(): boolean {
    return this.at === this.tokens.length;
  }

  either(depth: number): Predicate | null {
    return this.joined('or', () => this.joined('and', () => this.one(depth)));
  }

  private joined(op: 'and' | 'or', part: () => Predicate | null): Predicate | null {
    const of = [part()];
    while (this.take(op)) of.push(part());
    const known = of.filter((each) => each !== null);
    const [only = null] = known;
    if (known.length < of.length) return null;
    return known.length === 1 ? only : { op, of: known };
  }

  private one(depth: number): Predicate | null {
    if (this.take('(')) {
      const inner = depth < DEPTH_MAX ? this.either(depth + 1) : null;
      return inner !== null && this.take(')') ? inner : null;
    }
    const column = this.tokens[this.at];
    if (column?.kind !== 'name') return null;
    this.at += 1;
    if (this.take('in')) return this.list(column.text);
    if (this.take('is')) return this.take('null') ? { op: 'is-null', column: column.text } : null;
    if (this.take('between')) return this.range(column.text);
    const operator = this.tokens[this.at]?.text ?? '';
    if (!OPERATORS.has(operator)) return null;
    this.at += 1;
    const literal = this.literal();
    return literal === null ? null : { op: 'compare', column: column.text, operator: operator as '=' | '<' | '<=' | '>' | '>=', literal };
  }

  private list(column: string): Predicate | null {
    if (!this.take('(')) return null;
    const literals: Literal[] = [];
    do {
      const literal = this.literal();
      if (literal === null) return null;
      literals.push(literal);
    } while (this.take(','));
    return this.take(')') ? { op: 'one-of', column, literals } : null;
  }

  private range(column: string): Predicate | null {
    const from = this.literal();
    if (from === null || !this.take('and')) return null;
    const to = this.literal();
    return to === null ? null : { op: 'between', column, from, to };
  }

  private literal(): Literal | null {
    const token = this.tokens[this.at];
    if (token === undefined) return null;
    if (token.kind === 'name' && (token.text === 'true' || token.text === 'false')) {
      this.at += 1;
      return token.text === 'true';
    }
    if (token.kind !== 'literal') return null;
    this.at += 1;
    return token.value;
  }

  private take(text: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || token.kind === 'literal' || token.text !== text) return false;
    this.at += 1;
    return true;
  }
}
