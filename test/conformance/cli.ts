/**
 * `npm run conformance -- SUITE --data DIR [--json] [--brief]`: runs a suite over any folder of the same form as the public data.
 * Logs on stderr. With --json the last line of stdout is one JSON object. Exit code 0 when the suite ran, 2 when it could not.
 */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { countOf, type Suite, type SuiteResult } from './suite.js';

const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  applehealth: () => import('./suites/applehealth.js'),
  balp: () => import('./suites/balp.js'),
  ccda: () => import('./suites/ccda.js'),
  dicom: () => import('./suites/dicom.js'),
  duo: () => import('./suites/duo.js'),
  fhir: () => import('./suites/fhir.js'),
  fit: () => import('./suites/fit.js'),
  hl7v2: () => import('./suites/hl7v2.js'),
  negation: () => import('./suites/negation.js'),
  omh: () => import('./suites/omh.js'),
  passport: () => import('./suites/passport.js'),
  pcf: () => import('./suites/pcf.js'),
  ranger: () => import('./suites/ranger.js'),
  smart: () => import('./suites/smart.js'),
  vcf: () => import('./suites/vcf.js'),
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);

class UsageError extends Error {}

interface Options {
  readonly name: string;
  readonly load: () => Promise<{ suite: Suite }>;
  readonly folder: string;
  readonly json: boolean;
  readonly brief: boolean;
}

function parse(args: readonly string[]): { positionals: string[]; values: { data?: string; json?: boolean; brief?: boolean } } {
  try {
    const options = { data: { type: 'string' }, json: { type: 'boolean' }, brief: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The options are not understood.');
  }
}

function optionsOf(args: readonly string[]): Options {
  const { positionals, values } = parse(args);
  const [name = '', ...more] = positionals;
  const load = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
  if (load === undefined || more.length > 0) throw new UsageError(`Name one suite: ${Object.keys(SUITES).join(', ')}.`);
  if (values.data === undefined) throw new UsageError('Name the folder of the cases with --data DIR.');
  if (statSync(values.data, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`There is no folder ${values.data}.`);
  return { name, load, folder: values.data, json: values.json ?? false, brief: values.brief ?? false };
}

/** What is printed: the totals, the figures of the suite, and the cases unless they are too many to want. */
function report(name: string, { cases, figures }: SuiteResult, ms: number, brief: boolean): Record<string, unknown> {
  const totals = {
    cases: cases.length,
    passed: countOf(cases, 'passed'),
    failed: countOf(cases, 'failed'),
    skipped: countOf(cases, 'skipped'),
  };
  return { suite: name, ...totals, ...figures, ms, ...(brief ? {} : { details: cases }) };
}

async function main(): Promise<number> {
  const { name, load, folder, json, brief } = optionsOf(process.argv.slice(2));
  const { suite } = await load();
  say(`${name}: ${suite.about}`);
  const started = performance.now();
  const result = await suite.run(folder, say);
  const ms = Math.round(performance.now() - started);
  if (result.cases.length === 0) throw new UsageError(`The folder ${folder} holds no case of the suite ${name}.`);
  for (const { id, expected, got } of result.cases.filter(({ verdict }) => verdict === 'failed'))
    say(`  ${id}: expected ${expected}; got ${got}`);
  const shown = report(name, result, ms, brief || !json);
  if (json) process.stdout.write(`${JSON.stringify(shown)}\n`);
  else for (const [key, value] of Object.entries(shown)) process.stdout.write(`${key.padEnd(20)} ${JSON.stringify(value)}\n`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof UsageError;
    say(known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = known ? 2 : 1;
  },
);
