export {
  ALL_LABELS,
  LABELS,
  MODALITIES,
  TAGS,
  isTag,
  labelBits,
  type GovernedTag,
  type Label,
  type Modality,
  type SafeHarborLetter,
  type SafeHarborTag,
  type Tag,
} from './classification.js';
export { systemClock } from './clock.js';
export { connectionOf } from './connection.js';
export {
  aggregate,
  collection,
  column,
  computed,
  entity,
  entityClasses,
  entityOf,
  extension,
  operation,
  queries,
  reader,
  reference,
  value,
  valueType,
} from './declare.js';
export {
  HOLD_KINDS,
  type AccountingEntry,
  type AccountingHold,
  type AccountingProtocol,
  type AccountingQuestion,
  type BulkCountFacts,
  type BulkMeterFacts,
  type EvidenceDesk,
  type HoldKind,
  type ReplayChange,
  type ReplayFacts,
  type SuspensionRequest,
} from './evidence.js';
export {
  LINEAGE_DIRECTIONS,
  type ConsentAtFacts,
  type ConsentFacts,
  type ExaminationFacts,
  type FindingFacts,
  type GrantUseFacts,
  type GraphQuestion,
  type ImpactFacts,
  type LineageDesk,
  type LineageDirection,
  type LineageGraphFacts,
  type LineageLinkFacts,
  type LineageNodeFacts,
  type LineageNodeKind,
  type ModelRunFacts,
  type PermitFacts,
  type PolicyAtFacts,
  type SightingFacts,
  type SightingsFacts,
  type SightingsQuestion,
  type TrainedOnFacts,
  type UseFacts,
} from './lineage-graph.js';
export { CodedError, ERRORS, isCoded, type ErrorCode, type Place } from './error.js';
export { FileLink, fileLink, readerAction } from './file-link.js';
export type { Feature, FeatureRows, FeatureView, LabelView } from './feature.js';
export {
  DECLARATION,
  type AggregateField,
  type CollectionField,
  type ColumnField,
  type ComputedField,
  type ConnectionPart,
  type EntityDeclaration,
  type FieldDeclaration,
  type FileAsset,
  type FileRef,
  type Filter,
  type JoinPairs,
  type OperationField,
  type Order,
  type ReaderField,
  type ReferenceField,
  type RowSource,
  type SqlType,
  type StructureField,
  type TypeClass,
  type TypeDeclaration,
  type TypeThunk,
  type ValueField,
} from './field.js';
export { readAll, type Format, type Parsed, type ParsedFault, type ParsedRecord, type ParseOptions } from './format.js';
export { frameOf, joinFrames, rowIndex, rowOf, takeRows, type Frame, type FrameColumn } from './frame.js';
export { isUuid, newUuid } from './id.js';
export { IngestFault, IngestFile, IngestResult, ingestThrough } from './ingest.js';
export { LIMITS } from './limits.js';
export { Patient } from './patient.js';
export {
  ISSUERS,
  bindFormat,
  type AssetDeclaration,
  type DerivedTable,
  type Expectation,
  type Erase,
  type ErasureTransaction,
  type ExpectationAction,
  type FormatBinding,
  type IdentityKey,
  type IngestReport,
  type LinkBasis,
  type PipelineDeclaration,
  type StageContext,
  type Staged,
} from './pipeline.js';
export {
  ACTIONS,
  CLEARANCES,
  MASKS,
  NOTICES,
  PROFILES,
  PURPOSES,
  SMALL_ZIP3,
  allOf,
  everyRow,
  maskRank,
  noRow,
  ownRecord,
  ownSite,
  underGlass,
  upToSensitivity,
  type Action,
  type Clearance,
  type Forbid,
  type Grant,
  type Literal,
  type Mask,
  type Notice,
  type Obligations,
  type PolicyDeclaration,
  type Predicate,
  type Profile,
  type Purpose,
} from './policy.js';
export type {
  CellPlan,
  ConnectionItem,
  ConnectionPlan,
  FilterUse,
  LineageEdge,
  Plan,
  PlanDecision,
  PlanField,
  PlanValues,
  ReaderPlan,
  RowStep,
  ValueSelection,
} from './plan.js';
export { PRODUCT_NAMES, defineProduct, type Product, type ProductName } from './product.js';
export {
  BULK_STATUSES,
  RECIPIENT_KINDS,
  isFlagged,
  type BulkStatus,
  type Recipient,
  type RecipientKind,
  type ResearchProtocol,
} from './recipient.js';
export { SCALARS } from './scalar.js';
export { canonical, digestOf } from './canonical.js';
export { assertIntact, contentDigest, isIntact, type ContentDigest, type DigestColumns } from './content-digest.js';
export { decodeOrdinals, encodeOrdinals } from './ordinals.js';
export type { AccessFacts, AssetFacts, ChangeFacts, Governing, MatrixFacts, PolicyVersionFacts } from './governing.js';
export type { Actor, BrokenGlass, FeatureAnswer, GlassDesk, HeldClearance, Principal, RecordStore, Scope } from './scope.js';
export type { CrossAxis, CrossCount, CrossTable, CrossTableRequest } from './cohort.js';
