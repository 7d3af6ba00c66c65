/** What holds of masks and of the profiles that choose them. */
import assert from 'node:assert/strict';
import { maskPads, maskValue, type MaskedCell } from '../../src/governance/mask.js';
import { profileMask } from '../../src/governance/profiles.js';
import type { Mask, SqlType } from '../../src/kernel/index.js';
import type { Fact } from './suite.js';

const masked = (mask: Mask, value: unknown, type: SqlType, over: Partial<MaskedCell> = {}): unknown =>
  maskValue(mask, value, {
    type,
    pads: maskPads(Buffer.alloc(32, 5)),
    redacted: 'clean',
    patient: 'p',
    now: Date.UTC(2026, 5, 1),
    identifier: undefined,
    ...over,
  });
const MASKED: readonly (readonly [Mask, SqlType, unknown, unknown, Partial<MaskedCell>?])[] = [
  ['NULL', 'text', 'Alderwick', null],
  ['HASH', 'text', 'Alderwick', 'h:20b5e7b5a9a48fe8f8b0f1a7'],
  ['HASH', 'int', 5, null],
  ['LAST4', 'text', 'abcde', 'xbcde'],
  ['LAST4', 'text', 'abcd', 'xxxx'],
  ['LAST4', 'uuid', '0000-12345', 'xxxxxx2345'],
  ['LAST4', 'int', 12345, null],
  ['FIRST4', 'text', 'abcdef', 'abcdxx'],
  ['FIRST4', 'text', 'abcd', 'xxxx'],
  ['FIRST4', 'date', '2020-01-01', null],
  ['YEAR', 'date', '1951-07-23', '1951-01-01'],
  ['YEAR', 'timestamptz', '1951-12-31T23:59:59.000Z', '1951-01-01T00:00:00.000Z'],
  ['YEAR', 'text', '1951-07-23', null],
  ['ZIP3', 'text', '02139-1234', '021'],
  ['ZIP3', 'text', '03601', '000'],
  ['ZIP3', 'text', '0213', '000'],
  ['ZIP3', 'uuid', '02139', null],
  ['ZIP3', 'int', 2139, null],
  ['AGE90', 'int', 89, 89],
  ['AGE90', 'int', 91, 90],
  ['AGE90', 'int', 0, 0],
  ['AGE90', 'int', -1, null],
  ['AGE90', 'int', 1930, 1936, { identifier: 'birth' }],
  ['AGE90', 'int', 1990, 1990, { identifier: 'birth' }],
  ['AGE90', 'date', '1921-05-05', '1936-01-01'],
  ['AGE90', 'date', '1990-05-05', '1990-01-01'],
  ['AGE90', 'text', '99', null],
  ['AGE90', 'float8', 99.5, null],
  ['AGE90', 'int', '99', null],
  ['DATESHIFT', 'text', '2020-01-01', null],
  ['DATESHIFT', 'date', '2020-01-01', null, { patient: null }],
  ['DATESHIFT', 'date', 'no date', null],
  ['REDACT', 'text', 'Alderwick', 'clean'],
  ['REDACT', 'text', 'Alderwick', null, { redacted: undefined }],
  ['HASH', 'text', null, null],
  ['YEAR', 'date', null, null],
  ['YEAR', 'date', undefined, null],
];

const LETTERS: readonly (readonly [string, Mask | null, Mask | null])[] = [
  ['A', 'NULL', 'NULL'],
  ['B', 'NULL', null],
  ['B.zip', 'ZIP3', null],
  ['B.street', 'NULL', 'NULL'],
  ['C', 'YEAR', null],
  ['C.birth', 'AGE90', null],
  ['C.age', 'AGE90', null],
  ['R', 'HASH', 'HASH'],
  ['R.text', 'REDACT', 'REDACT'],
];

export const MASK_FACTS: readonly Fact[] = [
  ...MASKED.map(([mask, type, value, expected, over], i): Fact => ({
    name: `${mask} of ${type} (${i})`,
    check: () => {
      const is = masked(mask, value, type, over);
      if (mask === 'HASH' && expected !== null) assert.match(String(is), /^h:[0-9a-f]{24}$/);
      else assert.equal(is, expected);
    },
  })),
  {
    name: 'HASH is an HMAC and DATESHIFT stays inside a year, back',
    check: () => {
      assert.notEqual(masked('HASH', 'a', 'text'), masked('HASH', 'a', 'text', { pads: maskPads(Buffer.alloc(32, 6)) }));
      // RFC 4231, test cases 2 and 6: keys shorter and longer than the block.
      const [short, long] = [maskPads(Buffer.from('Jefe')), maskPads(Buffer.alloc(131, 0xaa))];
      assert.equal(masked('HASH', 'what do ya want for nothing?', 'text', { pads: short }), 'h:5bdcc146bf60754e6a042426');
      assert.equal(
        masked('HASH', 'Test Using Larger Than Block-Size Key - Hash Key First', 'text', { pads: long }),
        'h:60e431591ee0b67f0d8a26aa',
      );
      const days = Array.from(
        { length: 4000 },
        (_, i) => (Date.UTC(2020, 0, 1) - Date.parse(String(masked('DATESHIFT', '2020-01-01', 'date', { patient: `p${i}` })))) / 86_400_000,
      );
      assert.deepEqual([Math.min(...days), Math.max(...days)], [1, 364]);
      assert.match(String(masked('DATESHIFT', '2020-01-01T10:11:12.013Z', 'timestamptz')), /T10:11:12.013Z$/);
      assert.equal(maskPads(Buffer.alloc(64, 1)).inner[0], 0x36 ^ 1);
      assert.notDeepEqual(maskPads(Buffer.alloc(64, 1)).inner, maskPads(Buffer.alloc(65, 1)).inner);
    },
  },
  ...LETTERS.map(([letter, safe, limited]): Fact => ({
    name: `letter ${letter} under the profiles`,
    check: () =>
      assert.deepEqual(
        [profileMask('safe-harbor', `safeharbor.${letter}`), profileMask('limited-data-set', `safeharbor.${letter}`)],
        [safe, limited],
      ),
  })),
];
