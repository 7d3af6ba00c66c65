import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkBody, checkHeader } from '../../../src/domains/wearables/formats/omh-check.js';
import { omhSchema } from '../../../src/domains/wearables/formats/omh-schemas.js';
import { countOf, filesBelow, type Case, type Suite } from '../suite.js';

const VERDICTS = new Set(['shouldPass', 'shouldFail']);

function jsonOf(file: string): { body: unknown } | null {
  try {
    return { body: JSON.parse(readFileSync(file, 'utf8')) as unknown };
  } catch {
    return null;
  }
}

/** What the checker says: '' when the body follows its schema, the place and reason of the first broken rule otherwise. */
function verdict(name: string, version: string, file: string): string {
  const json = jsonOf(file);
  if (json === null) return 'JSON_INVALID at the whole file';
  const broken = name === 'header' ? checkHeader(json.body) : checkBody(name, version, json.body);
  return broken === null ? '' : `${broken.code} at #${broken.pointer}: ${broken.reason}`;
}

/**
 * Open mHealth cases in `<schema>/<version>/shouldPass|shouldFail/*.json`, at any depth (spec wearables W54). A case of a schema that no
 * metric is made of is unresolvable: it is skipped, and never counted as right.
 */
export const suite: Suite = {
  about: 'Open mHealth and IEEE 1752.1 bodies that must be accepted or refused',
  async run(folder) {
    const cases: Case[] = [];
    let crashed = 0;
    for (const file of filesBelow(folder, /\.json$/i)) {
      const [name = '', version = '', says = ''] = file.split('/').slice(-4, -1);
      if (!VERDICTS.has(says)) continue;
      const expected = says === 'shouldPass' ? 'accepted' : 'refused';
      if (omhSchema(name) === undefined && name !== 'header') {
        cases.push({ id: file, verdict: 'skipped', expected, got: 'no metric is made of this schema' });
        continue;
      }
      try {
        const broken = verdict(name, version, path.join(folder, file));
        const right = (broken === '') === (says === 'shouldPass');
        cases.push({ id: file, verdict: right ? 'passed' : 'failed', expected, got: broken === '' ? 'accepted' : broken });
      } catch (error) {
        crashed += 1;
        cases.push({ id: file, verdict: 'failed', expected, got: `crash: ${error instanceof Error ? error.message : 'unknown'}` });
      }
    }
    const figures = { right: countOf(cases, 'passed'), wrong: countOf(cases, 'failed'), unresolvable: countOf(cases, 'skipped'), crashed };
    return Promise.resolve({ cases, figures });
  },
};
