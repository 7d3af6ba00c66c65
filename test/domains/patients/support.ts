import type { ClinicalRecord } from '../../../src/domains/patients/formats/fhir.js';
import { fhir } from '../../../src/domains/patients/formats/fhir.js';
import { pipeline } from '../../../src/domains/patients/pipeline.js';
import { stageFhir } from '../../../src/domains/patients/stage.js';
import type { StageContext, Staged } from '../../../src/kernel/index.js';
import { readAs, values } from './formats/support.js';

export type Row = Readonly<Record<string, unknown>>;
export type StagedRow = Extract<Staged, { kind: 'row' }>;
export type Registered = Extract<Staged, { kind: 'register' }>;

export function stageContext(): StageContext {
  let made = 0;
  return {
    digest: 'd'.repeat(64),
    name: 'file',
    assembly: undefined,
    ordinal: 0,
    now: 0,
    newId: () => `00000000-0000-7000-8000-${String(made++).padStart(12, '0')}`,
    memo: new Map(),
  };
}

/** Everything that the records of one FHIR text become. */
export async function stageText(content: unknown): Promise<Staged[]> {
  const context = stageContext();
  return values<ClinicalRecord>(await readAs(fhir, content)).flatMap((record) => [...stageFhir(record, context)]);
}

export const rowsOf = (staged: readonly Staged[], asset: string): StagedRow[] =>
  staged.filter((one): one is StagedRow => one.kind === 'row' && one.asset === asset);

export const registered = (staged: readonly Staged[]): Registered[] => staged.filter((one): one is Registered => one.kind === 'register');

export function assetOf(name: string): (typeof pipeline.assets)[number] {
  const asset = pipeline.assets.find((one) => one.table === name);
  if (asset === undefined) throw new Error(`no asset ${name}`);
  return asset;
}

export const coded = (system: string, code: string): object => ({ coding: [{ system, code }] });
export const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
export const V2_0203 = 'http://terminology.hl7.org/CodeSystem/v2-0203';

export const bundle = (...resources: object[]): object => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

export const person = (more: object = {}): object => ({
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ type: coded(V2_0203, 'MR'), system: 'urn:site-a', value: 'A1' }],
  ...more,
});
