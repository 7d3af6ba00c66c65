import fc from 'fast-check';
import { scanJson } from '../../../../src/domains/patients/formats/json-scan.js';

function accepts(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

describe('scanJson', () => {
  test('accepts exactly what JSON.parse accepts, also of damaged text', () => {
    const damaged = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', ',', ']', '}', '"', '0', '-', '.', 'e', '\\', '\u0010', '\\u00', 'tru', ' ', '\n'),
      fc.nat(2),
    );
    fc.assert(
      fc.property(damaged, ([json, at, insert, cut]) => {
        const from = at % (json.length + 1);
        const text = json.slice(0, from) + insert + json.slice(from + cut);
        if (Buffer.from(text).toString() !== text) return;
        expect(accepts(() => scanJson(Buffer.from(text)))).toBe(accepts(() => JSON.parse(text)));
      }),
      { numRuns: 3000 },
    );
  });

  test.each(['01', '-', '1.', '1e', '"\\u00\u0010\u00100"', '"\\x"', '[1,]', '{"a":1,}', '{,}', 'nul', '1 2', ''])('refuses %j', (text) => {
    expect(() => scanJson(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  test('the spans of entries and resources hold their own text', () => {
    const parts = fc.array(
      fc.record({ resource: fc.jsonValue({ maxDepth: 3 }), other: fc.jsonValue({ maxDepth: 3 }) }, { requiredKeys: [] }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(parts, fc.jsonValue({ maxDepth: 2 }), (entry, more) => {
        const bytes = Buffer.from(JSON.stringify({ more: { entry: [more], resource: 1 }, entry, last: more }, null, 1));
        const { entries } = scanJson(bytes);
        const cut = (start: number, end: number): unknown => JSON.parse(bytes.toString('utf8', start, end));
        expect(entries.map((one) => cut(one.start, one.end))).toEqual(JSON.parse(JSON.stringify(entry)));
        expect(entries.map((one) => (one.resourceStart < 0 ? undefined : cut(one.resourceStart, one.resourceEnd)))).toEqual(
          entry.map((one) => (one.resource === undefined ? undefined : JSON.parse(JSON.stringify(one.resource)))),
        );
      }),
      { numRuns: 300 },
    );
  });
});
