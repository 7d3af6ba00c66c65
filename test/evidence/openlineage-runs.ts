import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { RECORD_KINDS, type AuditRecord, type EvidenceRun, type LineagePlan } from '../../src/evidence/index.js';

/** In whose name the events of these tests are told. */
export const MESH = { namespace: 'thalamus.test', producer: 'https://thalamus.local/thalamus/0.1.0', version: '0.1.0' };
/** Stands wherever a record holds what no event may tell. */
export const CANARY = 'CANARY Zebulon Quux';
export const HEX = createHash('sha256').update('x').digest('hex');
export const RUN = '019a9f00-0000-7000-8000-000000000001';
export const OTHER = '019a9f00-0000-7000-8000-0000000000ff';

export const record = (over: Partial<AuditRecord> = {}): AuditRecord => ({
  seq: 7,
  at: '2026-06-01T00:00:00.000Z',
  mono: 1,
  writer: OTHER,
  kind: 'query',
  run: RUN,
  principal: CANARY,
  roles: ['clinician'],
  purpose: 'TREAT',
  recipient: null,
  caller: null,
  policy: 'v1',
  plan: null,
  patients: 3,
  set: HEX,
  rows: 3,
  result: HEX,
  bytes: 120,
  versions: {},
  code: null,
  facts: {},
  sealed: null,
  ...over,
});

export const PLAN: LineagePlan = {
  digest: HEX,
  document: '{patient(id:""){birthYear variants{edges{node{gene}}}}}',
  columns: [
    { coordinate: 'Query.patient', source: 'patient.sensitivity', type: 'INDIRECT', masking: false },
    { coordinate: 'Patient.birthYear', source: 'patient.birth_year', type: 'DIRECT', masking: false },
    { coordinate: 'Patient.zip', source: 'patient.zip', type: 'DIRECT', masking: true },
    { coordinate: 'Patient.zip', source: 'consent_effect.purpose', type: 'INDIRECT', masking: false },
    { coordinate: 'features GENOMICS', source: 'variant.gene', type: 'DIRECT', masking: false },
  ],
  decisions: [
    { coordinate: 'Patient.birthYear', verdict: 'allowed', ruleIds: ['r1'] },
    { coordinate: 'Patient.zip', verdict: 'conditional', ruleIds: ['r1'] },
  ],
  policyVersion: 'v1',
};
const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const table = fc.constantFrom('patient', 'variant', 'consent_effect', 'note', CANARY);
const versions = fc.dictionary(table, fc.nat(), { maxKeys: 3 });
const coordinate = fc.constantFrom('Query.patient', 'Patient.birthYear', 'Variant.gene', 'features GENOMICS', 'label diagnosis', 'persons');
const plans: fc.Arbitrary<LineagePlan> = fc.record({
  digest: hex,
  document: fc.constantFrom('{patient(id:""){id}}', 'mutation{runFusion(input:{}){runId}}'),
  columns: fc.array(
    fc.record({
      coordinate,
      source: fc.constantFrom('patient.birth_year', 'patient.zip', 'variant.gene', 'consent_effect.purpose'),
      type: fc.constantFrom('DIRECT' as const, 'INDIRECT' as const),
      masking: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  decisions: fc.array(
    fc.record({
      coordinate,
      verdict: fc.constantFrom('allowed' as const, 'masked' as const, 'conditional' as const),
      ruleIds: fc.constant(['r1']),
    }),
    { maxLength: 6 },
  ),
  policyVersion: hex,
});
const junk = fc.oneof(
  fc.constant(CANARY),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(null),
  fc.array(fc.constant(CANARY), { maxLength: 2 }),
);
const or = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: junk });
const modality = fc.constantFrom('GENOMICS', 'IMAGING', 'NOTES', 'WEARABLES', CANARY);
const facts = fc.record(
  {
    model: or(
      fc.record(
        {
          id: or(fc.constant('demo')),
          version: or(fc.constant('abc123')),
          hash: or(hex),
          lineageId: or(fc.uuid()),
          trainingData: or(versions),
        },
        { requiredKeys: [] },
      ),
    ),
    modalities: or(fc.array(modality, { maxLength: 4 })),
    withheld: or(fc.dictionary(modality, fc.oneof(fc.nat(9), fc.constantFrom('ACCESS_DENIED', 'UNAVAILABLE', CANARY)), { maxKeys: 4 })),
    datasets: or(fc.dictionary(modality, fc.constantFrom('1', CANARY), { maxKeys: 4 })),
    results: or(fc.dictionary(fc.constantFrom('PREDICTED', 'DENIED'), fc.nat())),
    product: or(fc.constantFrom('patients', 'genomics')),
    format: or(fc.constantFrom('fhir', 'vcf')),
    rows: or(versions),
    status: or(fc.constantFrom('ingested', 'refused')),
    file: or(fc.constant('Instance.file')),
    digest: or(hex),
    range: or(fc.constant('0-9/100')),
    router: or(fc.constant('edge-router')),
    parent: or(fc.uuid()),
    denied: or(fc.nat()),
    cutOff: or(fc.boolean()),
    breakGlass: junk,
    session: junk,
    actors: junk,
    [CANARY]: junk,
  },
  { requiredKeys: [] },
);
/** Runs of every kind, with facts in and out of form. */
export const runs: fc.Arbitrary<EvidenceRun> = fc
  .record({
    plan: fc.option(plans),
    logId: fc.uuid(),
    seq: fc.nat(),
    kind: fc.constantFrom(...RECORD_KINDS),
    run: fc.uuid(),
    at: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
    roles: fc.subarray(['analyst', 'clinician', 'steward']),
    purpose: fc.constantFrom('TREAT', 'HRESCH', 'unknown', 'study:heart'),
    policy: hex,
    kept: fc.boolean(),
    counts: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
    result: fc.option(hex),
    versions,
    code: fc.option(fc.constantFrom('FORBIDDEN', 'UNAVAILABLE', 'GZIP_TRUNCATED', CANARY)),
    facts,
  })
  .map(({ plan, logId, kept, at, counts: [patients, rows, bytes], ...rest }) => ({
    logId,
    plan: kept ? plan : null,
    record: record({ ...rest, at: at.toISOString(), plan: plan?.digest ?? null, patients, rows, bytes, sealed: CANARY }),
  }));

export const planned = (over: Partial<AuditRecord> = {}): EvidenceRun => ({
  logId: 'log',
  record: record({ plan: HEX, ...over }),
  plan: PLAN,
});
export const bare = (over: Partial<AuditRecord> = {}): EvidenceRun => ({ logId: 'log', record: record(over), plan: null });
