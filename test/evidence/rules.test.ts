import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RULES } from '../../src/evidence/index.js';
import { keyOf, resolves } from '../rules/checks.js';
import { rulePages } from '../rules/page.js';

test('every check that a row names is there', () => {
  const lost = RULES.flatMap((rule) => rule.checks.filter((check) => !resolves(check)).map((check) => `${rule.id}: ${keyOf(check)}`));
  expect(lost).toEqual([]);
});

test('a test that does not exist, or of another name, is found missing', () => {
  const file = 'test/evidence/rules.test.ts';
  expect(resolves({ file, test: 'every check that a row names is there' })).toBe(true);
  expect(resolves({ file, test: 'every check that a row names' })).toBe(false);
  expect(resolves({ file: 'test/evidence/none.test.ts', test: 'x' })).toBe(false);
  expect(resolves({ command: 'no-such-command' })).toBe(false);
});

test('every row has an id of its own, a citation, a status with its day, and something that shows it', () => {
  expect(new Set(RULES.map((rule) => rule.id)).size).toBe(RULES.length);
  for (const rule of RULES) {
    expect(rule.citation).toMatch(/^\d\d CFR /);
    expect(rule.checks.length).toBeGreaterThan(0);
    if (rule.status === 'in force') expect(rule.inForceFrom).toMatch(/^\d{4}-\d\d-\d\d$/);
    else expect(rule.inForceFrom).toBeNull();
  }
});

test('the technical safeguards are all there: two are required, the others are not optional either', () => {
  const safeguards = RULES.filter((rule) => rule.citation.startsWith('45 CFR 164.312'));
  expect(safeguards.filter((rule) => rule.binds === 'required').map((rule) => rule.id)).toEqual(['H1', 'H2']);
  expect(safeguards.map((rule) => rule.id)).toEqual(['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'H7', 'H8']);
});

test('the page is made of the rows, and claims nothing', () => {
  for (const [file, text] of rulePages()) {
    expect(readFileSync(path.resolve(__dirname, '../..', file), 'utf8')).toBe(text);
    expect(text.toLowerCase()).not.toContain('compliant');
    expect(text.toLowerCase()).not.toContain('certified by');
  }
});
