/** The own lint rules for own dangers: each is shown to fail, and to let pass what is meant to pass. */
import { ROOT, projectFiles, runTool } from './support';

interface Case {
  readonly file: string;
  readonly text: string;
  readonly says: string | null;
}

const now = 'export const at = Date.now();\n';
const pool = "import { Pool } from 'pg';\nexport const pool = new Pool();\n";
const token = "import { jwtVerify } from 'jose';\nexport const read = jwtVerify;\n";
const insert = 'export const write = (rows: { insert: (row: number) => void }): void => {\n  rows.insert(1);\n};\n';

const operator = (name: string): string => `import { ${name} } from 'graphql-shield';\nexport const use = ${name};\n`;
const options = (call: string): string =>
  `import { rule, shield } from 'graphql-shield';\nexport const deny = rule('deny', { cache: 'no_cache' })(() => false);\nexport const made = ${call};\nexport const used = [rule, shield];\n`;

/** Each text stands in the place of a file that exists, since rules with types know the files of the project only. */
const CASES: readonly Case[] = [
  { file: 'src/governance/decide.ts', text: now, says: 'house/clock' },
  { file: 'src/governance/decide.ts', text: 'export const at = new Date();\n', says: 'house/clock' },
  { file: 'src/governance/decide.ts', text: 'export const at = (ms: number): Date => new Date(ms);\n', says: null },
  { file: 'test/house/support.ts', text: now, says: null },
  { file: 'src/gateway/plan.ts', text: pool, says: 'house/pool' },
  { file: 'src/store/pool.ts', text: pool, says: null },
  { file: 'src/gateway/plan.ts', text: token, says: 'house/identity' },
  { file: 'src/store/pool.ts', text: token, says: 'house/identity' },
  ...['jwtDecrypt', 'decodeJwt', 'compactVerify', 'generalVerify'].map((name) => ({
    file: 'src/cli/wire.ts',
    text: `import { ${name} } from 'jose';\nexport const read = ${name};\n`,
    says: 'house/identity',
  })),
  { file: 'src/gateway/plan.ts', text: "import * as jose from 'jose';\nexport const read = jose.jwtVerify;\n", says: 'house/identity' },
  { file: 'src/gateway/identity.ts', text: token, says: null },
  { file: 'src/gateway/identity.ts', text: pool, says: 'house/pool' },
  ...['not', 'race', 'and', 'or', 'chain', 'allow', 'deny', 'inputRule'].map((name) => ({
    file: 'src/governance/guard.ts',
    text: operator(name),
    says: 'house/shield',
  })),
  { file: 'src/governance/guard.ts', text: operator('rule'), says: null },
  { file: 'src/governance/guard.ts', text: "import * as s from 'graphql-shield';\nexport const use = s.not;\n", says: 'house/shield' },
  ...['src/governance/decide.ts', 'src/gateway/identity.ts', 'src/store/pool.ts', 'src/domains/patients/resolvers.ts'].map((file) => ({
    file,
    text: operator('rule'),
    says: 'house/shield',
  })),
  {
    file: 'src/gateway/plan.ts',
    text: "import { applyMiddleware } from 'graphql-middleware';\nexport const use = applyMiddleware;\n",
    says: 'house/shield',
  },
  { file: 'test/house/support.ts', text: operator('not'), says: null },
  ...["rule('a', { cache: 'no_cache' })(() => true)", 'shield({}, { fallbackRule: deny, debug: false, allowExternalErrors: false })'].map(
    (call) => ({ file: 'src/governance/guard.ts', text: options(call), says: null }),
  ),
  ...[
    "rule('a', { cache: 'contextual' })(() => true)",
    "rule('a', { cache: 'strict' })(() => true)",
    "rule('a', { cache: true })(() => true)",
    "rule('a', { cache: () => 'key' })(() => true)",
    "rule('a', { fragment: 'f' })(() => true)",
    "rule('a')(() => true)",
    'rule()(() => true)',
    'shield({})',
    'shield({}, { debug: false })',
    'shield({}, { fallbackRule: undefined })',
    'shield({}, { fallbackRule: deny, debug: true })',
    'shield({}, { fallbackRule: deny, allowExternalErrors: true })',
  ].map((call) => ({ file: 'src/governance/guard.ts', text: options(call), says: 'house/shield' })),
  { file: 'src/governance/guard.ts', text: now, says: 'house/clock' },
  { file: 'src/domains/patients/resolvers.ts', text: insert, says: 'house/bulk' },
  { file: 'src/domains/patients/resolvers.ts', text: now, says: 'house/clock' },
  { file: 'src/store/pool.ts', text: insert, says: null },
  { file: 'src/gateway/plan.ts', text: 'console.log(1);\n', says: 'Unexpected console statement.' },
  { file: 'src/gateway/plan.ts', text: 'export const a = (b: any): unknown => b;\n', says: 'Unexpected any.' },
  { file: 'test/house/support.ts', text: 'export const a = (b: any): unknown => b;\n', says: 'Unexpected any.' },
  {
    file: 'src/gateway/plan.ts',
    text: "import { Plan } from '../kernel/index.js';\nexport type P = Plan;\n",
    says: 'All imports in the declaration are only used as types.',
  },
  {
    file: 'src/gateway/plan.ts',
    text: 'export const a = async (): Promise<void> => { Promise.resolve(1); await Promise.resolve(); };\n',
    says: 'Promises must be awaited',
  },
];

const SCRIPT = `
import { ESLint } from 'eslint';
import { readFileSync } from 'node:fs';
const eslint = new ESLint();
const answers = [];
for (const { file, text } of JSON.parse(readFileSync(0, 'utf8'))) {
  const [result] = await eslint.lintText(text, { filePath: file });
  answers.push(result.messages.map(({ message }) => message));
}
process.stdout.write(JSON.stringify(answers));
`;

/** All texts in one process, since most of the time goes into reading the types once. */
function lint(cases: readonly Case[]): string[][] {
  const { stdout, stderr } = runTool('', ['--input-type=module', '-e', SCRIPT], ROOT, JSON.stringify(cases));
  if (stdout === '') throw new Error(`eslint said nothing: ${stderr}`);
  return JSON.parse(stdout) as string[][];
}

describe('the lint rules of this house', () => {
  const answers = lint(CASES);
  const named = CASES.map((entry, at) => ({ ...entry, verdict: entry.says ?? 'nothing', messages: answers[at] ?? [] }));

  it.each(named)('say $verdict in $file to $text', ({ says, messages }) => {
    if (says === null) expect(messages).toEqual([]);
    else expect(messages).toContainEqual(expect.stringContaining(says));
  });

  it('are tried on files that exist', () => {
    const files = new Set(projectFiles());
    expect(CASES.filter(({ file }) => !files.has(file))).toEqual([]);
  });
});
