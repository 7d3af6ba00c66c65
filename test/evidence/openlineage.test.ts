import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { openLineageEvents, redact, type EvidenceRun, type LineagePlan, type RunEvent } from '../../src/evidence/index.js';
import { compileAll, schemasPresent, validateEvents } from '../support/openlineage.js';
import { CANARY, HEX, MESH, OTHER, PLAN, RUN, bare, planned, record, runs } from './openlineage-runs.js';

if (!schemasPresent) {
  if (process.env['CI'] !== undefined) throw new Error('The shared data are absent.');
  process.stdout.write('skipped: the schemas of OpenLineage are not there\n');
}
const validated = schemasPresent ? it : it.skip;

const told = (run: EvidenceRun): RunEvent[] => openLineageEvents(run, MESH);
const ended = (run: EvidenceRun, at = 1): RunEvent => {
  const event = told(run)[at];
  if (!event) throw new Error('there is no such event');
  return event;
};

describe('events of a run', () => {
  validated('are valid whatever the record holds: schema, facets by their own stored schemas, START and one end', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const events = told(run);
        const { valid, total, faults } = validateEvents(events);
        expect(faults).toEqual([]);
        expect(valid).toBe(total);
        const text = JSON.stringify(events);
        expect(text).not.toMatch(/CANARY|Zebulon/);
        expect(JSON.stringify(told(structuredClone(run)))).toBe(text);
      }),
      { numRuns: 400 },
    );
  });

  validated('are valid for each plan of the golden answers', () => {
    const root = path.resolve(__dirname, '../golden');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.lineage.json'));
    expect(files.length).toBeGreaterThan(20);
    const read = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
    const events = files.flatMap((file, at) => {
      const columns = read(file) as LineagePlan['columns'];
      const decisions = read(file.replace('.lineage.', '.decision.')) as LineagePlan['decisions'];
      const run = `019a9f00-0000-7000-8000-${at.toString().padStart(12, '0')}`;
      return told({ logId: 'log', record: record({ plan: HEX, run }), plan: { ...PLAN, columns, decisions } });
    });
    expect(validateEvents(events)).toEqual({ valid: events.length, total: 2 * files.length, faults: [] });
    // Each column that a plan names is told.
    for (const [at, file] of files.entries()) {
      const text = JSON.stringify(events[2 * at + 1]?.outputs);
      for (const { source } of read(file) as LineagePlan['columns']) {
        const [name, field] = source.split('.');
        expect(text).toContain(`"name":"${name}","field":"${field}"`);
      }
    }
  });

  it('name the job by what ran', () => {
    const name = (run: EvidenceRun, at = 1): string => ended(run, at).job.name;
    const model = { id: 'demo', version: 'abc', hash: HEX };
    expect(name(planned())).toBe(`query.${HEX}`);
    expect(name(bare({ kind: 'ingest', facts: { product: 'genomics', format: 'vcf' } }))).toBe('ingest.genomics.vcf');
    expect(name(bare({ kind: 'ingest', code: 'FORMAT_UNKNOWN', facts: { product: null, format: null } }))).toBe('ingest.unknown.unknown');
    expect(name(bare({ kind: 'admin' }))).toBe('audit.admin');
    expect(name(planned({ kind: 'mutation', facts: { model } }), 3)).toBe('fusion.train.demo');
    expect(name(planned({ kind: 'mutation', facts: { model, results: {} } }), 3)).toBe('fusion.run.demo');
  });

  it('end with COMPLETE, with FAIL and the code alone, or with ABORT', () => {
    expect(ended(planned()).eventType).toBe('COMPLETE');
    const refused = ended(bare({ kind: 'refused', code: 'FORBIDDEN', result: null }));
    expect(refused).toMatchObject({ eventType: 'FAIL', outputs: [], run: { facets: { errorMessage: { message: 'FORBIDDEN' } } } });
    expect(ended(bare({ kind: 'refused', code: CANARY })).run.facets['errorMessage']).toMatchObject({ message: 'INTERNAL' });
    expect(ended(planned({ facts: { cutOff: true } })).eventType).toBe('ABORT');
  });

  it('begin when the request came, which its id holds, and never after their end', () => {
    const at = Number.parseInt('019a9f000000', 16);
    expect(told(planned())[0]?.eventTime).toBe(new Date(at).toISOString());
    const early = new Date(at - 1000).toISOString();
    expect(told(planned({ at: early }))[0]?.eventTime).toBe(early);
  });

  it('say what each field shows, what it depends on, and what chose the rows', () => {
    const source = (name: string, field: string, type: string, subtype: string, masking: boolean): unknown => ({
      namespace: MESH.namespace,
      name,
      field,
      transformations: [{ type, subtype, masking }],
    });
    expect(ended(planned()).outputs[0]?.facets?.['columnLineage']).toMatchObject({
      fields: {
        'Patient.birthYear': { inputFields: [source('patient', 'birth_year', 'DIRECT', 'IDENTITY', false)] },
        'Patient.zip': {
          inputFields: [
            source('consent_effect', 'purpose', 'INDIRECT', 'CONDITIONAL', false),
            source('patient', 'zip', 'DIRECT', 'TRANSFORMATION', true),
          ],
        },
      },
      dataset: [source('patient', 'sensitivity', 'INDIRECT', 'FILTER', false)],
    });
  });

  it('of a load lead from the digest of the file to the tables with their rows', () => {
    const event = ended(
      bare({ kind: 'ingest', versions: { variant: 5 }, facts: { product: 'genomics', format: 'vcf', rows: { variant: 40 } } }),
    );
    expect(event.inputs).toMatchObject([{ name: `sha256:${HEX}`, inputFacets: { inputStatistics: { size: 120, fileCount: 1 } } }]);
    expect(event.outputs).toMatchObject([
      { name: 'variant', facets: { version: { datasetVersion: '5' } }, outputFacets: { outputStatistics: { rowCount: 40 } } },
    ]);
  });

  it('of a model stand under the request, after its training, and say which modalities there were', () => {
    const model = { id: 'demo', version: 'abc', hash: HEX, lineageId: OTHER };
    const facts = {
      model,
      modalities: ['GENOMICS', 'NOTES'],
      withheld: { GENOMICS: 2, NOTES: 0, IMAGING: 'ACCESS_DENIED' },
      datasets: { NOTES: '1' },
    };
    const event = ended(planned({ kind: 'mutation', facts }), 3);
    const training = ended(planned({ kind: 'mutation', run: OTHER, facts: { model } }), 3);
    expect(event.run.facets).toMatchObject({
      parent: { run: { runId: RUN }, job: { name: `query.${HEX}` } },
      jobDependencies: { upstream: [{ job: { name: training.job.name }, run: { runId: training.run.runId } }] },
      thalamus_presence: {
        model: { id: 'demo', version: 'abc', digest: HEX },
        used: ['GENOMICS', 'NOTES'],
        missing: [{ modality: 'IMAGING', reason: 'ACCESS_DENIED' }],
        withheld: ['GENOMICS'],
      },
    });
    expect(event.inputs.map((each) => each.name)).toEqual(['variant', 'fusion_model']);
  });

  it('stand under the operation of the router that the record names', () => {
    const facets = ended(planned({ facts: { router: 'edge', parent: OTHER } })).run.facets;
    expect(facets['parent']).toMatchObject({ run: { runId: OTHER }, job: { name: 'router.edge' } });
  });
});

describe('the validator refuses', () => {
  const broken = (change: (event: Record<string, Record<string, Record<string, Record<string, unknown>>>>) => void): readonly string[] => {
    const events = JSON.parse(JSON.stringify(told(planned()))) as Parameters<typeof change>[0][];
    for (const event of events) change(event);
    return validateEvents(events).faults;
  };
  validated('a run without its id', () => {
    expect(broken((event) => delete event['run']?.['runId'])).toContain('event/run: required');
  });
  validated('a run without its end, and a second end', () => {
    const [start, end] = told(planned());
    expect(validateEvents([start]).faults).toEqual(['run: told by START']);
    expect(validateEvents([start, end, end]).faults).toEqual(['run: told by START, COMPLETE, COMPLETE']);
  });
  validated('a facet whose schema is not stored, is of another key, or of another place', () => {
    const policy = (url: string) => broken((event) => ((event['job']?.['facets']?.['jobType'] ?? {})['_schemaURL'] = url));
    expect(policy('https://openlineage.io/spec/facets/9-9-9/JobTypeJobFacet.json#/$defs/JobTypeJobFacet')).toContain(
      'job.jobType: _schemaURL is not a stored schema',
    );
    expect(policy('https://openlineage.io/spec/facets/1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet')).toContain(
      'job.jobType: the schema names another key',
    );
    expect(broken((event) => Object.assign(event['job']?.['facets'] ?? {}, { tags: event['run']?.['facets']?.['tags'] }))).toContain(
      'job.tags: a facet of another place',
    );
  });
  validated('a person in a facet of ours', () => {
    const faults = broken((event) => Object.assign(event['run']?.['facets']?.['thalamus_receipt'] ?? {}, { patient: 'p1' }));
    expect(faults.some((fault) => fault.startsWith('run.thalamus_receipt'))).toBe(true);
  });
  validated('nothing of the stored schemas for being unreadable', () => {
    expect(compileAll()).toBeGreaterThanOrEqual(38);
  });
});

describe('redaction', () => {
  const noGenes = (column: string): boolean => column !== 'variant.gene' && column !== 'variant';

  it('leaves events alone for those who may know everything', () => {
    expect(redact(told(planned()), () => true)).toEqual(told(planned()));
  });

  it('makes one opaque node of all that is hidden, and tells no name of it', () => {
    const [, end] = redact(told(planned({ versions: { variant: 1, note: 2 } })), (column) => noGenes(column) && column !== 'note');
    expect(end?.inputs.map((each) => each.name)).toEqual(['consent_effect', 'patient', 'hidden']);
    expect(JSON.stringify(end)).not.toMatch(/gene|variant|note"|GENOMICS/);
  });

  it('hides model and modalities with the features', () => {
    const model = { id: 'demo', version: 'abc', hash: HEX };
    const events = redact(told(planned({ kind: 'mutation', facts: { model, withheld: { NOTES: 1 }, modalities: ['NOTES'] } })), noGenes);
    expect(events[3]?.job.name).toBe('fusion.run.hidden');
    expect(JSON.stringify(events.slice(2))).not.toMatch(/gene|NOTES|fusion.train.demo/);
  });

  validated('of any events is valid, names no hidden column and is the same when done twice', () => {
    fc.assert(
      fc.property(
        runs,
        fc.subarray(['patient.birth_year', 'patient.zip', 'variant.gene', 'consent_effect.purpose', 'patient']),
        (run, seen) => {
          const mayKnow = (column: string): boolean => seen.includes(column);
          const events = redact(told(run), mayKnow);
          expect(validateEvents(events).faults).toEqual([]);
          const columns = [...JSON.stringify(events).matchAll(/"name":"(\w+)","field":"(\w+)"/g)].map(
            ([, name, field]) => `${name}.${field}`,
          );
          expect(columns.filter((column) => column !== 'hidden.hidden' && !mayKnow(column))).toEqual([]);
          expect(redact(events, (column) => mayKnow(column) || column.startsWith('hidden'))).toEqual(events);
        },
      ),
      { numRuns: 200 },
    );
  });
});
