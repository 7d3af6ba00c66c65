export { breakGlassStore, type BreakGlassStore, type GlassRow } from './break-glass.js';
export { columnTypes } from './catalogue.js';
export { startEngine } from './engines/start.js';
export type { Engine, EngineOptions } from './engines/engine.js';
export { erasureBook, erasureOfRecord, type ErasureBook, type RecordedErasure, type RegisteredPerson } from './erasures.js';
export { scrub, type Scrub, type ScrubOptions } from './scrub.js';
export { erasePerson, type Erasure, type ErasureOptions } from './erasure.js';
export { migrate } from './migrate.js';
export { openChecked, type CheckedObject } from './checked-object.js';
export { verifyStored, type Damage, type IntegrityReport } from './integrity.js';
export { localObjects, type ObjectStore, type StoredObject } from './objects.js';
export { writeStore, type WriteStore, type WriteTransaction } from './pipeline-store.js';
export { openPools, type Pools } from './pool.js';
export { bulkMeter, readBulkMeter, type BulkCharge, type BulkLimits, type BulkMeter, type BulkReading } from './bulk-meter.js';
export { disclosureEvents, type DisclosedRun, type DisclosureEvents, type HoldRow, type ProtocolReach } from './disclosures.js';
export { disclosureStore } from './disclosure.js';
export type { PastRun } from './evidence/past-run.js';
export type { FoundRun, RunPlace } from './evidence/audit-events.js';
export { EvidenceStore, type StoredRecord } from './evidence/store.js';
export type { Impact, Usage } from './evidence/usage.js';
export type { EvidenceHold, Purged, RolledUp, RollUpOptions } from './evidence/roll-up.js';
export {
  identityDigest,
  identityStore,
  type IdentityStore,
  type Revocation,
  type RevocationKind,
  type RevocationList,
  type SessionTouch,
} from './identity-store.js';
export { rowSource, type SourceRead } from './row-source.js';
export { isPersonItself, runPlan, type PlanAnswer } from './run-plan.js';
export { EpochMoved, withReadSession, type Epoch, type ReadSession, type Wall } from './session.js';
export { policyStore, type PolicyStore, type PolicyVersion } from './policy-store.js';
export { compileSql, type ColumnTypes, type CompiledSql } from './sql.js';
export { aggregateRows, countedRows, selectRows, type RowRequest, type SelectedRow } from './select-rows.js';
export { recordStore } from './records.js';
export { storedFiles, type StoredFile } from './stored-files.js';
export { exportCursor } from './export-cursor.js';
export { LineageGraphStore, type StoredLink, type StoredRun } from './evidence/graph.js';
export {
  catchUpUsage,
  columnImpact,
  consentAt,
  filesBehind,
  glassOver,
  planColumns,
  policyInForceAt,
  runDetails,
  trainedModel,
  type ColumnImpact,
  type RunDetails,
  type Use,
} from './evidence/lineage-questions.js';
export { callersWhoArePersons, growthOf, unreviewedGlass, useOfRole, usedAfterRevocation, type RoleUse } from './evidence/examine.js';
