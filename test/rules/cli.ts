/**
 * `npm run report:rules [-- --json] [--no-run]` prints each row of a regulation with its status and how its checks end: they are run, or with `--no-run` only
 * looked up. Exit code 1 where one fails or is missing.
 */
import { RULES } from '../../src/evidence/index.js';
import { keyOf, resolves, runChecks } from './checks.js';
import { nameOf } from './page.js';

const words = new Set(process.argv.slice(2));

async function main(): Promise<number> {
  const checks = [...new Map(RULES.flatMap((rule) => rule.checks).map((check) => [keyOf(check), check])).values()];
  const outcomes = words.has('--no-run')
    ? new Map(checks.map((check) => [keyOf(check), resolves(check) ? 'found' : 'missing']))
    : await runChecks(checks);
  const rows = RULES.map(({ id, citation, title, binds, status, inForceFrom, pending, checks: own }) => ({
    id,
    citation,
    title,
    binds,
    status,
    inForceFrom,
    pending,
    checks: own.map((check) => ({ check: keyOf(check), outcome: outcomes.get(keyOf(check)) ?? 'missing' })),
  }));
  const bad = [...outcomes].filter(([, outcome]) => outcome === 'failed' || outcome === 'missing').length;
  if (words.has('--json')) process.stdout.write(`${JSON.stringify({ ok: bad === 0, rows })}\n`);
  else {
    for (const rule of RULES) {
      process.stdout.write(
        `${rule.id.padEnd(5)} ${rule.citation}, ${rule.title}: ${rule.status}${rule.binds === null ? '' : `, ${rule.binds}`}\n`,
      );
      for (const check of rule.checks)
        process.stdout.write(`      ${(outcomes.get(keyOf(check)) ?? 'missing').padEnd(8)} ${nameOf(check)}\n`);
    }
    process.stdout.write(
      `${RULES.length} rows, ${outcomes.size} checks, ${bad} failed or missing. The product helps to meet these rules; it does not say that they are met.\n`,
    );
  }
  return bad === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 2;
  },
);
