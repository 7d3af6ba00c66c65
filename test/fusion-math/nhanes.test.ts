import { frameOf, rowIndex, rowOf, type Frame } from '../../src/kernel/frame.js';
import { evaluateLate, scoreLate, serialiseLate, trainLate, withEvaluation, type LateEvaluation } from '../../src/fusion/stages/late.js';
import { nhanesThere, readNhanes, type Cohort } from './nhanes.js';

(nhanesThere ? describe : describe.skip)('late fusion on NHANES, repeat 0', () => {
  let cohort: Cohort;
  let evaluation: LateEvaluation;
  let seconds: number;

  beforeAll(() => {
    cohort = readNhanes();
    const start = process.hrtime.bigint();
    evaluation = evaluateLate(cohort.frames, cohort.labels, { seed: 7, folds: cohort.folds, keep: cohort.keep, bootstrapDraws: 200 });
    seconds = Number(process.hrtime.bigint() - start) / 1e9;
  }, 60_000);

  it('ranks patients on natural and on dropped modalities about as well as the peers', () => {
    const mean = evaluation.masks.reduce((sum, report) => sum + report.auroc!, 0) / evaluation.masks.length;
    const line = (name: string, report: LateEvaluation['natural']): string =>
      `${name} n ${report.n} auroc ${report.auroc!.toFixed(4)} [${report.aurocLow!.toFixed(3)}, ${report.aurocHigh!.toFixed(3)}] brier ${report.brier!.toFixed(4)}` +
      ` ece ${report.ece!.toFixed(4)} slope ${report.calibrationSlope!.toFixed(2)} coverage ${report.coverage!.toFixed(3)}`;
    process.stdout.write(
      [
        line('natural', evaluation.natural),
        ...Object.entries(evaluation.keep).map(([name, report]) => line(name, report)),
        ...evaluation.masks.map((report) => line(report.modalities.map((name) => name[0]).join(''), report)),
        `mean of ${evaluation.masks.length} subsets ${mean.toFixed(4)}; 5 folds with bootstrap ${seconds.toFixed(1)} s`,
        '',
      ].join('\n'),
    );
    expect(evaluation.natural.auroc).toBeGreaterThanOrEqual(0.78);
    expect(evaluation.keep['drop50']!.auroc).toBeGreaterThanOrEqual(0.74);
    expect(mean).toBeGreaterThanOrEqual(0.74);
    expect(evaluation.natural.ece).toBeLessThanOrEqual(0.05);
  });

  it('reports every subset on all patients, each with its own interval', () => {
    expect(evaluation.masks).toHaveLength(15);
    for (const report of evaluation.masks) {
      expect(report.n).toBe(2978);
      expect(report.aurocLow!).toBeLessThan(report.auroc!);
      expect(report.aurocHigh!).toBeGreaterThan(report.auroc!);
      expect(report.ece!).toBeLessThanOrEqual(0.05);
      expect(report.coverage!).toBeGreaterThan(0.87);
      expect(report.coverage!).toBeLessThan(0.93);
    }
  });

  it('does not move a score when a column equal to the label is planted in the test rows only', () => {
    const { frames, labels, folds } = cohort;
    const training = new Map([...labels].filter(([id]) => folds.get(id) !== 0));
    const demographics = frames['demographics']!;
    const planted = (fill: number, leak: boolean): Record<string, Frame> => ({
      exam_lab: frames['exam_lab']!,
      demographics: frameOf(demographics.keys, [
        ...demographics.columns,
        {
          name: 'planted',
          unit: '1',
          values: Float64Array.from(demographics.keys, (id) => (leak && folds.get(id) === 0 ? labels.get(id)! : fill)),
        },
      ]),
    });
    for (const fill of [0, NaN]) {
      const clean = planted(fill, false);
      const dirty = planted(fill, true);
      const a = withEvaluation(trainLate(clean, training, { seed: 7 }), evaluation.masks);
      const b = withEvaluation(trainLate(dirty, training, { seed: 7 }), evaluation.masks);
      expect(serialiseLate(b).hash).toBe(serialiseLate(a).hash);
      const index = rowIndex(demographics);
      for (const id of [...labels.keys()].filter((key) => folds.get(key) === 0).slice(0, 200)) {
        const row = index.get(id)!;
        const score = scoreLate(b, { demographics: rowOf(dirty['demographics']!, row) });
        expect(score).toEqual(scoreLate(a, { demographics: rowOf(clean['demographics']!, row) }));
        expect(score.status).toBe('PREDICTED');
      }
    }
  });

  it('trains one model in a few seconds', () => {
    const start = process.hrtime.bigint();
    const model = trainLate(cohort.frames, cohort.labels, { seed: 7 });
    const took = Number(process.hrtime.bigint() - start) / 1e9;
    process.stdout.write(
      `one model ${took.toFixed(2)} s, weights ${model.weights.map((w) => w.toFixed(2)).join(' ')}, lambdas ${model.modalities.map((m) => m.lambda).join(' ')}\n`,
    );
    expect(model.calibrationRows + model.trainingRows).toBe(2978);
    expect(took).toBeLessThan(10);
  });
});
