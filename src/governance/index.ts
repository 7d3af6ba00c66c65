export { cellPlan, clearGuard, edge, ruleColumns, verdictOf } from './cells.js';
export { buildClassSchema, fieldVisible, orderAllowed } from './class-schema.js';
export { assertClassified, dataTypes, entityOfType, fieldDeclaration, filterTags, readerTags, typeDeclaration } from './coordinates.js';
export { PolicyClass, anyOf, classKeyOf, type Alternative, type Decision } from './decide.js';
export { guard, guardTree, type Guarded } from './guard.js';
export { canonical, composePolicy, type Policy } from './policy.js';
