import * as fc from 'fast-check';
import { frameOf, rowIndex, rowOf, takeRows, type Frame } from '../../src/kernel/frame.js';
import {
  calibratedLogit,
  deserialiseLate,
  evaluateLate,
  evidenceMatrix,
  explainLate,
  maskOf,
  scoreLate,
  serialiseLate,
  trainLate,
  withEvaluation,
  type LateModel,
  type MaskReport,
  type PresentModalities,
} from '../../src/fusion/stages/late.js';
import { Random } from '../../src/fusion/train/random.js';
import { synthetic } from './synthetic.js';

const { frames, labels } = synthetic(1);
const names = Object.keys(frames);
let trained: LateModel;
let model: LateModel;
let reports: readonly MaskReport[];

beforeAll(() => {
  trained = trainLate(frames, labels, { seed: 3 });
  reports = evaluateLate(frames, labels, { seed: 3, outerFolds: 3, bootstrapDraws: 100 }).masks;
  model = withEvaluation(trained, reports);
});

/** A row of made-up values for each modality whose bit is set. */
function rows(bits: number, seed: number): Record<string, Float64Array> {
  const random = new Random(seed);
  return Object.fromEntries(
    names.map((name) => [name, Float64Array.from({ length: 4 }, () => 3 * random.normal())] as const).filter((_, m) => (bits >> m) & 1),
  );
}

const bits = fc.integer({ min: 1, max: 7 });

describe('any subset is a first-class input', () => {
  it('scores every subset, and withheld equals absent whatever the values behind it', () => {
    fc.assert(
      fc.property(bits, fc.integer(), fc.integer(), (mask, seed, other) => {
        const score = scoreLate(model, rows(mask, seed), { explain: true });
        expect(score.status).toBe('PREDICTED');
        expect(score.mask).toEqual(names.filter((_, m) => (mask >> m) & 1));
        // The same patient in a world where the other modalities hold something else, and a row of gaps stands for each.
        const gaps = Object.fromEntries(Object.entries(rows(7, other)).map(([name, row]) => [name, row.map(() => NaN)]));
        expect(JSON.stringify(scoreLate(model, { ...gaps, ...rows(mask, seed) }, { explain: true }))).toBe(JSON.stringify(score));
        // And random numbers under a modality that is masked out of the batch path.
        const all = Float64Array.from(names, (_, m) => explainLate(trained, rows(1 << m, other)).logit);
        const mine = all.slice();
        names.forEach((_, m) => (mine[m] = (mask >> m) & 1 ? all[m]! : new Random(other + m).normal()));
        expect(calibratedLogit(model, mine, mask)).toBe(calibratedLogit(model, all, mask));
      }),
      { numRuns: 100 },
    );
  });

  it('gives row by row what it gives in a batch', () => {
    const ids = [...labels.keys()].slice(0, 60);
    const evidence = evidenceMatrix(model, frames, ids);
    ids.forEach((id, i) => {
      const present: Record<string, Float64Array> = {};
      for (const name of names) {
        const row = rowIndex(frames[name]!).get(id);
        if (row !== undefined) present[name] = rowOf(frames[name]!, row);
      }
      const own = evidence.subarray(i * 3, i * 3 + 3);
      expect(explainLate(model, present).logit).toBe(calibratedLogit(model, own, maskOf(own)));
    });
  });

  it('learns nothing from presence: a modality at its training means has evidence near 0', () => {
    for (const part of trained.modalities) {
      const means = Float64Array.from(part.columns, (_, j) => part.mean[part.kept.indexOf(j)] ?? NaN);
      const evidence = evidenceMatrix(
        trained,
        {
          [part.modality]: frameOf(
            ['x'],
            part.columns.map((column, j) => ({ ...column, values: Float64Array.of(means[j]!) })),
          ),
        },
        ['x'],
      );
      expect(evidence[trained.modalities.indexOf(part)]).toBeCloseTo(part.bias, 12);
      expect(Math.abs(part.bias)).toBeLessThan(0.5);
    }
    expect(trained.usesMissingnessIndicator).toBe(false);
  });

  it('refuses rows of another width, infinite values and other units', () => {
    expect(() => scoreLate(model, { view0: [1, 2] })).toThrow('needs 4 values');
    expect(() => scoreLate(model, { view0: [1, 2, Infinity, 4] })).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', place: 'column 2' }),
    );
    const view = frames['view0']!;
    const metric = frameOf(
      view.keys,
      view.columns.map((column) => ({ ...column, unit: 'kg' })),
    );
    expect(() => evidenceMatrix(model, { view0: metric }, ['p00000'])).toThrow('unit');
    expect(() => evidenceMatrix(model, { view0: frameOf(view.keys, []) }, ['p00000'])).toThrow('lacks the column');
  });
});

describe('contributions', () => {
  it('sum to logit - baseline, one for each present modality and none for another', () => {
    fc.assert(
      fc.property(bits, fc.integer(), (mask, seed) => {
        const { logit, baseline, contributions } = explainLate(model, rows(mask, seed));
        expect(contributions.map(({ modality }) => modality)).toEqual(names.filter((_, m) => (mask >> m) & 1));
        expect(Math.abs(contributions.reduce((sum, { logit: part }) => sum + part, 0) - (logit - baseline))).toBeLessThan(1e-9);
      }),
      { numRuns: 100 },
    );
    expect(explainLate(model, {})).toEqual({ logit: model.prior, baseline: model.prior, contributions: [] });
  });
});

describe('abstention', () => {
  const row = (present: PresentModalities, from: LateModel): unknown => {
    const score = scoreLate(from, present);
    return score.status === 'ABSTAINED' ? score.reason : score.status;
  };

  it('has a reason for each way not to know', () => {
    const changed = (change: Partial<MaskReport>): LateModel =>
      withEvaluation(
        trained,
        reports.map((report) => ({ ...report, ...change })),
      );
    expect(row({}, model)).toBe('NO_MODALITY');
    expect(row({ constructor: [1, 2, 3, 4] }, model)).toBe('NO_MODALITY');
    expect(row({ view0: [NaN, NaN, NaN, NaN] }, model)).toBe('NO_MODALITY');
    expect(row(rows(1, 1), trained)).toBe('MASK_NOT_EVALUATED');
    expect(row(rows(1, 1), withEvaluation(trained, reports.slice(1)))).toBe('MASK_NOT_EVALUATED');
    expect(row(rows(1, 1), changed({ n: 49 }))).toBe('MASK_BELOW_FLOOR');
    expect(row(rows(1, 1), changed({ aurocLow: 0.49 }))).toBe('MASK_BELOW_FLOOR');
    expect(row(rows(1, 1), changed({ aurocLow: null }))).toBe('MASK_BELOW_FLOOR');
    expect(row(rows(1, 1), changed({ n: 50, aurocLow: 0.5 }))).toBe('PREDICTED');
  });
});

describe('training', () => {
  it('gives the same hash for the same seed, in whatever order rows and modalities come, and another for another seed', () => {
    const turned: Record<string, Frame> = {};
    for (const name of [...names].reverse()) turned[name] = takeRows(frames[name]!, new Random(8).shuffle([...frames[name]!.keys.keys()]));
    const { hash } = serialiseLate(trained);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(serialiseLate(trainLate(turned, new Map([...labels].reverse()), { seed: 3 })).hash).toBe(hash);
    expect(serialiseLate(trainLate(frames, labels, { seed: 4 })).hash).not.toBe(hash);
  });

  it('comes back from plain JSON with equal scores, and refuses a changed model', () => {
    const stored = JSON.parse(JSON.stringify(serialiseLate(model))) as ReturnType<typeof serialiseLate>;
    expect(scoreLate(deserialiseLate(stored), rows(5, 2), { explain: true })).toEqual(scoreLate(model, rows(5, 2), { explain: true }));
    expect(() => deserialiseLate({ ...stored, model: { ...stored.model, prior: 0 } })).toThrow('hash');
  });

  it('tells of a column that equals the label and of a modality too small to learn from', () => {
    const view = frames['view0']!;
    const leak = { name: 'leak', unit: '1', values: Float64Array.from(view.keys, (key) => 1 - labels.get(key)!) };
    const tiny = takeRows(frames['view1']!, [0, 1, 2]);
    const { warnings, modalities } = trainLate({ view0: frameOf(view.keys, [...view.columns, leak]), tiny }, labels, { seed: 3 });
    expect(warnings).toEqual([
      { code: 'MODALITY_TOO_SMALL', modality: 'tiny', columns: [] },
      { code: 'LABEL_LEAK', modality: 'view0', columns: ['leak'] },
    ]);
    expect(modalities.map(({ modality }) => modality)).toEqual(['view0']);
    expect(() => trainLate({ tiny }, labels, { seed: 3 })).toThrow('both classes');
    expect(() => trainLate({}, labels, { seed: 3 })).toThrow('at least one modality');
    expect(() => trainLate(frames, labels, { seed: 3, lambdaGrid: [0] })).toThrow('lambdaGrid');
  });

  it('keeps calibration rows out of the fit', () => {
    expect(trained.calibrationRows).toBeGreaterThan(0.18 * (trained.trainingRows + trained.calibrationRows));
    for (const part of trained.modalities) expect(part.n).toBeLessThanOrEqual(trained.trainingRows);
  });

  it('trains a modality of 3,000 columns on 200 patients', () => {
    const wide = synthetic(6, 200, 2, 3000, 0.1);
    const fitted = trainLate(wide.frames, wide.labels, { seed: 1, lambdaGrid: [1000, 10_000] });
    expect(fitted.modalities[0]!.coefficients).toHaveLength(3000);
  });
});

describe('evaluation', () => {
  it('measures each subset on the patients that have all of it', () => {
    expect(reports).toHaveLength(7);
    const full = reports.find(({ modalities }) => modalities.length === 3)!;
    const count = [...labels.keys()].filter((id) => names.every((name) => rowIndex(frames[name]!).has(id))).length;
    expect(full.n).toBe(count);
    const alone = reports.filter(({ modalities }) => modalities.length === 1);
    for (const report of alone) expect(full.auroc!).toBeGreaterThan(report.auroc! - 0.03);
  });

  it('finds nothing in labels that have nothing to do with the values', () => {
    const random = new Random(77);
    const noise = new Map([...labels.keys()].map((id) => [id, random.below(2) as 0 | 1]));
    const { natural } = evaluateLate(frames, noise, { seed: 3, outerFolds: 3, bootstrapDraws: 100 });
    expect(natural.aurocLow!).toBeLessThan(0.5);
  });
});
