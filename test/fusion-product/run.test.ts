import 'reflect-metadata';
import type { TrainedModel } from '../../src/fusion/model.js';
import type { FusionResult } from '../../src/fusion/result.js';
import { runFusion } from '../../src/fusion/run-model.js';
import { trainFusion } from '../../src/fusion/train-model.js';
import { Records, cohort, scopeOf, without, type World } from './world.js';

const world = cohort(11);
const records = new Records();
let trained: TrainedModel;
const ids = [...world.labels.keys()];
const having = (...modalities: string[]): string[] => ids.filter((id) => modalities.every((name) => world.frames[name]!.keys.includes(id)));
const input = (patientIds: string[], more: object = {}): Parameters<typeof runFusion>[1] => ({
  modelId: 'risk',
  patientIds,
  explain: true,
  level: 0.9,
  ...more,
});
const results = async (of: World, patientIds: string[], more: object = {}): Promise<FusionResult[]> =>
  (await runFusion(scopeOf(of, records), input(patientIds, more))).results;
const logit = (p: number): number => Math.log(p / (1 - p));

beforeAll(async () => {
  trained = await trainFusion(scopeOf(world, records), { modelId: 'risk', label: 'condition', code: 'c', seed: 7 });
});

describe('a run', () => {
  test('scores everybody from what they have, and contributions sum to the score', async () => {
    const answers = await results(world, ids);
    expect(answers.filter(({ status }) => status === 'PREDICTED').length).toBeGreaterThan(300);
    for (const answer of answers) {
      expect([...answer.mask!, ...answer.missing!.map(({ modality }) => modality)].sort()).toEqual(trained.modalities);
      if (answer.status !== 'PREDICTED') continue;
      const sum = answer.contributions!.reduce((total, { contribution }) => total + contribution, 0);
      expect(sum).toBeCloseTo(logit(answer.probability!) - answer.baseline!, 9);
      expect(answer.contributions!.map(({ modality }) => modality)).toEqual(answer.mask);
      expect(answer.calibration!.maskGroup).toBe(answer.mask!.join('+'));
    }
  });

  test('answers in the order asked for, repeats alike, without shares unless asked', async () => {
    const [a, b] = having('GENOMICS', 'IMAGING') as [string, string];
    const answers = await results(world, [b, a, b], { explain: false });
    expect(answers.map(({ patientId }) => patientId)).toEqual([b, a, b]);
    expect(answers[0]).toEqual(answers[2]);
    expect(answers.every((answer) => !('contributions' in answer))).toBe(true);
  });

  test('a score is that of the permitted subset alone', async () => {
    const [id] = having('GENOMICS', 'IMAGING', 'NOTES') as [string];
    const [barred] = await results({ ...world, barred: ['IMAGING'] }, [id]);
    const [excluded] = await results(world, [id], { modalities: ['GENOMICS', 'NOTES'] });
    expect(barred!.mask).toEqual(['GENOMICS', 'NOTES']);
    expect(barred!.probability).toBe(excluded!.probability);
    expect(barred!.missing).toEqual([{ modality: 'IMAGING', reason: 'ACCESS_DENIED' }]);
    expect(excluded!.missing).toEqual([{ modality: 'IMAGING', reason: 'NOT_REQUESTED' }]);
  });

  test('refuses arguments out of range', async () => {
    await expect(results(world, [])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(results(world, ['p00001'], { level: 1 })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(results(world, ['p00001'], { modalities: ['toString'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      place: 'input.modalities.0',
    });
    await expect(results(world, Array<string>(10_001).fill('p00001'))).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(results(world, ['p00001'], { modelId: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(results(world, ['p00001'], { modelVersion: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a denial is never informative', () => {
  test('a barred modality is not read, and is denied for those who have no such data too', async () => {
    const scope = scopeOf({ ...world, barred: ['NOTES'] }, records);
    const { results: answers } = await runFusion(scope, input(ids));
    expect(scope.computed).toEqual(['GENOMICS', 'IMAGING']);
    for (const answer of answers) expect(answer.missing).toContainEqual({ modality: 'NOTES', reason: 'ACCESS_DENIED' });
  });

  test('a modality left out by the caller is not read', async () => {
    const scope = scopeOf(world, records);
    await runFusion(scope, input(ids.slice(0, 5), { modalities: ['NOTES'] }));
    expect(scope.computed).toEqual(['NOTES']);
  });

  test('a hidden person and one who does not exist are denied alike, and no feature of theirs is asked for', async () => {
    const [id, shown] = having('GENOMICS') as [string, string];
    const scope = scopeOf({ ...world, hidden: [id] }, records);
    const [hidden, unknown, other] = (await runFusion(scope, input([id, 'nobody', shown]))).results;
    expect(hidden).toStrictEqual({ patientId: id, status: 'DENIED' });
    expect(unknown).toStrictEqual({ patientId: 'nobody', status: 'DENIED' });
    expect(other!.status).not.toBe('DENIED');
    expect([...scope.askedFor]).toEqual([shown]);
  });

  test('twin worlds: withheld and never collected give byte-equal answers', async () => {
    const withheld = having('NOTES').slice(0, 120);
    const first = { ...world, withheld: { NOTES: withheld } };
    const second = { ...world, frames: { ...world.frames, NOTES: without(world.frames['NOTES']!, withheld) } };
    expect(JSON.stringify(await results(first, ids))).toBe(JSON.stringify(await results(second, ids)));
    const other = {
      ...first,
      frames: {
        ...world.frames,
        NOTES: {
          ...world.frames['NOTES']!,
          columns: world.frames['NOTES']!.columns.map((c) => ({
            ...c,
            values: c.values.map((v, i) => (withheld.includes(world.frames['NOTES']!.keys[i]!) ? 1e6 : v)),
          })),
        },
      },
    };
    expect(JSON.stringify(await results(other, ids))).toBe(JSON.stringify(await results(first, ids)));
  });

  test.each([
    ['neither right', [], 'UNAVAILABLE', 'UNAVAILABLE'],
    ['consent only', ['consent'], 'UNAVAILABLE', 'UNAVAILABLE'],
    ['evidence only', ['evidence.patients'], 'UNAVAILABLE', 'UNAVAILABLE'],
    ['both rights', ['consent', 'evidence.patients'], 'POLICY_DENIED', 'NOT_COLLECTED'],
  ] as const)('with %s withheld and absent are told apart only where allowed', async (_name, readable, whenWithheld, whenAbsent) => {
    const [id] = having('NOTES') as [string];
    const absent = ids.find((each) => !world.frames['NOTES']!.keys.includes(each))!;
    const [a, b] = await results({ ...world, withheld: { NOTES: [id] }, readable }, [id, absent]);
    expect(a!.missing).toContainEqual({ modality: 'NOTES', reason: whenWithheld });
    expect(b!.missing).toContainEqual({ modality: 'NOTES', reason: whenAbsent });
  });

  test('stale data are named as such and not used', async () => {
    const [id] = having('NOTES', 'IMAGING') as [string];
    const [answer] = await results({ ...world, stale: { NOTES: [id] } }, [id]);
    expect(answer!.missing).toContainEqual({ modality: 'NOTES', reason: 'STALE' });
    expect(answer!.mask).not.toContain('NOTES');
  });

  test('with everything barred the model abstains for everybody alike', async () => {
    const answers = await results({ ...world, barred: trained.modalities }, ids.slice(0, 20));
    expect(new Set(answers.map(({ patientId: _, ...rest }) => JSON.stringify(rest))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 'ABSTAINED', abstainReason: 'NO_MODALITY', mask: [] });
  });
});

describe('a registered model', () => {
  const changed = (change: (row: Record<string, unknown>) => void): Records => {
    const copy = new Records();
    copy.rows.push(...structuredClone(records.rows));
    change(copy.rows[0]!);
    return copy;
  };

  test('whose content was touched is refused', async () => {
    const fresh = new Records();
    await trainFusion(scopeOf(world, fresh), { modelId: 'risk', label: 'condition', code: 'c', seed: 99 });
    const parameters = fresh.rows[0]!['parameters'] as {
      label: string;
      features: Record<string, string>;
      stored: { model: { weights: number[] } };
    };
    const refused = async (): Promise<void> => {
      await expect(runFusion(scopeOf(world, fresh), input(ids.slice(0, 1)))).rejects.toMatchObject({ code: 'CONFLICT' });
    };
    const [weight] = parameters.stored.model.weights as [number];
    parameters.stored.model.weights[0] = weight + 1e-9;
    await refused();
    parameters.stored.model.weights[0] = weight;
    parameters.label = 'condition:other';
    await refused();
    parameters.label = 'condition:c';
    parameters.features['NOTES'] = '2';
    await refused();
    parameters.features['NOTES'] = '1';
    await expect(runFusion(scopeOf(world, fresh), input(ids.slice(0, 1)))).resolves.toBeDefined();
  });

  test('is refused when the features it reads have another version', async () => {
    await expect(runFusion(scopeOf({ ...world, featuresVersion: '2' }, records), input(ids.slice(0, 1)))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('that is suspended abstains, reads nothing and still denies the hidden', async () => {
    const suspended = changed((row) => {
      row['state'] = 'SUSPENDED';
    });
    const scope = scopeOf(world, suspended);
    const { results: answers } = await runFusion(scope, input([ids[0]!, 'nobody']));
    expect(answers).toStrictEqual([
      { patientId: ids[0], status: 'ABSTAINED', abstainReason: 'MODEL_SUSPENDED' },
      { patientId: 'nobody', status: 'DENIED' },
    ]);
    expect(scope.computed).toEqual([]);
  });
});
