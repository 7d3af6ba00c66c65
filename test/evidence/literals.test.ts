import { parse, print } from 'graphql';
import { literalsOf, withLiterals, withoutLiterals } from '../../src/evidence/index.js';

const DOCUMENT = `
  query Q($n: Int = 7, $ids: [ID!] = ["a", "b"]) {
    patients(first: $n, where: { mrn: "X-1", any: [1, 2, { deep: "three" }], of: $ids }) { edges { node { id @include(if: true) } } }
    one: patient(id: "p1") { observations(codes: [], first: 3, above: 1.5, order: NEWEST) { totalCount } }
  }`;

describe('a document and its literals', () => {
  const document = parse(DOCUMENT);

  it('keeps names and structure without a single value', () => {
    const text = withoutLiterals(document);
    expect(text).not.toMatch(/X-1|three|p1|1\.5|"a"/);
    expect(text).toContain('observations(codes:[]first:0 above:0 order:NEWEST)');
  });

  it('comes back as it was asked', () => {
    const restored = withLiterals(withoutLiterals(document), literalsOf(document));
    expect(restored && print(restored)).toBe(print(document));
  });

  it('does not come back with too few or too many literals', () => {
    const literals = literalsOf(document);
    expect(withLiterals(withoutLiterals(document), literals.slice(1))).toBeNull();
    expect(withLiterals(withoutLiterals(document), [...literals, '1'])).toBeNull();
  });
});
