import fc from 'fast-check';
import { provenanceOf } from '../../src/evidence/index.js';
import { HEX, OTHER, RUN, bare, planned, runs } from './openlineage-runs.js';

describe('provenance of a run (FHIR R4)', () => {
  it('names activity, agents, policy, reason and the digests that it comes from', () => {
    expect(provenanceOf(planned({ versions: { patient: 4 }, principal: 'dr-1' }))).toEqual({
      resourceType: 'Provenance',
      id: RUN,
      target: [{ identifier: { system: 'urn:thalamus:sha256', value: HEX } }],
      recorded: '2026-06-01T00:00:00.000Z',
      policy: ['urn:thalamus:policy:v1'],
      reason: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }] }],
      activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: 'READ' }] },
      agent: [
        {
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'performer' }] },
          role: [{ text: 'clinician' }],
          who: { identifier: { system: 'urn:thalamus:principal', value: 'dr-1' } },
        },
        {
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'assembler' }] },
          who: { identifier: { system: 'urn:thalamus:writer', value: OTHER } },
        },
      ],
      entity: ['consent_effect', 'patient@4', 'variant'].map((value) => ({
        role: 'source',
        what: { identifier: { system: 'urn:thalamus:dataset', value } },
      })),
    });
  });

  it('has what FHIR requires, whatever the record holds: target, recorded, agent with who, entity with role and what', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const found = provenanceOf(run);
        expect(found.target.length).toBeGreaterThan(0);
        expect(found.recorded).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(found.agent.every((each) => each.who.identifier.value !== '')).toBe(true);
        expect(found.id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
        expect(JSON.stringify({ ...found, agent: [] })).not.toMatch(/CANARY/);
      }),
      { numRuns: 200 },
    );
  });

  it('of a load has the tables as targets and the file as source', () => {
    const found = provenanceOf(bare({ kind: 'ingest', versions: { variant: 5 }, facts: { rows: { variant: 40 } } }));
    expect(found.target).toEqual([{ identifier: { system: 'urn:thalamus:dataset', value: 'variant@5' } }]);
    expect(found.entity).toEqual([{ role: 'source', what: { identifier: { system: 'urn:thalamus:sha256', value: HEX } } }]);
  });
});
