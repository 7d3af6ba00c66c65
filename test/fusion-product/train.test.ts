import 'reflect-metadata';
import type { ModelCard } from '../../src/fusion/card.js';
import type { TrainFusionInput } from '../../src/fusion/input.js';
import { trainFusion } from '../../src/fusion/train-model.js';
import { Records, cohort, scopeOf, without } from './world.js';

const world = cohort(5);
const input: TrainFusionInput = { modelId: 'risk', label: 'condition', code: 'c', seed: 7 };

describe('training', () => {
  test('the same data and seed give the same version, stored once', async () => {
    const records = new Records();
    const first = await trainFusion(scopeOf(world, records), input);
    const later = { ...scopeOf(world, records), lineageId: '00000000-0000-4000-8000-000000000002', now: Date.UTC(2026, 1, 1) };
    const again = await trainFusion(later, input);
    expect(again).toEqual(first);
    expect(records.rows).toHaveLength(1);
    const other = await trainFusion(scopeOf(world, records), { ...input, seed: 8 });
    expect(other.version).not.toBe(first.version);
    const newFeatures = await trainFusion(scopeOf({ ...world, featuresVersion: '2' }, records), input);
    expect(newFeatures.version).not.toBe(first.version);
    expect(records.rows).toHaveLength(3);
    expect(records.rows[0]).toMatchObject({
      id: `risk@${first.version}`,
      version: first.hash.slice(0, 12),
      state: 'VALIDATED',
      trained_by: 'someone',
    });
  });

  test('reports every subset, and the severity that all views show is found', async () => {
    const trained = await trainFusion(scopeOf(world), input);
    expect(trained.modalities).toEqual(['GENOMICS', 'IMAGING', 'NOTES']);
    expect(trained.aurocByMask).toHaveLength(7);
    const full = trained.aurocByMask.find(({ modalities }) => modalities.length === 3)!;
    expect(full.auroc).toBeGreaterThan(0.7);
    expect(full.aurocLow!).toBeLessThan(full.auroc!);
    expect(full.aurocHigh!).toBeGreaterThan(full.auroc!);
  });

  test('leaves CLINICAL out unless it is named', async () => {
    const clinical = { ...world, frames: { ...world.frames, CLINICAL: world.frames['NOTES']! } };
    expect((await trainFusion(scopeOf(clinical), input)).modalities).not.toContain('CLINICAL');
    expect((await trainFusion(scopeOf(clinical), { ...input, modalities: ['CLINICAL'] })).modalities).toEqual(['CLINICAL']);
  });

  test('refuses a barred modality by name', async () => {
    const training = trainFusion(scopeOf({ ...world, barred: ['IMAGING'] }), input);
    await expect(training).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'Training may not use IMAGING.' });
  });

  test.each([
    ['too few events', { code: 'rare' }],
    ['an unknown label', { label: 'other' }],
    ['an unknown modality', { modalities: ['WEARABLES'] }],
    ['no modality', { modalities: [] }],
    ['a name that is none', { modelId: 'a@b' }],
    ['a negative seed', { seed: -1 }],
  ])('refuses %s', async (_name, change) => {
    await expect(trainFusion(scopeOf(world), { ...input, ...change })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  test('learns from nobody who is hidden', async () => {
    const hidden = [...world.labels.keys()].slice(0, 200);
    const labels = new Map([...world.labels].filter(([id]) => !hidden.includes(id)));
    const frames = Object.fromEntries(Object.entries(world.frames).map(([name, frame]) => [name, without(frame, hidden)]));
    const seen = await trainFusion(scopeOf({ ...world, hidden }), input);
    expect(seen).toEqual(await trainFusion(scopeOf({ labels, frames }), input));
  });

  test('trains 1,000 persons with five modalities within the time of a request', async () => {
    const big = cohort(9, 1000, ['CLINICAL', 'GENOMICS', 'IMAGING', 'NOTES', 'WEARABLES']);
    const start = performance.now();
    const trained = await trainFusion(scopeOf(big), { ...input, modalities: Object.keys(big.frames) });
    expect(trained.aurocByMask).toHaveLength(31);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('the card', () => {
  test('says what the model was made of, and why a text is missing', async () => {
    const records = new Records();
    const trained = await trainFusion(scopeOf(world, records), input);
    const card = records.rows[0]!['card'] as ModelCard;
    expect(card).toMatchObject({
      label: { view: 'condition', code: 'c' },
      seed: 7,
      n: trained.trainedOn,
      events: trained.events,
      lineageId: trained.lineageId,
    });
    const present = world.frames['NOTES']!.keys.length;
    expect(card.modalities.find(({ modality }) => modality === 'NOTES')).toMatchObject({
      featuresVersion: '1',
      missingRate: 1 - present / trained.trainedOn,
      features: world.frames['NOTES']!.columns.map(({ name, unit }) => ({ name, unit })),
    });
    for (const text of card.text) expect(text.notAvailableBecause).not.toBe('');
    expect(JSON.stringify(card)).not.toMatch(/p0\d{4}/);
  });

  test('tells no metric that rests on a small cell', async () => {
    const records = new Records();
    const few = world.frames['NOTES']!.keys.slice(8);
    await trainFusion(scopeOf({ ...world, frames: { ...world.frames, NOTES: without(world.frames['NOTES']!, few) } }, records), input);
    const card = records.rows[0]!['card'] as ModelCard;
    const notes = card.modalities.find(({ modality }) => modality === 'NOTES')!;
    expect(notes.missingRate).toBeNull();
    for (const { modalities, n } of card.masks) if (modalities.includes('NOTES')) expect(n).toBeNull();
  });
});
