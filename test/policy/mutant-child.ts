/** Run by fork(): judges mutants one after the other, each in modules loaded anew. Says after each whether the suite saw it. */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { transformSync, type Options } from '@swc/core';
import { resolveDeclared } from '../../src/gateway/reference.js';
import { buildSchema } from '../../src/gateway/schema.js';
import { loadProducts } from '../../src/products.js';
import { applied, type Mutant } from './mutants.js';
import { openStored, type Stored } from './stored.js';
import type { Subject } from './suite.js';

const ROOT = path.resolve(__dirname, '../..');
/** What is loaded anew: the judged sources with all that stands on them, and the suite itself. */
const FRESH = [
  /src\/governance\/(decide|predicate|cells|class-schema|classification|compose-policy|assert-masks|profiles|mask|guard|coordinates)\.ts$/,
  /src\/store\/(sql|sql-rules|sql-builder|select-rows)\.ts$/,
  /test\/policy\/(suite|facts|facts-[a-z-]+|artefacts|compare|judge-stored)\.ts$/,
];
const isFresh = (name: string): boolean => FRESH.some((pattern) => pattern.test(name));

type Loader = (module: { _compile(code: string, name: string): void }, name: string) => void;
const loaders = (Module as unknown as { _extensions: Record<string, Loader> })._extensions;
const options: Options = {
  ...(JSON.parse(readFileSync(path.join(ROOT, '.swcrc'), 'utf8')) as Options),
  module: { type: 'commonjs' },
  swcrc: false,
  configFile: false,
};
const usual = loaders['.ts'];
const compiled = new Map<string, string>();
let mutant: Mutant | undefined;
/** Text of the file of the mutant as it was when the run began. */
let source = '';

loaders['.ts'] = (module, name) => {
  if (!isFresh(name)) return usual?.(module, name);
  const isMutated = mutant !== undefined && name === path.join(ROOT, mutant.file);
  const known = isMutated ? undefined : compiled.get(name);
  if (known !== undefined) return module._compile(known, name);
  const text = isMutated && mutant ? applied(source, mutant) : readFileSync(name, 'utf8');
  const { code } = transformSync(text, { ...options, filename: name });
  if (!isMutated) compiled.set(name, code);
  module._compile(code, name);
};

/** What the suite says of the sources as they stand now; null where it finds nothing. */
async function judge(subject: Subject, stored: () => Promise<Stored>): Promise<string | null> {
  for (const name of Object.keys(require.cache)) if (isFresh(name)) Reflect.deleteProperty(require.cache, name);
  try {
    const inSql = mutant?.file.startsWith('src/store/') === true;
    if (inSql) return await (await import('./judge-stored.js')).judgeStored(await stored());
    const { FACTS } = await import('./facts.js');
    for (const { name, check } of FACTS) {
      try {
        check(subject);
      } catch (error) {
        return `${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'failed'}`;
      }
    }
    const [first] = await (await import('./suite.js')).randomDifferences(subject, 20, 7);
    return first ? `${first.artefact} ${first.kind} ${first.where}` : null;
  } catch (error) {
    return `threw: ${error instanceof Error ? error.message : 'failed'}`;
  }
}

async function main(): Promise<void> {
  const products = await loadProducts();
  const subject: Subject = { schema: buildSchema(products, resolveDeclared as never), products };
  let bench: Promise<Stored> | undefined;
  const stored = (): Promise<Stored> => (bench ??= openStored());
  process.on('message', (message: { mutant: Mutant; source: string } | 'stop') => {
    if (message === 'stop') {
      void Promise.resolve(bench?.then((each) => each.close())).then(() => process.exit(0));
      return;
    }
    ({ mutant, source } = message);
    void judge(subject, stored).then((seen) => process.send?.({ seen }));
  });
  process.send?.('ready');
}

void main();
