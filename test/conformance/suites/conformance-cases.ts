import { countOf, ratio, type Case, type SuiteResult } from '../suite.js';

/** One expectation of a standard, whose answer is a text. */
export interface Expectation {
  readonly kind: string;
  readonly id: string;
  readonly expected: string;
  readonly got: string;
}

/** Part of a standard that does not apply to the product, and why. */
export interface NotApplicable {
  readonly id: string;
  readonly reason: string;
}

/** The result of a pack with the keys that all packs of governance share. */
export function packResult(expectations: readonly Expectation[], notApplicable: readonly NotApplicable[] = []): SuiteResult {
  const cases = expectations.map(({ id, expected, got }): Case => ({ id, expected, got, verdict: expected === got ? 'passed' : 'failed' }));
  const agreed = countOf(cases, 'passed');
  const byKind: Record<string, { applicable: number; agreed: number }> = {};
  for (const { kind, expected, got } of expectations) {
    const count = (byKind[kind] ??= { applicable: 0, agreed: 0 });
    count.applicable += 1;
    if (expected === got) count.agreed += 1;
  }
  const skipped = notApplicable.map(({ id, reason }): Case => ({ id, verdict: 'skipped', expected: reason, got: 'not applicable' }));
  const figures = {
    applicable: cases.length,
    agreed,
    agreed_ratio: ratio(agreed, cases.length),
    not_applicable: notApplicable,
    by_kind: byKind,
  };
  return { cases: [...cases, ...skipped], figures };
}
