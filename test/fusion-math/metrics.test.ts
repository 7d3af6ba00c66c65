import * as fc from 'fast-check';
import { bootstrapAurocs } from '../../src/fusion/train/bootstrap.js';
import { calibrationLine, fitCalibration, lineFor } from '../../src/fusion/train/calibrate.js';
import { conformalGroup, labelSet } from '../../src/fusion/train/conformal.js';
import { stratifiedFolds, stratifiedHoldout } from '../../src/fusion/train/folds.js';
import { sigmoid } from '../../src/fusion/train/logistic.js';
import { dropModalities, evaluatedMasks } from '../../src/fusion/train/masks.js';
import { auprc, auroc, brier, expectedCalibrationError, logLoss } from '../../src/fusion/train/metrics.js';
import { Random } from '../../src/fusion/train/random.js';
import { shapley } from '../../src/fusion/train/shapley.js';
import { fitStandardiser, standardise } from '../../src/fusion/train/standardise.js';

const of = (...values: number[]): Float64Array => Float64Array.from(values);

describe('metrics equal hand values', () => {
  it('AUROC counts a tied pair as one half', () => {
    // Positives .5 and .9; negatives .5, .2, .9. Pairs won: .5>.2; .9>.5, .9>.2. Tied: .5=.5, .9=.9. (3 + 2/2) / 6.
    expect(auroc(of(0.5, 0.9, 0.5, 0.2, 0.9), of(1, 1, 0, 0, 0))).toBeCloseTo(4 / 6, 12);
    expect(auroc(of(1, 1, 1), of(1, 0, 0))).toBe(0.5);
    expect(auroc(of(1, 2), of(1, 1))).toBeNaN();
  });

  it('average precision, Brier, log loss and calibration error', () => {
    // Thresholds .9 (1 of 1), .5 (2 tied, one hit): 1/2 * 1 + 1/2 * 2/3.
    expect(auprc(of(0.9, 0.5, 0.5, 0.1), of(1, 1, 0, 0))).toBeCloseTo(0.5 + 1 / 3, 12);
    expect(brier(of(0.8, 0.3), of(1, 0))).toBeCloseTo((0.04 + 0.09) / 2, 12);
    expect(logLoss(of(0, 0), of(1, 0))).toBeCloseTo(Math.log(2), 12);
    // Bin .0-.1: gap .1 - 1 over two rows; bin .9-1 holds 1.0 as well: gap 1.9 - 2.
    expect(expectedCalibrationError(of(0.05, 0.05, 0.9, 1), of(1, 0, 1, 1))).toBeCloseTo((0.9 + 0.1) / 4, 12);
  });

  it('AUROC does not change under a growing map and turns round with the sign', () => {
    const rows = fc.array(fc.record({ s: fc.integer({ min: -5, max: 5 }), y: fc.boolean() }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(rows, (list) => {
        const scores = Float64Array.from(list, ({ s }) => s);
        const labels = Float64Array.from(list, ({ y }) => Number(y));
        const value = auroc(scores, labels);
        fc.pre(!Number.isNaN(value));
        expect(auroc(scores.map(sigmoid), labels)).toBeCloseTo(value, 12);
        expect(
          auroc(
            scores.map((s) => -s),
            labels,
          ),
        ).toBeCloseTo(1 - value, 12);
      }),
    );
  });
});

describe('bootstrap', () => {
  const random = new Random(4);
  const labels = Float64Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const good = labels.map((y) => y + random.normal());
  const folds = Int32Array.from(labels, (_, i) => i % 5);

  it('averages within folds, holds the point inside the interval and pairs the draws', () => {
    const { aurocs, differences } = bootstrapAurocs([good, good.map((s) => 2 * s)], labels, folds, new Random(1), {
      draws: 300,
      level: 0.95,
    });
    const byFold = [0, 1, 2, 3, 4].map((k) =>
      auroc(
        good.filter((_, i) => folds[i] === k),
        labels.filter((_, i) => folds[i] === k),
      ),
    );
    expect(aurocs[0]!.value).toBeCloseTo(byFold.reduce((a, b) => a + b, 0) / 5, 12);
    expect(aurocs[0]!.low).toBeLessThan(aurocs[0]!.value);
    expect(aurocs[0]!.high).toBeGreaterThan(aurocs[0]!.value);
    expect(differences[1]).toEqual({ value: 0, low: 0, high: 0 });
  });
});

describe('folds and masks', () => {
  it('keeps class counts within one of each other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 40 }),
        fc.integer({ min: 5, max: 60 }),
        fc.integer({ min: 2, max: 5 }),
        fc.integer(),
        (ones, zeros, k, seed) => {
          const labels = Float64Array.from({ length: ones + zeros }, (_, i) => (i < ones ? 1 : 0));
          const fold = stratifiedFolds(labels, k, new Random(seed));
          for (const label of [0, 1]) {
            const counts = Array.from({ length: k }, (_, f) => fold.filter((value, i) => value === f && labels[i] === label).length);
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          }
          const held = stratifiedHoldout(labels, 0.2, new Random(seed));
          expect(held.filter((flag, i) => flag === 1 && labels[i] === 1)).toHaveLength(Math.max(1, Math.round(ones * 0.2)));
        },
      ),
      { numRuns: 50 },
    );
    expect(() => stratifiedFolds(of(1, 0, 0, 0), 3, new Random(1))).toThrow('fewer rows');
  });

  it('lists every subset up to 6 modalities, and singles, pairs, leave-one-outs and the full set above', () => {
    expect(evaluatedMasks(4)).toHaveLength(15);
    expect(evaluatedMasks(6)).toHaveLength(63);
    expect(evaluatedMasks(8)).toHaveLength(8 + 28 + 8 + 1);
  });

  it('drops only what is present and never everything', () => {
    const random = new Random(2);
    for (let draw = 0; draw < 500; draw += 1) {
      const kept = dropModalities(0b1011, 0.9, random);
      expect(kept & ~0b1011).toBe(0);
      expect(kept).not.toBe(0);
    }
    expect(dropModalities(0b101, 0, random)).toBe(0b101);
  });
});

describe('standardise', () => {
  it('learns on the rows named, lists dropped columns and fills a gap with the mean', () => {
    const columns = [of(1, 3, NaN, 100), of(7, 7, 7, 8), of(NaN, NaN, NaN, 1)];
    const scaler = fitStandardiser(columns, Int32Array.of(0, 1, 2));
    expect(Array.from(scaler.kept)).toEqual([0]);
    expect(scaler.dropped).toEqual([
      { column: 1, reason: 'CONSTANT' },
      { column: 2, reason: 'ALL_MISSING' },
    ]);
    expect(Array.from(standardise(scaler, columns, Int32Array.of(0, 1, 2, 3)))).toEqual([-1, 1, 0, 98]);
  });
});

describe('calibration', () => {
  it('finds the line that was used to spoil the logits, and leaves a small group on the shared slope', () => {
    const random = new Random(11);
    const truth = Float64Array.from({ length: 20_000 }, () => 1.5 * random.normal());
    const labels = truth.map((logit) => (random.next() < sigmoid(logit) ? 1 : 0));
    const spoilt = truth.map((logit) => 2 * logit + 1);
    const small = { mask: 2, logits: spoilt.slice(0, 40), labels: labels.slice(0, 40) };
    const calibration = fitCalibration([{ mask: 1, logits: spoilt, labels }, small]);
    expect(lineFor(calibration, 1).slope).toBeCloseTo(0.5, 1);
    expect(lineFor(calibration, 1).intercept).toBeCloseTo(-0.5, 1);
    expect(calibration.masks.map(({ method }) => method)).toEqual(['PLATT', 'SHARED_SLOPE']);
    expect(lineFor(calibration, 2).slope).toBe(calibration.shared.slope);
    expect(lineFor(calibration, 4)).toBe(calibration.shared);
    expect(calibrationLine(truth, labels).slope).toBeCloseTo(1, 1);
  });

  it('flattens a score that ranks backwards rather than turning it round', () => {
    const random = new Random(12);
    const logits = Float64Array.from({ length: 2000 }, () => random.normal());
    const labels = logits.map((logit) => (random.next() < sigmoid(-3 * logit) ? 1 : 0));
    expect(lineFor(fitCalibration([{ mask: 1, logits, labels }]), 1).slope).toBe(0);
  });
});

describe('conformal label sets', () => {
  it('cover at the level on fresh rows, per class as well, and keep both labels without calibration rows', () => {
    const random = new Random(21);
    const draw = (n: number): { p: Float64Array; y: Float64Array } => {
      const p = Float64Array.from({ length: n }, () => sigmoid(2 * random.normal() - 1));
      return { p, y: p.map((value) => (random.next() < value ? 1 : 0)) };
    };
    const { p, y } = draw(4000);
    const groups = [conformalGroup(3, p, y)];
    const fresh = draw(8000);
    for (const label of [0, 1]) {
      const own = [...fresh.y.keys()].filter((i) => fresh.y[i] === label);
      const covered = own.filter((i) => labelSet(groups, 3, fresh.p[i]!, 0.9).labels.some((kept) => kept === label)).length / own.length;
      expect(Math.abs(covered - 0.9)).toBeLessThan(0.03);
    }
    expect(labelSet(groups, 1, 0.01, 0.9)).toEqual({ labels: [0, 1], method: 'MONDRIAN_MASK', level: 0.9, n: 0 });
  });
});

describe('Shapley values', () => {
  it('sum to the gain, are equal for equal players and zero for a player without effect', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer(), (players, seed) => {
        const random = new Random(seed);
        const worths = Float64Array.from({ length: 1 << players }, () => 10 * random.normal());
        const values = shapley(players, (coalition) => worths[coalition]!);
        const gain = worths[worths.length - 1]! - worths[0]!;
        expect(Math.abs(values.reduce((sum, value) => sum + value, 0) - gain)).toBeLessThan(1e-9);
      }),
    );
    // Players 0 and 1 are worth 6 together and nothing apart; player 2 adds nothing.
    const values = shapley(3, (coalition) => ((coalition & 3) === 3 ? 6 : 0));
    [3, 3, 0].forEach((expected, player) => expect(values[player]).toBeCloseTo(expected, 12));
    expect(() => shapley(9, () => 0)).toThrow('up to 8');
  });
});

describe('random', () => {
  it('repeats by seed, and a fork does not depend on what was drawn', () => {
    const a = new Random(5);
    const b = new Random(5);
    expect([a.next(), a.next()]).toEqual([b.next(), b.next()]);
    a.next();
    expect(a.fork('x').next()).toBe(new Random(5).fork('x').next());
    expect(a.fork('x').next()).not.toBe(a.fork('y').next());
  });

  it('is uniform enough for a chi-square of 16 cells', () => {
    const random = new Random(99);
    const cells = new Float64Array(16);
    for (let i = 0; i < 16_000; i += 1) cells[random.below(16)]! += 1;
    expect(cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(45);
  });
});
