/** Checks on the text of the project. Each takes files (path to text) and gives one line per fault; empty = tidy. */
export type Files = ReadonlyMap<string, string>;
export type Check = (files: Files) => string[];

/** Everything that may lie at the top. A new name here is a decision, not an accident. */
const TOP = new Set(
  [
    'bin docs migrations schema src test .ci',
    'package.json package-lock.json tsconfig.json codegen.yml knip.json jest.config.js eslint.config.mjs',
    '.dependency-cruiser.cjs .gitignore .npmrc .prettierrc.json .prettierignore .swcrc .dockerignore Dockerfile lefthook.yml vite.config.ts',
    'README.md ARCHITECTURE.md CHANGELOG.md CONTRACT.md SECURITY.md LICENSE NOTICE',
  ].flatMap((line) => line.split(' ')),
);

const DOMAIN_FILES = ['features.ts', 'index.ts', 'model.ts', 'pipeline.ts', 'policy.ts', 'resolvers.ts'];
/** What a domain may split off, under the same name everywhere: long stages of the pipeline, batched readers, tables that no field serves, erasure from packed rows. */
const DOMAIN_EXTRAS = ['stage.ts', 'readers.ts', 'tables.ts', 'erase.ts'];

const LINES_MAX = 400;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const CODE = /\.(ts|tsx|js|cjs|mjs)$/;
// The words are joined here, so that this file holds none of them.
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`);
const MACHINE_PATH = new RegExp(`(?<![\\w.*<>$}-])/(${['home', 'Users', 'root', 'work'].join('|')})/[\\w.-]+`);
const REGISTRY = new RegExp(['https?://regi', 'stry\\.'].join(''));

const isGenerated = (file: string): boolean => file === 'package-lock.json' || file.startsWith('schema/') || file.includes('/generated/');

/** Gives `file:line` of each line that matches. */
function linesWith(files: Files, pattern: RegExp, which: (file: string) => boolean): string[] {
  return [...files]
    .filter(([file]) => which(file))
    .flatMap(([file, text]) => text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}`] : [])));
}

export const topLevel: Check = (files) =>
  [...new Set([...files.keys()].map((file) => file.split('/')[0]!))].filter((name) => !TOP.has(name));

export const domainRooms: Check = (files) => {
  const rooms = new Map<string, Set<string>>();
  for (const file of files.keys()) {
    const [, domain, name] = /^src\/domains\/([^/]+)\/([^/]+)/.exec(file) ?? [];
    if (domain !== undefined && name !== undefined) rooms.set(domain, (rooms.get(domain) ?? new Set()).add(name));
  }
  return [...rooms].flatMap(([domain, names]) => [
    ...[...DOMAIN_FILES, 'formats'].filter((name) => !names.has(name)).map((name) => `${domain} lacks ${name}`),
    ...[...names].filter((name) => ![...DOMAIN_FILES, ...DOMAIN_EXTRAS, 'formats'].includes(name)).map((name) => `${domain} has ${name}`),
  ]);
};

export const doors: Check = (files) => {
  const rooms = new Set([...files.keys()].flatMap((file) => /^src\/(domains\/[^/]+|(?!domains)[^/]+)\//.exec(file)?.[1] ?? []));
  return [...rooms].filter((room) => room !== 'console' && !files.has(`src/${room}/index.ts`)).map((room) => `src/${room} has no index.ts`);
};

export const names: Check = (files) =>
  [...files.keys()].filter(
    (file) =>
      /^(src|test|migrations|bin|docs|schema)\//.test(file) && !file.split('/').every((part) => KEBAB.test(part.replace(/^[._]/, ''))),
  );

export const migrationNames: Check = (files) =>
  [...files.keys()].filter((file) => /^migrations\/\d/.test(file) && !/^migrations\/\d{14}(-[a-z0-9]+){2,}\.ts$/.test(file));

export const unfinished: Check = (files) => linesWith(files, UNFINISHED, (file) => !isGenerated(file));

export const starExports: Check = (files) => linesWith(files, /^\s*export \*/, (file) => file.startsWith('src/'));

export const longFiles: Check = (files) =>
  [...files]
    .filter(([file]) => CODE.test(file) && !isGenerated(file))
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ file, lines }) => `${file} has ${lines} lines`);

export const machinePaths: Check = (files) => linesWith(files, MACHINE_PATH, () => true);

export const registryHosts: Check = (files) => [
  ...linesWith(files, REGISTRY, () => true),
  ...linesWith(files, /"resolved": "https?:/, (file) => file === 'package-lock.json'),
];

/** A decision paper says when, whether it holds, and why before what (ST16). */
export const decisions: Check = (files) => {
  const papers = [...files].filter(([file]) => file.startsWith('docs/adr/')).sort(([a], [b]) => (a < b ? -1 : 1));
  return papers.flatMap(([file, text], at) => {
    const number = String(at + 1).padStart(4, '0');
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    return [
      ...(new RegExp(`^docs/adr/${number}-[a-z0-9-]+\\.md$`).test(file) ? [] : [`${file} should have the number ${number}`]),
      ...(/^- Date: \d{4}-\d{2}-\d{2}$/m.test(text) ? [] : [`${file} has no date`]),
      ...(/^- Status: (proposed|accepted|superseded by \d{4})$/m.test(text) ? [] : [`${file} has no status`]),
      ...(headings[0] === 'Why' ? [] : [`${file} does not say why first`]),
      ...['Decision', 'Consequences', 'Measurement']
        .filter((part) => !headings.includes(part))
        .map((part) => `${file} has no part ${part}`),
    ];
  });
};

export const changeLog: Check = (files) => {
  const { version } = JSON.parse(files.get('package.json') ?? '{}') as { version?: string };
  return files.get('CHANGELOG.md')?.includes(`\n## ${version ?? ''} `) === true
    ? []
    : [`CHANGELOG.md has no part for ${version ?? 'the version'}`];
};
