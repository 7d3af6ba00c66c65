import { AsyncLocalStorage } from 'node:async_hooks';
import { Client } from 'pg';

/** A statement as a driver was handed it. */
export interface Statement {
  readonly text: string;
  readonly name: string | null;
}

const current = new AsyncLocalStorage<Statement[]>();

/** Hears of every statement that work hands to Postgres, whichever connection it takes. Returns the work's own result beside them. */
export async function traced<T>(work: () => Promise<T>): Promise<{ result: T; statements: readonly Statement[] }> {
  const statements: Statement[] = [];
  const result = await current.run(statements, work);
  return { result, statements };
}

/** Runs work that belongs to nobody's request, for example the oracle's own. */
export const untraced = <T>(work: () => Promise<T>): Promise<T> => current.exit(work);

type Query = (this: Client, config: unknown, ...rest: unknown[]) => unknown;

/** Puts the hook into the driver of this process; the function that is given back takes it out. */
export function hookDriver(): () => void {
  const prototype = Client.prototype as unknown as { query: Query };
  const { query } = prototype;
  prototype.query = function (config, ...rest) {
    current.getStore()?.push(statementOf(config));
    return query.call(this, config, ...rest);
  };
  return () => {
    prototype.query = query;
  };
}

function statementOf(config: unknown): Statement {
  if (typeof config === 'string') return { text: config, name: null };
  const { text, name } = config as { text?: unknown; name?: unknown };
  if (typeof text !== 'string') throw new Error('a statement without text cannot be traced');
  return { text, name: typeof name === 'string' ? name : null };
}
