import path from 'node:path';
import { vcf as format } from '../../../src/domains/genomics/formats/vcf.js';
import { filesBelow, outcomeOf, ratio, readWith, type Case, type Suite } from '../suite.js';

/** Ids of rules as a validator of the specification prints them. The product gives codes and places instead. */
const RULE_ID = /\bVCF-[A-Z]+-\d+\b/;

/** The verdict that a folder on the way to the file names; the nearest one counts. */
function verdictOf(file: string): 'good' | 'bad' | null {
  for (const part of file.split('/').slice(0, -1).reverse()) {
    if (part.startsWith('passed')) return 'good';
    if (part.startsWith('failed')) return 'bad';
  }
  return null;
}

/**
 * Folders `passed*` and `failed*` name the expected verdict (spec genomics G70). A file counts as refused when the reader throws, yields
 * a fault, or finds a rule broken on a site. `without_rule_id` counts refusals that name no rule of the specification by id.
 */
export const suite: Suite = {
  about: 'VCF files that must be read or refused',
  async run(folder) {
    const cases: Case[] = [];
    const count = { good: 0, good_refused: 0, bad: 0, bad_refused: 0, without_rule_id: 0, without_place: 0, crashed: 0 };
    for (const file of filesBelow(folder, /\.vcf(\.gz|\.bgz)?$/)) {
      const expected = verdictOf(file);
      if (expected === null) continue;
      const findings: { code: string; place: string; reason: string }[] = [];
      const read = await readWith(format, path.join(folder, file), (value) => {
        const [finding] = value.kind === 'site' ? value.site.findings : [];
        if (value.kind === 'site' && finding !== undefined && findings.length === 0)
          findings.push({
            code: finding.code,
            place: `site ${value.site.chrom}:${value.site.pos} column ${finding.column}`,
            reason: finding.reason,
          });
        return false;
      });
      const [finding] = findings;
      const first = read.thrown ?? read.faults[0];
      const refused = first !== undefined || finding !== undefined;
      count[expected] += 1;
      if (read.crash !== null) count.crashed += 1;
      if (refused) {
        if (expected === 'good') count.good_refused += 1;
        else count.bad_refused += 1;
        const reason = first === undefined ? (finding?.reason ?? '') : 'reason' in first ? first.reason : first.message;
        if (!RULE_ID.test(reason)) count.without_rule_id += 1;
        if ((first ?? finding)?.place === undefined) count.without_place += 1;
      }
      const right = read.crash === null && refused === (expected === 'bad');
      const got = first === undefined && finding !== undefined ? `${finding.code} at ${finding.place}` : outcomeOf(read);
      cases.push({ id: file, verdict: right ? 'passed' : 'failed', expected: expected === 'good' ? 'read' : 'refused', got });
    }
    return { cases, figures: { ...count, bad_refused_ratio: ratio(count.bad_refused, count.bad) } };
  },
};
