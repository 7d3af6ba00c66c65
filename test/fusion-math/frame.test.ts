import { frameOf, joinFrames, rowIndex, rowOf, takeRows } from '../../src/kernel/frame.js';

const column = (name: string, ...values: number[]): { name: string; unit: string; values: Float64Array } => ({
  name,
  unit: '1',
  values: Float64Array.from(values),
});

describe('frame', () => {
  const left = frameOf(['a', 'b', 'c'], [column('x', 1, NaN, 3)]);
  const right = frameOf(['c', 'd'], [column('y', 30, 40)]);

  it('refuses repeated keys and names, ragged columns and infinite values, without telling a value', () => {
    expect(() => frameOf(['secret', 'secret'], [])).toThrow(expect.objectContaining({ code: 'BAD_INPUT', place: 'row 1' }));
    expect(() => frameOf(['secret', 'secret'], [])).not.toThrow('secret');
    expect(() => frameOf(['a'], [column('x', 1), column('x', 2)])).toThrow('once');
    expect(() => frameOf(['a'], [column('x', 1, 2)])).toThrow('one value a row');
    expect(() => frameOf(['a'], [column('x', -Infinity)])).toThrow('infinite');
  });

  it('takes rows in the order asked for', () => {
    const taken = takeRows(left, [2, 0]);
    expect(taken.keys).toEqual(['c', 'a']);
    expect(Array.from(rowOf(taken, 0))).toEqual([3]);
    expect(rowIndex(taken).get('a')).toBe(1);
    expect(() => takeRows(left, [3])).toThrow('outside');
  });

  it('joins on keys, with NaN for what a frame does not hold', () => {
    const outer = joinFrames([left, right], 'outer');
    expect(outer.keys).toEqual(['a', 'b', 'c', 'd']);
    expect(outer.columns.map(({ values }) => Array.from(values))).toEqual([
      [1, NaN, 3, NaN],
      [NaN, NaN, 30, 40],
    ]);
    expect(joinFrames([left, right], 'inner').keys).toEqual(['c']);
    expect(() => joinFrames([left, left], 'inner')).toThrow('once');
  });
});
