/** The direction of dependencies (house style section 2, ST1 to ST9), and that each rule can fail. */
import { ROOT, inPlantedTree, readText, runTool } from './support';

/** Below this many modules the tool has not seen the house (ST9). Raise it as the house grows. */
const MODULES_MIN = 150;

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string; readonly severity: string };
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly severity: string }[] };
  };
}

function cruise(root: string): Cruise['summary'] {
  const { stdout, stderr } = runTool(
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ['--output-type', 'json', 'src', 'migrations'],
    root,
  );
  if (stdout === '') throw new Error(`dependency-cruiser said nothing: ${stderr}`);
  return (JSON.parse(stdout) as Cruise).summary;
}

const value = 'export const value = 1;\n';
const uses = (...modules: string[]): string =>
  modules.map((name, at) => `import * as m${String(at)} from '${name}';\nexport { m${String(at)} };\n`).join('');
const thing = (name: string): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', main: 'index.js', types: 'index.d.ts' }),
  [`node_modules/${name}/index.js`]: 'exports.value = 1;\n',
  [`node_modules/${name}/index.d.ts`]: 'export declare const value: number;\n',
});

/** A small house in which each line breaks the rule that it names. */
const PLANTED: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'no-circles': ['src/store/loop-a.ts', `import type { B } from './loop-b.js';\nexport interface A { b: B }\n`],
  'kernel-is-the-ground': ['src/kernel/up.ts', uses('../store/index.js')],
  'a-product-knows-the-kernel-and-itself': ['src/domains/notes/model.ts', uses('../imaging/index.js')],
  'fusion-knows-the-kernel-and-itself': ['src/fusion/up.ts', uses('../store/index.js')],
  'governance-knows-the-kernel': ['src/governance/up.ts', uses('../store/index.js')],
  'evidence-knows-the-kernel': ['src/evidence/up.ts', uses('../governance/index.js')],
  'store-knows-the-kernel': ['src/store/up.ts', uses('../governance/index.js')],
  'pipeline-knows-the-kernel': ['src/pipeline/up.ts', uses('../store/index.js')],
  'demo-knows-the-kernel': ['src/demo/up.ts', uses('../store/index.js')],
  'gateway-knows-governance-evidence-and-store': ['src/gateway/up.ts', uses('../pipeline/index.js')],
  'demo-is-known-to-cli-only': ['src/gateway/demo.ts', uses('../demo/index.js')],
  'products-name-products': ['src/products.ts', uses('./store/index.js', './domains/notes/index.js')],
  'products-are-lazy': ['src/products.ts', uses('./store/index.js', './domains/notes/index.js')],
  'nothing-knows-cli': ['src/gateway/cli.ts', uses('../cli.js')],
  'the-list-is-for-wiring': ['src/gateway/list.ts', uses('../products.js')],
  'enter-governance-by-the-door': ['src/gateway/window-1.ts', uses('../governance/inner.js')],
  'enter-evidence-by-the-door': ['src/gateway/window-9.ts', uses('../evidence/inner.js')],
  'enter-fusion-by-the-door': ['src/gateway/window-2.ts', uses('../fusion/inner.js')],
  'enter-store-by-the-door': ['src/gateway/window-3.ts', uses('../store/inner.js')],
  'enter-pipeline-by-the-door': ['src/gateway/window-4.ts', uses('../pipeline/inner.js')],
  'enter-gateway-by-the-door': ['src/store/window-5.ts', uses('../gateway/inner.js')],
  'enter-demo-by-the-door': ['src/gateway/window-6.ts', uses('../demo/inner.js')],
  'enter-a-domain-by-the-door': ['src/gateway/window-7.ts', uses('../domains/notes/model.js')],
  'enter-the-kernel-by-the-door': ['src/gateway/window-8.ts', uses('../kernel/inner.js')],
  'formats-are-pure': ['src/domains/notes/formats/text.ts', uses('../../../kernel/leads-to-graphql.js')],
  'console-imports-no-room': ['src/console/main.ts', uses('../kernel/index.js')],
  'no-room-imports-the-console': ['src/gateway/page.ts', uses('../console/main.js')],
  'migrations-belong-to-the-store': ['src/gateway/migrate.ts', uses('../../migrations/20260101000000-create-thing.js')],
  'migrations-stand-alone': ['migrations/20260101000000-create-thing.ts', uses('../src/kernel/index.js')],
  'no-orphans': ['src/governance/alone.ts', value],
  'nothing-unresolvable': ['src/gateway/nowhere.ts', uses('./absent.js')],
  'no-development-package-in-the-product': ['src/gateway/tool.ts', uses('a-tool')],
  'no-unlisted-package': ['src/gateway/borrowed.ts', uses('borrowed')],
};

const ROOMS = ['governance', 'evidence', 'fusion', 'store', 'pipeline', 'gateway', 'demo', 'domains/notes', 'domains/imaging', 'kernel'];

const plantedHouse = (): Record<string, string> => ({
  '.dependency-cruiser.cjs': readText('.dependency-cruiser.cjs'),
  'tsconfig.json': readText('tsconfig.json'),
  'package.json': JSON.stringify({
    name: 'planted',
    dependencies: { graphql: '1.0.0' },
    devDependencies: { 'a-tool': '1.0.0', typescript: '*' },
  }),
  ...thing('graphql'),
  ...thing('a-tool'),
  ...thing('borrowed'),
  ...Object.fromEntries(
    ROOMS.flatMap((room) => [
      [`src/${room}/index.ts`, uses('./inner.js')],
      [`src/${room}/inner.ts`, value],
    ]),
  ),
  'src/cli.ts': uses('./cli/index.js'),
  'src/cli/index.ts': uses('../products.js'),
  'src/store/loop-b.ts': `import type { A } from './loop-a.js';\nexport interface B { a: A }\n`,
  'src/kernel/leads-to-graphql.ts': uses('graphql'),
  ...Object.fromEntries(Object.values(PLANTED)),
});

describe('the direction of dependencies', () => {
  const house = cruise(ROOT);

  it('breaks no rule', () => {
    expect(house.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });

  it('was looked at: the tool saw the modules of the house', () => {
    expect(house.totalCruised).toBeGreaterThanOrEqual(MODULES_MIN);
  });

  it('has rules that are errors, each with a planted violation here', () => {
    const rules = house.ruleSetUsed.forbidden;
    expect(rules.filter(({ severity }) => severity !== 'error')).toEqual([]);
    expect(rules.map(({ name }) => name).sort()).toEqual(Object.keys(PLANTED).sort());
  });
});

describe('a planted violation', () => {
  const found = inPlantedTree(plantedHouse(), (root) => cruise(root).violations);

  it.each(Object.entries(PLANTED))('%s is found', (name, [file]) => {
    expect(found.filter(({ rule }) => rule.name === name).map(({ from }) => from)).toContain(file);
  });

  it('is the only thing found: a legal arrow breaks no rule', () => {
    const legal = inPlantedTree(
      {
        ...Object.fromEntries(
          Object.entries(plantedHouse()).filter(([file]) => !Object.values(PLANTED).some(([planted]) => planted === file)),
        ),
        'src/store/loop-b.ts': value,
        'src/store/index.ts': uses(
          './inner.js',
          './loop-b.js',
          '../kernel/index.js',
          '../kernel/error.js',
          '../../migrations/20260101000000-create-thing.js',
        ),
        'src/kernel/error.ts': value,
        'src/kernel/index.ts': uses('./inner.js', './error.js', './leads-to-graphql.js'),
        'src/gateway/index.ts': uses('./inner.js', '../governance/index.js', '../store/index.js'),
        'src/domains/notes/index.ts': uses('./inner.js', './formats/text.js', '../../kernel/index.js'),
        'src/domains/notes/formats/text.ts': uses('../../../kernel/error.js'),
        'migrations/20260101000000-create-thing.ts': value,
        'src/products.ts': `export const products = { notes: () => import('./domains/notes/index.js'), fusion: () => import('./fusion/index.js') };\n`,
        'src/cli.ts': uses('./cli/index.js'),
        'src/cli/index.ts': uses('../products.js', '../gateway/index.js', '../pipeline/index.js', '../demo/index.js', '../store/index.js'),
      },
      (root) => cruise(root).violations,
    );
    expect(legal.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });
});
