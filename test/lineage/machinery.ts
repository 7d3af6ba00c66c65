/**
 * Tables of the machinery itself that statements may read without a trace in the lineage of an answer: they hold no data about persons.
 * The list is closed: any other table counts as data.
 */
export const MACHINERY_TABLES: ReadonlySet<string> = new Set([
  // Two counters that tell whether rights have changed.
  'governance_epoch',
  // Which version of each dataset the snapshot holds; it stands in the record as such.
  'dataset_version',
  // What was told before: numbers of sets, by which the disclosure guard decides whether a count may be told.
  'disclosed_set',
  // Books of the file store: digest, media type, size, and how far a file was read.
  'raw_file',
  'raw_chunk',
  'ingest_checkpoint',
  // How many versions each dataset has had.
  'dataset_change',
  // Where the audit log stands and who writes it.
  'audit_head',
  'audit_checkpoint',
  // The vault of the evidence: by which number a person stands in sets, and the key under which questions are kept.
  'person_key',
  // Numbers of persons by recipient, for the meter of bulk data.
  'bulk_meter',
  // Policy as it was approved, sessions and revocations of tokens.
  'policy_event',
  'token_revocation',
  'login_session',
]);

/** Statements of the machinery that look at a table of persons all the same, by name and text. */
const MACHINERY_STATEMENTS: readonly RegExp[] = [
  // The wall of each request: which glass of the caller is broken now.
  /^select set_config\('thalamus\.sites', \$1, true\)/,
  // The number by which a person stands in sets; nothing else of the person, and nothing of it goes to the caller.
  /^select patient_id, ordinal from patient where patient_id = any\(\$1::uuid\[\]\)$/,
  // Leaf hashes of the audit log, for its proofs.
  /^select hash from audit_log where log_id = \$1 and seq >= \$2 and seq < \$3 order by seq$/,
];

/** Statements that read nothing: they open and close transactions, take locks and wake listeners. */
const NO_READ =
  /^(begin|commit|rollback|start transaction|set local|savepoint|release|listen|notify|select pg_(advisory|notify|try_advisory))/i;

/** Tables into which only the machinery writes. A statement that writes reads nothing for an answer. */
const WRITTEN: ReadonlySet<string> = new Set([
  'audit_log',
  'audit_head',
  'audit_checkpoint',
  'lineage_plan',
  'lineage_run',
  'lineage_caller',
  'lineage_patient_set',
  'lineage_patient_day',
  'lineage_sealed',
  'person_key',
  'bulk_meter',
  'disclosed_set',
  'fusion_model',
]);

/** Whether a statement is left out of the trace; one that writes into any other table is an error. */
export function isMachinery(text: string): boolean {
  const statement = text.trim();
  if (NO_READ.test(statement) || MACHINERY_STATEMENTS.some((each) => each.test(statement))) return true;
  if (!/^(insert|update|delete|with)\b/i.test(statement)) return false;
  const written = [...statement.matchAll(/(?<!\bfor )(?<!\bdo )\b(?:insert into|update|delete from)\s+"?(\w+)"?/gi)].map(
    ([, table = '']) => table,
  );
  const strange = written.find((table) => !WRITTEN.has(table));
  if (strange !== undefined) throw new Error(`a statement writes into ${strange}, which is not on the list`);
  return written.length > 0;
}
