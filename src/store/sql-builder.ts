import type { PlanValues } from '../kernel/index.js';

export type Bind = (values: PlanValues) => unknown;

/** Collects the parameters of one statement. Every value is bound; identifiers come from declarations only. */
export class SqlBuilder {
  readonly binds: Bind[] = [];
  private readonly known = new Map<string, string>();
  private aliases = 0;

  /** A parameter; equal keys share one. */
  bind(key: string, type: string, bind: Bind): string {
    const found = this.known.get(`${key}::${type}`);
    if (found) return found;
    this.binds.push(bind);
    const text = `$${this.binds.length}::${type}`;
    this.known.set(`${key}::${type}`, text);
    return text;
  }

  argument(index: number, name: string, type: string): string {
    return this.bind(`arg:${index}:${name}`, type, (values) => values.args[index]?.[name] ?? null);
  }

  alias(prefix = 't'): string {
    return `${prefix}${this.aliases++}`;
  }
}

/** A column or alias name in quotes. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
