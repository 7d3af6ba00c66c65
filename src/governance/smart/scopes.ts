import { FHIR_TYPES, type FhirType } from './fhir-types.js';
import { columnTest, type ColumnTest } from './parameters.js';
import { parseScope, type Right, type SmartScope } from './scope.js';

/** Scopes that ask for identity, launch context or a kind of token: understood, and they grant no data. */
const WITHOUT_DATA: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'fhirUser',
  'launch',
  'launch/patient',
  'launch/encounter',
  'offline_access',
  'online_access',
]);

const SCOPES_MAX = 512;

export interface ParsedScopes {
  readonly scopes: readonly SmartScope[];
  /** Those that are not understood or that ask for a restriction which cannot be said in columns; they grant nothing. */
  readonly unmapped: readonly string[];
}

/** Reads the scopes of a token. Beyond 512 everything is unmapped. */
export function parseScopes(texts: readonly string[]): ParsedScopes {
  const scopes: SmartScope[] = [];
  const unmapped: string[] = [];
  texts.forEach((text, at) => {
    const scope = at < SCOPES_MAX ? parseScope(text) : null;
    if (scope !== null && testsOf(scope) !== null) scopes.push(scope);
    else if (!WITHOUT_DATA.has(text)) unmapped.push(text);
  });
  return { scopes, unmapped };
}

/** What the token says beside its scopes. */
export interface SmartContext {
  /** The patient in context (launch/patient). Without one, `patient/` scopes grant nothing. */
  readonly patient?: string;
  /** `user/` scopes are of persons, `system/` scopes of services that act for nobody. */
  readonly kind: 'person' | 'service';
}

/** One scope, as what it grants: these rights on rows that pass every test. Rights and rows of two branches are never mixed. */
export interface ScopeBranch {
  readonly rights: readonly Right[];
  /** Only rows of this patient; null where the scope does not restrict them to one. */
  readonly patient: string | null;
  readonly columns: readonly ColumnTest[];
}

/** A row may be used with a right where ONE branch grants it. It narrows what the user may do and never adds to it. */
export interface ScopeRule {
  readonly branches: readonly ScopeBranch[];
}

/** What scopes leave of each resource type; a type without an entry is not granted at all. `*` stands for every type of the table. */
export function scopeRules(scopes: readonly SmartScope[], context: SmartContext): ReadonlyMap<FhirType, ScopeRule> {
  const rules = new Map<FhirType, { branches: ScopeBranch[] }>();
  for (const scope of scopes) {
    const branch = branchOf(scope, context);
    if (branch === null) continue;
    for (const type of scope.type === '*' ? FHIR_TYPES : [scope.type]) {
      const rule = rules.get(type);
      if (rule === undefined) rules.set(type, { branches: [branch] });
      else rule.branches.push(branch);
    }
  }
  return rules;
}

function branchOf(scope: SmartScope, { patient, kind }: SmartContext): ScopeBranch | null {
  const columns = testsOf(scope);
  if (columns === null) return null;
  const { rights } = scope;
  switch (scope.context) {
    case 'patient':
      return patient === undefined || patient === '' ? null : { rights, patient, columns };
    case 'user':
      return kind === 'person' ? { rights, patient: null, columns } : null;
    case 'system':
      return kind === 'service' ? { rights, patient: null, columns } : null;
  }
}

function testsOf({ type, parameters }: SmartScope): ColumnTest[] | null {
  if (type === '*') return parameters.length === 0 ? [] : null;
  const tests = parameters.map((parameter) => columnTest(type, parameter)).filter((test) => test !== null);
  return tests.length === parameters.length ? tests : null;
}

/** The branches that grant a right: `s` for lists and counts, `r` for one row by its id, `c`, `u` and `d` for writing. */
export const branchesWith = (rule: ScopeRule | undefined, right: Right): readonly ScopeBranch[] =>
  rule?.branches.filter(({ rights }) => rights.includes(right)) ?? [];
