import { Patient, SCALARS, column, decodeOrdinals, entity, reader, reference, value, valueType } from '../kernel/index.js';

/** What all runs of one plan have in common. */
@entity('LineagePlan', {
  description: 'A plan: the structure of a document and what its fields depend on. Stored once for all its runs.',
  table: 'lineage_plan',
  key: ['plan_digest'],
  tags: ['catalogue'],
})
export class LineagePlan {
  @column({
    column: 'plan_digest',
    type: 'text',
    scalar: 'ID',
    required: true,
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Digest of the plan.',
  })
  id!: string;
  @column({
    column: 'document',
    type: 'text',
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'The document with its literals removed.',
  })
  document!: string | null;
  @column({
    column: 'columns',
    type: 'json',
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'Field to dataset.column, DIRECT or INDIRECT, with masking.',
  })
  columns!: unknown;
  @column({ column: 'decisions', type: 'json', tags: ['catalogue'], safeHarbor: 'none', description: 'Verdict and rules of each field.' })
  decisions!: unknown;
}

/** The persons behind a run, as a set that equal runs share. */
@entity('LineagePatientSet', {
  description: 'A set of persons behind runs.',
  table: 'lineage_patient_set',
  key: ['set_digest'],
  tags: ['evidence.patients'],
})
export class LineagePatientSet {}

/** What happened once: a query, a mutation, a load, a refusal. */
@entity('LineageRun', {
  description: 'One answer, load or refusal: who, for which purpose, from which columns, versions and persons.',
  table: 'lineage_run',
  key: ['run_id'],
  tags: ['evidence'],
  principal: 'principal',
})
export class LineageRun {
  @column({
    column: 'run_id',
    type: 'uuid',
    required: true,
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Identifier that the answer carried.',
  })
  id!: string;
  @column({ column: 'at', type: 'timestamptz', tags: ['evidence'], safeHarbor: 'none', description: 'When it happened.' })
  at!: string | null;
  @column({ column: 'kind', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'query, mutation, refused or ingest.' })
  kind!: string | null;
  @column({ column: 'principal', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'Subject of the token.' })
  principal!: string | null;
  @column({ column: 'roles', type: 'text[]', tags: ['evidence'], safeHarbor: 'none', description: 'Roles of the caller.' })
  roles!: string[] | null;
  @column({ column: 'purpose', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'Purpose of use.' })
  purpose!: string | null;
  @column({
    column: 'policy_version',
    type: 'text',
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Digest of the policy that decided.',
  })
  policyVersion!: string | null;
  @column({ column: 'patients', type: 'int', tags: ['evidence'], safeHarbor: 'none', description: 'Number of persons behind the answer.' })
  patientCount!: number | null;
  @column({ column: 'result_digest', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'SHA-256 of the data that left.' })
  resultDigest!: string | null;
  @column({
    column: 'versions',
    type: 'json',
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Version of each dataset that was read.',
  })
  versions!: unknown;
  @column({
    column: 'facts',
    type: 'json',
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Model versions, file digests, modalities and counts.',
  })
  facts!: unknown;
  @column({ column: 'log_id', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'Audit log that holds the record.' })
  logId!: string | null;
  @column({ column: 'log_seq', type: 'bigint', tags: ['evidence'], safeHarbor: 'none', description: 'Position in that log.' })
  logSeq!: number | null;
  @reference({
    to: () => LineagePlan,
    on: [['plan_digest', 'plan_digest']],
    tags: ['catalogue'],
    safeHarbor: 'none',
    description: 'The plan that ran.',
  })
  plan!: LineagePlan | null;
  @reader({
    returns: () => LineagePerson,
    list: true,
    parent: ['set_digest'],
    reads: [
      { of: () => LineagePatientSet, columns: ['set_digest', 'ordinals'] },
      { of: () => Patient, columns: ['patient_id', 'ordinal'] },
    ],
    arguments: [],
    tags: ['evidence.patients'],
    safeHarbor: 'R',
    description: 'The persons behind the answer.',
    async load(source, parents) {
      const digests = [...new Set(parents.map((each) => each['set_digest']).filter((each): each is string => typeof each === 'string'))];
      const sets = await source.rows<{ set_digest: string; ordinals: Buffer }>({
        of: () => LineagePatientSet,
        columns: ['set_digest', 'ordinals'],
        where: { set_digest: digests },
      });
      const members = new Map(sets.map((set) => [set.set_digest, decodeOrdinals(set.ordinals)]));
      const wanted = [...new Set([...members.values()].flat())];
      const people = await source.rows<{ patient_id: string; ordinal: number }>({
        of: () => Patient,
        columns: ['patient_id', 'ordinal'],
        where: { ordinal: wanted },
      });
      const idOf = new Map(people.map((person) => [person.ordinal, person.patient_id]));
      return parents.map((parent) =>
        (members.get(String(parent['set_digest'])) ?? []).flatMap((ordinal) => {
          const id = idOf.get(ordinal);
          return id === undefined ? [] : [{ patientId: id }];
        }),
      );
    },
  })
  patients!: unknown;
}

@valueType('LineagePerson', 'A person behind an answer.')
export class LineagePerson {
  @value({
    type: () => SCALARS.ID,
    required: true,
    tags: ['evidence.patients'],
    safeHarbor: 'R',
    description: 'Opaque identifier of the person.',
  })
  patientId!: string;
}

/** A record of the audit log, as it stands in its chain. */
@entity('AuditRecord', {
  description: 'A record of the audit log.',
  table: 'audit_log',
  key: ['log_id', 'seq'],
  tags: ['evidence', 'evidence.patients'],
})
export class AuditRecord {
  @column({ column: 'log_id', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'The log.' })
  logId!: string | null;
  @column({
    column: 'seq',
    type: 'bigint',
    tags: ['evidence'],
    safeHarbor: 'none',
    description: 'Position in the log, from 0 without gap.',
  })
  seq!: number | null;
  @column({ column: 'at', type: 'timestamptz', tags: ['evidence'], safeHarbor: 'none', description: 'When it happened.' })
  at!: string | null;
  @column({ column: 'record', type: 'text', tags: ['evidence'], safeHarbor: 'none', description: 'The record as canonical JSON.' })
  record!: string | null;
}

/** A record of a file that was refused, with its place and reason. */
@entity('QuarantineRecord', {
  description: 'A record that a pipeline refused.',
  table: 'quarantine',
  key: ['quarantine_id'],
  tags: ['quarantine'],
})
export class QuarantineRecord {
  @column({
    column: 'quarantine_id',
    type: 'uuid',
    required: true,
    tags: ['quarantine'],
    safeHarbor: 'none',
    description: 'Identifier of the refusal.',
  })
  id!: string;
  @column({ column: 'product', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'Product whose pipeline refused it.' })
  product!: string | null;
  @column({ column: 'digest', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'sha256 of the file.' })
  digest!: string | null;
  @column({
    column: 'ordinal',
    type: 'int',
    tags: ['quarantine'],
    safeHarbor: 'none',
    description: 'Number of the record in its file; -1 for the file itself.',
  })
  ordinal!: number | null;
  @column({ column: 'place', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'Where the fault lies.' })
  place!: string | null;
  @column({ column: 'code', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'Stable code of the fault.' })
  code!: string | null;
  @column({ column: 'reason', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'What is wrong, without values.' })
  reason!: string | null;
  @column({ column: 'at', type: 'timestamptz', tags: ['quarantine'], safeHarbor: 'none', description: 'When it was refused.' })
  at!: string | null;
  @column({ column: 'state', type: 'text', tags: ['quarantine'], safeHarbor: 'none', description: 'held, released or discarded.' })
  state!: string | null;
}

@valueType('ReleaseResult', 'What became of records that were released from quarantine.')
export class ReleaseResult {
  @value({ type: () => SCALARS.Int, required: true, tags: ['quarantine'], safeHarbor: 'none', description: 'Records that passed.' })
  released!: number;
  @value({ type: () => SCALARS.Int, required: true, tags: ['quarantine'], safeHarbor: 'none', description: 'Records that are still held.' })
  held!: number;
}
