import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One query with what it is asked with: lines `# as:` and `# with:` before its text. */
export interface GoldenCase {
  readonly domain: string;
  readonly name: string;
  /** Demo identities that ask it. */
  readonly as: readonly string[];
  /** Variables; `<patient>` and the like stand for ids of the cohort. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly query: string;
}

const headerOf = (text: string, name: string, file: string): string => {
  const found = new RegExp(`^# ${name}: (.+)$`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`${file} has no line "# ${name}:"`);
  return found;
};

/** All queries below the folder, in the order of their names. */
export function goldenCases(root: string): GoldenCase[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: domain }) =>
      readdirSync(join(root, domain))
        .filter((file) => file.endsWith('.graphql'))
        .map((file): GoldenCase => {
          const query = readFileSync(join(root, domain, file), 'utf8');
          return {
            domain,
            name: file.slice(0, -'.graphql'.length),
            as: headerOf(query, 'as', file).split(/,\s*/),
            given: JSON.parse(headerOf(query, 'with', file)) as Record<string, unknown>,
            query,
          };
        }),
    )
    .sort((a, b) => (`${a.domain}/${a.name}` < `${b.domain}/${b.name}` ? -1 : 1));
}

/** A statement with one line for each subquery, so that a change shows where it is. */
export function laidOut(sql: string): string {
  let depth = 0;
  const opened: boolean[] = [];
  let text = '';
  for (let i = 0; i < sql.length; i++) {
    const letter = sql[i] ?? '';
    if (letter === '(') {
      const query = sql.startsWith('(select ', i);
      opened.push(query);
      if (query) text += `\n${'  '.repeat(++depth)}`;
    } else if (letter === ')' && opened.pop() === true) depth -= 1;
    text += letter;
  }
  return `${text}\n`;
}
