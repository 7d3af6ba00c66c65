/**
 * `npm run bench -- NAME [--json]`: runs one scenario. Logs on stderr; with --json the last line of stdout is one JSON object.
 * Exit code 0 when the scenario ran, 1 when it failed, 2 for a name or an option that does not exist.
 *   --runs N        repeats, median (default 1); of `lineage` runs that are written (default 1000000), of `audit` events (default 60000)
 *   --patients N    persons of the demo cohort of `ingest` (default 1000)
 *   --no-install    `start` measures this checkout as it is; install_s is null
 */
import { parseArgs } from 'node:util';
import type { BenchOptions, Scenario } from './scenario.js';

const SCENARIOS: Readonly<Record<string, () => Promise<{ scenario: Scenario }>>> = {
  audit: () => import('./evidence/audit.js'),
  ingest: () => import('./ingest/scenario.js'),
  lineage: () => import('./evidence/lineage.js'),
  policy: () => import('./policy/scenario.js'),
  start: () => import('./start/scenario.js'),
};

const PATIENTS = 1_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

class UsageError extends Error {}

function wholeNumber(text: string | undefined, otherwise: number, name: string): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} is a whole number from 1.`);
  return value;
}

const OPTIONS = {
  json: { type: 'boolean' },
  runs: { type: 'string' },
  patients: { type: 'string' },
  'no-install': { type: 'boolean' },
  product: { type: 'string' },
  home: { type: 'string' },
  cohort: { type: 'string' },
} as const;

type Values = Partial<Record<'runs' | 'patients' | 'product' | 'home' | 'cohort', string> & Record<'json' | 'no-install', boolean>>;

function parse(args: readonly string[]): { positionals: string[]; values: Values } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The options are not understood.');
  }
}

function optionsOf(values: Values): BenchOptions {
  return {
    runs: wholeNumber(values.runs, 1, 'runs'),
    patients: wholeNumber(values.patients, PATIENTS, 'patients'),
    install: values['no-install'] !== true,
    product: values.product,
    home: values.home,
    cohort: values.cohort,
    log: say,
  };
}

async function main(): Promise<number> {
  const { positionals, values } = parse(process.argv.slice(2));
  const [name = '', ...more] = positionals;
  const load = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (load === undefined || more.length > 0) throw new UsageError(`Name one benchmark: ${Object.keys(SCENARIOS).join(', ')}.`);
  const options = optionsOf(values);
  const { scenario } = await load();
  say(`${name}: ${scenario.about}`);
  const figures = { bench: name, ...(await scenario.run(options)) };
  if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else for (const [key, value] of Object.entries(figures)) process.stdout.write(`${key.padEnd(20)} ${JSON.stringify(value)}\n`);
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
