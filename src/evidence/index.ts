export { AuditLog, originOf, type AuditLogOptions } from './audit-log.js';
export {
  RECORD_KINDS,
  entryOf,
  type AuditRecord,
  type EvidenceEntry,
  type Question,
  type Receipt,
  type RecipientRef,
  type RecordKind,
} from './entry.js';
export { Keyring, newStoredKey, type StoredKeys } from './keyring.js';
export { openQuestion } from './sealed.js';
export type { Charge, EvidenceBatch, EvidenceSink } from './sink.js';
export { lineagePlan, literalsOf, withLiterals, withoutLiterals, type LineagePlan } from './lineage.js';
export { formatAddCheckpoint, parseAddCheckpoint, type AddCheckpoint } from './merkle/proof-request.js';
export {
  cosign,
  formatCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVkey,
  publicKeyOf,
  signCheckpoint,
  verifierKey,
  verifyNote,
  vkeyOf,
  type Checkpoint,
  type Note,
  type NoteSignature,
  type SignatureType,
  type VerifiedSignature,
  type VerifierKey,
} from './merkle/note.js';
export { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion, type HashReader, type NodeId } from './merkle/proof.js';
export {
  TILE_WIDTH,
  decodeBundle,
  encodeBundle,
  parseTilePath,
  tileHashReader,
  tilePath,
  tileWidth,
  tilesOf,
  type Tile,
} from './merkle/tiles.js';
export { CompactRange, leafHash, type OnNode } from './merkle/tree.js';
export {
  accountingOf,
  assertAccountingRange,
  type Accounting,
  type DisclosureEvent,
  type Hold,
  type ProtocolFacts,
} from './disclosures/accounting.js';
export { DISCLOSURE_CLASSES, disclosureClass, type DisclosureClass, type DisclosureFacts } from './disclosures/disclosure-class.js';
export { BULK_CATEGORIES, BULK_RULE, type BulkCategory } from './disclosures/bulk-rule.js';
export { COMBINED, bulkCounts, categoriesOf, exceeded, mayDisclose, type BulkCount, type Holdings } from './disclosures/meter.js';
export { exportLog, type LogExport } from './export-log.js';
export { WitnessClient, type PostText, type WitnessAnswer, type WitnessFault, type WitnessOptions } from './witness.js';
export { provenanceOf, type Provenance } from './fhir/provenance.js';
export { openLineageEvents } from './openlineage/events.js';
export type { EvidenceRun, LineageMesh, RunEvent } from './openlineage/model.js';
export { redact } from './openlineage/redact.js';
export { LineageStream, type LineageStreamOptions, type PostEvents } from './openlineage/stream.js';
export { RunStream, type ExportCursor, type RunSource, type RunStreamOptions } from './run-stream.js';
export { Anchor, type AnchorOptions } from './anchor.js';
export { AUDIT_EVENT_KINDS, auditEventKind, auditEventsOf, type AuditEventKind } from './fhir/audit-event.js';
export { PROFILE_IDS, profileUrl, type ProfileName } from './fhir/audit-event-codes.js';
export type { AuditEvent, AuditEventContext, AuditParty, AuditToken } from './fhir/audit-event-types.js';
export { auditMessage, frame, syslogFeed, syslogMessage, type SyslogFeed, type SyslogOrigin } from './fhir/syslog.js';
export { RULES } from './rules/rules.js';
export type { Rule, RuleCheck } from './rules/rule.js';
