/** Licences and pins of what the product is made of (gateway page GW1 to GW4). */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, readJson, readText } from './support';

const ALLOWED = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', '0BSD', 'CC0-1.0']);
const DEVELOPMENT_ONLY = new Set(['MPL-2.0']);
/** Development packages under another licence, each looked at. Neither is linked into or shipped with the product. */
const LOOKED_AT: Readonly<Record<string, string>> = { argparse: 'Python-2.0', 'caniuse-lite': 'CC-BY-4.0' };

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
type Lock = Readonly<Record<string, LockEntry>>;
type LicenceOf = (folder: string) => unknown;

const lock = (readJson('package-lock.json') as { packages: Lock }).packages;
const manifest = readJson('package.json') as Manifest;

/** "(MIT OR Apache-2.0)" needs one allowed word, "MIT AND ISC" needs all. */
function isAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const words = expression.replace(/[()]/g, ' ').trim();
  if (/ OR /.test(words) && !/ AND /.test(words)) return words.split(/ OR /).some((word) => allowed.has(word.trim()));
  return words.split(/ (?:AND|OR) /).every((word) => allowed.has(word.trim()));
}

const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Gives `name licence` of each package that may not be there. What the lock file and what the installed package say must both be allowed. */
function offenders(packages: Lock, installed: LicenceOf): string[] {
  return Object.entries(packages).flatMap(([folder, entry]) => {
    if (folder === '') return [];
    const name = nameOf(folder);
    const allowed = entry.dev === true ? new Set([...ALLOWED, ...DEVELOPMENT_ONLY, LOOKED_AT[name] ?? 'MIT']) : ALLOWED;
    const said = [entry.license, installed(folder)].filter((licence) => licence !== undefined);
    const good = said.length > 0 && said.every((licence) => typeof licence === 'string' && isAllowed(licence, allowed));
    return good ? [] : [`${name} ${said.map((licence) => JSON.stringify(licence)).join(' ') || 'without a licence'}`];
  });
}

const installedLicence: LicenceOf = (folder) => {
  const file = path.join(folder, 'package.json');
  // Packages for other systems are in the lock file but not on this disk.
  return existsSync(path.join(ROOT, file)) ? (readJson(file) as { license?: unknown }).license : undefined;
};

const isExact = (range: string): boolean => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range);

/** Gives `name range` of what is not one version, or is installed in another one. */
const loosePins = (wanted: Readonly<Record<string, string>>, packages: Lock): string[] =>
  Object.entries(wanted)
    .filter(([name, range]) => !isExact(range) || packages[`node_modules/${name}`]?.version !== range)
    .map(([name, range]) => `${name} ${range}`);

const copiesOf = (name: string, packages: Lock): string[] =>
  Object.keys(packages).filter((folder) => folder !== '' && nameOf(folder) === name);

/** Packages whose licence, or whose dependencies' licence, is closed to us: never anywhere in the tree. */
const NEVER = ['@apollo/gateway', '@apollo/composition', '@apollo/federation-internals'];

/** Lowest versions without a known advisory that concerns us (GW4); checked in, since a mirror may have no audit endpoint. */
const FLOORS: Readonly<Record<string, readonly [number, number, number]>> = {
  graphql: [16, 8, 1],
  typeorm: [1, 0, 0],
  'class-validator': [0, 14, 0],
};

function belowFloor(packages: Lock): string[] {
  return Object.entries(FLOORS).flatMap(([name, floor]) =>
    copiesOf(name, packages).flatMap((folder) => {
      const version = (packages[folder]?.version ?? '0.0.0').split(/[.-]/).map(Number);
      const at = floor.findIndex((part, index) => version[index] !== part);
      return at !== -1 && version[at]! < floor[at]! ? [`${name} ${packages[folder]?.version ?? ''}`] : [];
    }),
  );
}

/** The packages of the first column of a table whose last column says something. */
const withReason = (text: string): Set<string> =>
  new Set([...text.matchAll(/^\| `([^`]+)` \|.*\| [^|]{12,} \|$/gm)].map(([, name]) => name!));

describe('licences', () => {
  it('of every package are allowed; another fails by its name', () => {
    expect(offenders(lock, installedLicence)).toEqual([]);
  });

  it('were looked at: the tree of the product was found', () => {
    expect(Object.values(lock).filter(({ dev }) => dev !== true).length).toBeGreaterThan(100);
    expect(Object.keys(lock).filter((folder) => installedLicence(folder) !== undefined).length).toBeGreaterThan(300);
  });

  it('refuse what is closed, unknown, absent, or allowed in development only', () => {
    const planted: Lock = {
      'node_modules/open': { license: 'MIT' },
      'node_modules/either': { license: '(GPL-3.0 OR MIT)' },
      'node_modules/both': { license: '(MIT AND GPL-3.0)' },
      'node_modules/closed': { license: 'Elastic-2.0' },
      'node_modules/silent': {},
      'node_modules/weak': { license: 'MPL-2.0' },
      'node_modules/weak-tool': { license: 'MPL-2.0', dev: true },
      'node_modules/a/node_modules/argparse': { license: 'Python-2.0', dev: true },
      'node_modules/argparse': { license: 'Python-2.0' },
      'node_modules/says-two-things': { license: 'MIT' },
    };
    const installed: LicenceOf = (folder) => (folder.endsWith('two-things') ? 'AGPL-3.0' : undefined);
    expect(offenders(planted, installed)).toEqual([
      'both "(MIT AND GPL-3.0)"',
      'closed "Elastic-2.0"',
      'silent without a licence',
      'weak "MPL-2.0"',
      'argparse "Python-2.0"',
      'says-two-things "MIT" "AGPL-3.0"',
    ]);
  });

  it('keep the closed federation packages out', () => {
    expect(NEVER.flatMap((name) => copiesOf(name, lock))).toEqual([]);
    expect(NEVER.flatMap((name) => copiesOf(name, { 'node_modules/@apollo/gateway': {} }))).toEqual(['node_modules/@apollo/gateway']);
  });
});

describe('pins', () => {
  it('of the product are exact and are what is installed', () => {
    expect(loosePins(manifest.dependencies, lock)).toEqual([]);
  });

  it('that are loose or differ from the lock file are named', () => {
    const packages: Lock = {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.1' },
      'node_modules/c': { version: '1.0.0-rc.4' },
    };
    expect(loosePins({ a: '^1.0.0', b: '1.0.0', c: '1.0.0-rc.4' }, packages)).toEqual(['a ^1.0.0', 'b 1.0.0']);
  });

  it('give one copy of graphql: a second breaks instanceof', () => {
    expect(copiesOf('graphql', lock)).toEqual(['node_modules/graphql']);
    expect(copiesOf('graphql', { 'node_modules/graphql': {}, 'node_modules/a/node_modules/graphql': {} })).toHaveLength(2);
  });

  it('are above the known advisories', () => {
    expect(belowFloor(lock)).toEqual([]);
    expect(belowFloor({ 'node_modules/graphql': { version: '16.8.0' }, 'node_modules/typeorm': { version: '1.1.1' } })).toEqual([
      'graphql 16.8.0',
    ]);
  });

  it('each have a reason in docs/dependencies.md', () => {
    const reasons = withReason(readText('docs/dependencies.md'));
    const all = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(all.filter((name) => !reasons.has(name))).toEqual([]);
    expect([...reasons].filter((name) => !all.includes(name))).toEqual([]);
    expect(withReason('| `a` | 1.0.0 | reads the thing we need |\n| `b` | 1.0.0 | |\n')).toEqual(new Set(['a']));
  });
});
