export { breakGlassStore, type BreakGlassStore, type GlassRow } from './break-glass.js';
export { columnTypes } from './catalogue.js';
export { startEngine } from './engines/start.js';
export type { Engine, EngineOptions } from './engines/engine.js';
export { migrate } from './migrate.js';
export { localObjects, type ObjectStore, type StoredObject } from './objects.js';
export { writeStore, type WriteStore, type WriteTransaction } from './pipeline-store.js';
export { openPools, type Pools } from './pool.js';
export { disclosureStore } from './disclosure.js';
export { evidenceStore } from './evidence.js';
export {
  identityDigest,
  identityStore,
  type IdentityStore,
  type Revocation,
  type RevocationKind,
  type RevocationList,
  type SessionTouch,
} from './identity-store.js';
export { rowSource } from './row-source.js';
export { isPersonItself, runPlan, type PlanAnswer } from './run-plan.js';
export { EpochMoved, withReadSession, type Epoch, type ReadSession, type Wall } from './session.js';
export { policyStore, type PolicyStore, type PolicyVersion } from './policy-store.js';
export { compileSql, type ColumnTypes, type CompiledSql } from './sql.js';
export { aggregateRows, countedRows, selectRows, type RowRequest, type SelectedRow } from './select-rows.js';
export { recordStore } from './records.js';
export { storedFiles, type StoredFile } from './stored-files.js';
