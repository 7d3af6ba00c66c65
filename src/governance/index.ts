export { cellPlan, clearGuard, edge, ruleColumns, verdictOf } from './cells.js';
export { buildClassSchema, fieldVisible, orderAllowed } from './class-schema.js';
export { assertClassified, dataTypes, entityOfType, fieldDeclaration, filterTags, readerTags, typeDeclaration } from './coordinates.js';
export { PolicyClass, anyOf, classKeyOf, type Alternative, type Decision } from './decide.js';
export { guard, guardTree, type Guarded } from './guard.js';
export { canonical, composePolicy, type Policy } from './policy.js';
export { AuditLog, chainHash, type AuditRow, type EvidenceEntry, type EvidenceSink, type Receipt } from './audit.js';
export { decodeOrdinals, digestOf, encodeOrdinals, lineagePlan, withoutLiterals, type LineagePlan } from './lineage.js';
export { verifyAudit, type AuditFinding, type AuditVerification } from './verify.js';
