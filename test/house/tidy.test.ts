/** The house style as a test (ST10, ST16). Each check is shown to fail on a planted fault. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, projectFiles, runTool } from './support';
import * as checks from './tidy-checks';
import type { Check, Files } from './tidy-checks';

const house: Files = new Map(projectFiles().map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));

const domain = (name: string, ...files: string[]): [string, string][] => files.map((file) => [`src/domains/${name}/${file}`, '']);
const rooms = ['features.ts', 'index.ts', 'model.ts', 'pipeline.ts', 'policy.ts', 'resolvers.ts', 'formats/text.ts'];
const paper = '# 1. Thing\n\n- Date: 2026-11-22\n- Status: accepted\n\n## Why\n\n## Decision\n\n## Consequences\n\n## Measurement\n';
// Joined here, so that this file does not hold what it plants.
const word = ['TO', 'DO'].join('');
const home = ['/ho', 'me'].join('');
const registry = ['regi', 'stry'].join('');

interface Case {
  readonly check: Check;
  readonly good: readonly (readonly [file: string, text: string])[];
  readonly bad: readonly (readonly [file: string, text: string])[];
  readonly says: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'the top level holds the allowed names only': {
    check: checks.topLevel,
    good: [
      ['src/cli.ts', ''],
      ['README.md', ''],
    ],
    bad: [
      ['notes.txt', ''],
      ['old/cli.ts', ''],
    ],
    says: ['notes.txt', 'old'],
  },
  'each domain has the same rooms': {
    check: checks.domainRooms,
    good: [...domain('notes', ...rooms), ...domain('imaging', ...rooms, 'stage.ts', 'readers.ts')],
    bad: [...domain('notes', ...rooms.slice(1)), ...domain('imaging', ...rooms, 'helpers.ts')],
    says: ['notes lacks features.ts', 'imaging has helpers.ts'],
  },
  'each room has a door': {
    check: checks.doors,
    good: [['src/store/index.ts', ''], ['src/store/pool.ts', ''], ['src/console/main.tsx', ''], ...domain('notes', 'index.ts')],
    bad: [['src/store/pool.ts', ''], ...domain('notes', 'model.ts')],
    says: ['src/store has no index.ts', 'src/domains/notes has no index.ts'],
  },
  'names are lower-kebab': {
    check: checks.names,
    good: [
      ['src/store/row-source.ts', ''],
      ['test/house/tidy.test.ts', ''],
      ['docs/adr/0001-thing.md', ''],
    ],
    bad: [
      ['src/store/rowSource.ts', ''],
      ['test/House/tidy.test.ts', ''],
      ['src/store/row_source.ts', ''],
    ],
    says: ['src/store/rowSource.ts', 'test/House/tidy.test.ts', 'src/store/row_source.ts'],
  },
  'migrations are named by time, verb and noun': {
    check: checks.migrationNames,
    good: [
      ['migrations/20261122100000-create-mesh.ts', ''],
      ['migrations/sql.ts', ''],
    ],
    bad: [
      ['migrations/20261122-create-mesh.ts', ''],
      ['migrations/20261122100000-mesh.ts', ''],
    ],
    says: ['migrations/20261122-create-mesh.ts', 'migrations/20261122100000-mesh.ts'],
  },
  'nothing is marked as unfinished': {
    check: checks.unfinished,
    good: [['src/cli.ts', 'const todos = 1;\n']],
    bad: [['src/cli.ts', `\n// ${word}: later\n`]],
    says: ['src/cli.ts:2'],
  },
  'a door names what it gives': {
    check: checks.starExports,
    good: [['src/store/index.ts', "export { a } from './a.js';\n"]],
    bad: [['src/store/index.ts', "export { a } from './a.js';\nexport * from './b.js';\n"]],
    says: ['src/store/index.ts:2'],
  },
  'no file is longer than 400 lines': {
    check: checks.longFiles,
    good: [
      ['src/cli.ts', '\n'.repeat(400)],
      ['schema/api.graphql', '\n'.repeat(900)],
      ['test/operations/generated/graphql.ts', '\n'.repeat(900)],
    ],
    bad: [['src/cli.ts', '\n'.repeat(401)]],
    says: ['src/cli.ts has 401 lines'],
  },
  'no path of one machine is written down': {
    check: checks.machinePaths,
    good: [['src/cli.ts', "const data = '../shared/data';\nconst id = `${a}/home/b`;\n"]],
    bad: [['src/cli.ts', `\nconst data = '${home}/someone/data';\n`]],
    says: ['src/cli.ts:2'],
  },
  'no registry host is written down': {
    check: checks.registryHosts,
    good: [
      ['package-lock.json', '{ "version": "1.0.0" }'],
      ['README.md', 'https://example.org\n'],
    ],
    bad: [
      ['package-lock.json', '{\n"resolved": "https://packages.example.org/a.tgz" }'],
      ['.npmrc', `${registry}=https://${registry}.example.org/`],
    ],
    says: ['.npmrc:1', 'package-lock.json:2'],
  },
  'each decision paper has a number, date, status, and why first': {
    check: checks.decisions,
    good: [['docs/adr/0001-thing.md', paper]],
    bad: [
      ['docs/adr/0001-thing.md', paper.replace('- Date: 2026-11-22', '- Date: soon')],
      ['docs/adr/0002-thing.md', paper.replace('accepted', 'liked').replace('## Why', '## What')],
      ['docs/adr/0004-thing.md', paper.replace('## Measurement', '')],
    ],
    says: [
      'docs/adr/0001-thing.md has no date',
      'docs/adr/0002-thing.md has no status',
      'docs/adr/0002-thing.md does not say why first',
      'docs/adr/0004-thing.md should have the number 0003',
      'docs/adr/0004-thing.md has no part Measurement',
    ],
  },
  'the change log has a part for this version': {
    check: checks.changeLog,
    good: [
      ['package.json', '{"version":"0.1.0"}'],
      ['CHANGELOG.md', '# Changes\n\n## 0.1.0 (2026-11-22)\n'],
    ],
    bad: [
      ['package.json', '{"version":"0.2.0"}'],
      ['CHANGELOG.md', '# Changes\n\n## 0.1.0 (2026-11-22)\n'],
    ],
    says: ['CHANGELOG.md has no part for 0.2.0'],
  },
};

describe.each(Object.entries(CASES))('%s', (_name, { check, good, bad, says }) => {
  it('in this project', () => {
    expect(check(house)).toEqual([]);
  });

  it('and a planted fault is named', () => {
    expect(check(new Map(good))).toEqual([]);
    expect(check(new Map(bad)).sort()).toEqual([...says].sort());
  });
});

describe('the test of tidiness', () => {
  it('uses every check there is', () => {
    expect(Object.values(CASES).map(({ check }) => check)).toEqual(expect.arrayContaining(Object.values(checks)));
  });

  it('looks at the project: it found the files', () => {
    expect(house.size).toBeGreaterThan(200);
  });

  it('every test file belongs to a project of jest: another would never run', () => {
    const { stdout } = runTool('node_modules/jest/bin/jest.js', ['--listTests'], ROOT);
    const listed = new Set(stdout.split('\n').map((file) => path.relative(ROOT, file)));
    expect([...house.keys()].filter((file) => file.endsWith('.test.ts') && !listed.has(file))).toEqual([]);
  });
});
