import { existsSync } from 'node:fs';
import path from 'node:path';
import { evaluateDataShares, readDataShares, type SharedVerdict } from '../../../src/governance/interchange/ranger/data-shares.js';
import { Json } from '../../../src/governance/interchange/ranger/json.js';
import { readRanger } from '../../../src/governance/interchange/ranger/read.js';
import { CLOCK, read, requestOf, show, word, type Found } from './ranger-cases.js';
import { HIVE } from './ranger-hive.js';

/** The tests of governed data sharing: datasets, projects and data shares with their own policies. */
export function sharingTests(folder: string, id: string, json: Json, { expectations, skipped }: Found): void {
  const type = json.text('serviceType');
  const file = path.join(folder, path.dirname(id), path.basename(json.text('gdsInfoFilename') ?? ''));
  if (type !== 'hive' || !existsSync(file)) {
    skipped.push({ id, reason: 'the file of the datasets or the definition of the service is not there' });
    return;
  }
  const model = readRanger({ serviceDef: HIVE, securityZones: json.raw('securityZones') });
  const shares = readDataShares(read(file), Json.of(HIVE, 'hive'), model);
  const tests = json.objects('tests');
  const about = (name: string): boolean => tests.some((test) => test.object('result').has(name));
  const masks = about('maskType');
  const filters = about('rowFilters');
  for (const [index, test] of tests.entries()) {
    const name = `${id}[${index}] ${test.text('name') ?? ''}`;
    if (!test.has('request') || test.has('acls')) {
      skipped.push({
        id: name,
        reason: test.has('acls')
          ? 'asks for a table of the rights of all people, not for a verdict'
          : 'asks what is shared with somebody, not for a verdict',
      });
      continue;
    }
    const expected = test.object('result');
    const got = evaluateDataShares(shares, requestOf({ json }, test), CLOCK);
    expectations.push({ kind: 'access', id: name, expected: word(expected.flag('isAllowed', false)), got: word(got?.allowed ?? false) });
    if (masks)
      expectations.push({
        kind: 'mask',
        id: name,
        expected: show(expected.text('maskType'), expected.text('maskCondition'), expected.text('maskedValue')),
        got: maskOf(got),
      });
    if (filters)
      expectations.push({
        kind: 'row filter',
        id: name,
        expected: show(...expected.texts('rowFilters')),
        got: show(...(got?.filters ?? [])),
      });
  }
}

const maskOf = (verdict: SharedVerdict | null): string =>
  show(verdict?.mask?.type ?? null, verdict?.mask?.condition ?? null, verdict?.mask?.value ?? null);
