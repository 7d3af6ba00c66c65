export { AuditLog, chainHash, type AuditRow, type EvidenceEntry, type EvidenceSink, type Receipt } from './audit-log.js';
export { lineagePlan, withoutLiterals, type LineagePlan } from './lineage.js';
export { verifyAudit, type AuditFinding, type AuditVerification } from './verify.js';
