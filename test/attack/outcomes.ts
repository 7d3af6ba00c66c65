import { relative } from 'node:path';

/** What jest writes with --json, as far as it is read here. */
export interface JestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Attack ids in the names of tests; a file that cannot run is unexpected by its own name. */
export function outcomes(report: JestReport, root: string): { cases: number; as_expected: number; unexpected: string[] } {
  const passed = new Map<string, boolean>();
  for (const file of report.testResults) {
    if (file.assertionResults.length === 0 && file.status === 'failed') passed.set(relative(root, file.name), false);
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'todo') continue;
      for (const id of idsIn(test.fullName)) passed.set(id, (passed.get(id) ?? true) && test.status === 'passed');
    }
  }
  const unexpected = [...passed].filter(([, good]) => !good).map(([id]) => id);
  return { cases: passed.size, as_expected: passed.size - unexpected.length, unexpected: unexpected.sort() };
}

/** ATK-47 names one attack, ATK-17-20 four. */
function idsIn(name: string): string[] {
  return [...name.matchAll(/\bATK-(\d+)(?:-(\d+))?\b/g)].flatMap(([, from, to]) => {
    const first = Number(from);
    const last = to === undefined ? first : Number(to);
    return Array.from({ length: Math.max(1, last - first + 1) }, (_, i) => `ATK-${first + i}`);
  });
}
