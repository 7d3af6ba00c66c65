import type { AuditRecord } from '../entry.js';
import { tablesOf } from '../openlineage/columns.js';
import { fileFacts, fusionFacts, ingestFacts, versionsOf } from '../openlineage/facts.js';
import type { EvidenceRun } from '../openlineage/model.js';

interface Coding {
  readonly system: string;
  readonly code: string;
}
interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}
/** A reference by identifier: what it names is no resource of a FHIR server. */
interface LogicalReference {
  readonly identifier: { readonly system: string; readonly value: string };
}

/** FHIR R4 Provenance (hl7.org/fhir/R4/provenance.html), as far as it is filled here. */
export interface Provenance {
  readonly resourceType: 'Provenance';
  readonly id: string;
  readonly target: readonly LogicalReference[];
  readonly recorded: string;
  readonly policy: readonly string[];
  readonly reason: readonly CodeableConcept[];
  readonly activity: CodeableConcept;
  readonly agent: readonly {
    readonly type: CodeableConcept;
    readonly role?: readonly CodeableConcept[];
    readonly who: LogicalReference;
  }[];
  readonly entity: readonly { readonly role: 'source' | 'derivation'; readonly what: LogicalReference }[];
}

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
const NAMES = 'urn:thalamus';

const named = (system: string, value: string): LogicalReference => ({ identifier: { system: `${NAMES}:${system}`, value } });

/** v3-DataOperation: what was done with the data. */
const OPERATIONS: Readonly<Record<AuditRecord['kind'], string>> = {
  query: 'READ',
  mutation: 'EXECUTE',
  refused: 'READ',
  ingest: 'CREATE',
  export: 'READ',
  replay: 'READ',
  admin: 'EXECUTE',
  'log.opened': 'APPEND',
  'log.key': 'APPEND',
};

/**
 * Where what a run made comes from: the digest of its answer or the tables that it loaded, who asked, under which policy, and from which versions of which
 * datasets, files and models. No person is named: whom an answer was about stands in the log alone.
 */
export function provenanceOf({ record, plan }: EvidenceRun): Provenance {
  const versions = versionsOf(record);
  const version = (table: string): string => (versions[table] === undefined ? table : `${table}@${versions[table]}`);
  const loaded = ingestFacts(record);
  const made = loaded ? Object.keys({ ...versions, ...loaded.rows }).sort() : [];
  const read = loaded ? [] : [...new Set([...tablesOf(plan?.columns ?? []), ...Object.keys(versions)])].sort();
  const file = fileFacts(record)?.digest;
  const model = fusionFacts(record);
  return {
    resourceType: 'Provenance',
    id: record.run,
    target: made.length > 0 ? made.map((table) => named('dataset', version(table))) : [resultOf(record)],
    recorded: record.at,
    policy: [`${NAMES}:policy:${encodeURIComponent(record.policy)}`],
    reason: [reasonOf(record.purpose)],
    activity: { coding: [{ system: `${TERMINOLOGY}/v3-DataOperation`, code: OPERATIONS[record.kind] }] },
    agent: [
      {
        type: { coding: [{ system: `${TERMINOLOGY}/provenance-participant-type`, code: 'performer' }] },
        ...(record.roles.length > 0 ? { role: record.roles.map((text) => ({ text })) } : {}),
        who: named('principal', record.principal),
      },
      {
        type: { coding: [{ system: `${TERMINOLOGY}/provenance-participant-type`, code: 'assembler' }] },
        who: named('writer', record.writer),
      },
    ],
    entity: [
      ...read.map((table) => ({ role: 'source' as const, what: named('dataset', version(table)) })),
      ...(file ? [{ role: 'source' as const, what: named('sha256', file) }] : []),
      ...(model ? [{ role: 'derivation' as const, what: named('model', model.digest ?? model.id) }] : []),
    ],
  };
}

/** The answer by its digest; a run that gave none is its own target, since FHIR asks for one. */
const resultOf = ({ result, run }: AuditRecord): LogicalReference => (result === null ? named('run', run) : named('sha256', result));

/** Purposes of use are codes of HL7 v3 ActReason, except those that name a study. */
const reasonOf = (purpose: string): CodeableConcept =>
  /^[A-Z]+$/.test(purpose) ? { coding: [{ system: `${TERMINOLOGY}/v3-ActReason`, code: purpose }] } : { text: purpose };
