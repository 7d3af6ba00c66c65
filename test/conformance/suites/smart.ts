import type { FhirType } from '../../../src/governance/smart/fhir-types.js';
import { RIGHTS, parseScope, printScope } from '../../../src/governance/smart/scope.js';
import { branchesWith, parseScopes, scopeRules, type ScopeBranch } from '../../../src/governance/smart/scopes.js';
import type { Suite } from '../suite.js';
import { packResult, type Expectation } from './conformance-cases.js';
import { EARLIER_GUIDE, GUIDE, PARAMETERS, REFUSED, ROWS, V1, WITHOUT_DATA, type Row } from './smart-expected.js';

const reaches = ({ patient, columns }: ScopeBranch, row: Row): boolean =>
  (patient === null || row.patient === patient) &&
  columns.every((test) => test.some((values) => Object.entries(values).every(([column, value]) => row.columns[column] === value)));

/** Ids of the rows that a right of the scope reaches, within what the caller may see. */
function rowsOf(text: string): string {
  const kind = text.startsWith('system/') ? 'service' : 'person';
  const rules = scopeRules(parseScopes([text]).scopes, { patient: 'one', kind });
  return ROWS.filter((row) => {
    const rule = rules.get(row.type as FhirType);
    return row.permitted && RIGHTS.some((right) => branchesWith(rule, right).some((branch) => reaches(branch, row)));
  })
    .map(({ id }) => id)
    .join(' ');
}

function accepted(kind: string, { text, rights, rows }: (typeof GUIDE)[number]): Expectation {
  const scope = parseScope(text);
  const printed = scope === null ? null : parseScope(printScope(scope));
  const got = scope === null ? 'refused' : `${scope.rights.join('')}: ${rowsOf(text)}`;
  const same = JSON.stringify(printed) === JSON.stringify(scope);
  return { kind, id: text, expected: `${rights}: ${rows}`, got: same ? got : `${got}, and other when printed` };
}

/** Where a string goes in a list of scopes. */
function place(text: string): string {
  const { scopes, unmapped } = parseScopes([text]);
  if (scopes.length > 0) return 'scope';
  return unmapped.length > 0 ? 'unmapped' : 'no data';
}

/**
 * SMART App Launch 2.2 scopes: each example of the guide is read and run over rows (granted = scope and the caller's own rights), version 1
 * maps to version 2, and malformed strings grant nothing. It needs no data.
 */
export const suite: Suite = {
  about: 'scope strings of the SMART App Launch guide, and malformed ones',
  async run() {
    return packResult([
      ...GUIDE.map((each) => accepted('example', each)),
      ...EARLIER_GUIDE.map((each) => accepted('earlier example', each)),
      ...V1.map((each) => accepted('version 1', each)),
      ...PARAMETERS.map((each) => accepted('parameter', each)),
      ...REFUSED.map((text) => ({
        kind: 'refused',
        id: JSON.stringify(text),
        expected: 'unmapped',
        got: parseScope(text) === null ? place(text) : 'parsed',
      })),
      ...WITHOUT_DATA.map((text) => ({ kind: 'without data', id: text, expected: 'no data', got: place(text) })),
    ]);
  },
};
