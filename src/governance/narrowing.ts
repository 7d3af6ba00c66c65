import { isUuid, type Action, type EntityDeclaration, type Predicate, type Principal } from '../kernel/index.js';
import type { PolicyDocument } from './compose-policy.js';
import type { Narrowing, Reach } from './decide.js';
import { anyOf, bothOf } from './predicate.js';
import { controlledNarrowing, dataUseNarrowing } from './site-narrowing.js';
import type { FhirType } from './smart/fhir-types.js';
import { branchesWith, parseScopes, scopeRules, type ScopeBranch, type ScopeRule } from './smart/scopes.js';

/** True where the table has a column of that name. */
export type HasColumn = (table: string, column: string) => boolean;

/** What of a principal takes rows away. */
export type Narrowed = Pick<Principal, 'sub' | 'purpose' | 'kind' | 'scopes' | 'patient' | 'project' | 'clearances'>;

const NO_ROW: Predicate = { op: 'false' };
const EVERY_ROW: Predicate = { op: 'true' };
/** Stands for whoever is in context: the person is bound when a statement runs, so that one class serves all of them. */
const IN_CONTEXT = 'in-context';

/**
 * Everything that takes rows away from this caller whatever the grants say: scopes of the token, data use conditions, controlled datasets.
 * All of them must leave a row; undefined where nothing takes any. `now` is milliseconds since 1970.
 */
export function narrowingOf(principal: Narrowed, document: PolicyDocument, hasColumn: HasColumn, now: number): Narrowing | undefined {
  const all = [
    scopeNarrowing(principal, hasColumn),
    dataUseNarrowing(principal, document, now),
    controlledNarrowing(principal, document, now),
  ].filter((each) => each !== undefined);
  const [only, ...more] = all;
  if (only === undefined || more.length === 0) return only;
  const ends = all.flatMap(({ until }) => (until === undefined ? [] : [until]));
  const dataUse = all.find((each) => each.dataUse !== undefined)?.dataUse;
  return {
    key: JSON.stringify(all.map(({ key }) => key)),
    rule: (entity, action, reach) => all.map((each) => each.rule(entity, action, reach)).reduce(bothOf, EVERY_ROW),
    ...(ends.length > 0 ? { until: Math.min(...ends) } : {}),
    closed: all.some(({ closed }) => closed === true),
    ...(dataUse ? { dataUse } : {}),
    notices: all.flatMap(({ notices }) => notices ?? []),
  };
}

/**
 * What SMART App Launch scopes leave: rows of the resource types that they name, with the rights that they name, and no operation. `s`
 * finds lists and numbers, `r` one row by its id; what is in a row is read where either right reached it. A file is read with `r`. Model
 * input, training and writing are no interactions with a resource, and no scope grants them.
 */
export function scopeNarrowing({ scopes, patient, kind }: Narrowed, hasColumn: HasColumn): Narrowing | undefined {
  if (scopes === undefined) return undefined;
  const sorted = [...new Set(scopes)].sort();
  const inContext = patient !== undefined && isUuid(patient);
  let read: ReadonlyMap<FhirType, ScopeRule> | undefined;
  // Every request makes the key; the rules are read where a class is made.
  const rules = () => (read ??= scopeRules(parseScopes(sorted).scopes, { kind, ...(inContext ? { patient: IN_CONTEXT } : {}) }));
  return {
    key: JSON.stringify(['scopes', kind, inContext, sorted]),
    closed: true,
    rule(entity, action, reach) {
      if (entity.fhir === undefined) return NO_ROW;
      const branches = branchesOf(rules().get(entity.fhir as FhirType), action, reach);
      return anyOf(branches.map((branch) => branchRule(branch, entity, hasColumn)));
    },
  };
}

function branchesOf(rule: ScopeRule | undefined, action: Action, reach: Reach): readonly ScopeBranch[] {
  const [byId, found] = [branchesWith(rule, 'r'), branchesWith(rule, 's')];
  if (action === 'count') return found;
  if (action === 'file') return byId;
  if (action !== 'read') return [];
  return reach === 'one' ? byId : reach === 'many' ? found : [...byId, ...found];
}

/** A branch as a whole. A test that the columns of the table cannot say leaves nothing of it. */
function branchRule({ patient, columns }: ScopeBranch, entity: EntityDeclaration, hasColumn: HasColumn): Predicate {
  const own: Predicate = entity.patient === undefined ? NO_ROW : { op: 'in', attribute: 'patient', me: 'patient' };
  const tests = columns.map((alternatives) =>
    anyOf(
      alternatives.map((values) =>
        Object.entries(values)
          .map(([column, value]): Predicate => {
            return hasColumn(entity.table, column) ? { op: 'one-of', column, literals: [value] } : NO_ROW;
          })
          .reduce(bothOf, EVERY_ROW),
      ),
    ),
  );
  return tests.reduce(bothOf, patient === null ? EVERY_ROW : own);
}
