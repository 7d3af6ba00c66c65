import { isCoded, type CodedError } from '../kernel/index.js';

/** Exit codes of every verb. */
export const EXIT = { fine: 0, fault: 1, usage: 2, integrity: 3, denied: 4, partly: 5 } as const;

/** Data go to stdout, everything else to stderr. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
export const put = (line: string): void => void process.stdout.write(`${line}\n`);

/** One clear line for a fault, and the exit code that belongs to it. */
export function fail(error: unknown): number {
  if (isCoded(error)) {
    say(`${error.code}: ${error.message}${error.place === undefined ? '' : ` (${error.place})`} ${error.hint}`);
    return exitOf(error);
  }
  say(`INTERNAL: ${error instanceof Error ? error.message : 'unknown fault'}`);
  return EXIT.fault;
}

function exitOf({ code }: CodedError): number {
  if (code === 'FORBIDDEN' || code === 'UNAUTHENTICATED' || code === 'PURPOSE_MISSING') return EXIT.denied;
  if (code === 'AUDIT_BROKEN') return EXIT.integrity;
  return code === 'BAD_INPUT' || code === 'CONFIG_INVALID' ? EXIT.usage : EXIT.fault;
}
