import type { FhirType } from './fhir-types.js';
import type { ScopeParameter } from './scope.js';

/** Columns that must all equal these values. */
export type ColumnValues = Readonly<Record<string, string>>;

/** One restriction of rows: at least one of the alternatives holds. Comparison with NULL is false. */
export type ColumnTest = readonly ColumnValues[];

/** A search parameter on a coded element, in columns. */
interface TokenParameter {
  readonly code: string;
  /** Column of the code system; null where rows keep only the code. */
  readonly system: string | null;
  /** Where rows keep only the code: the one system whose codes they are, and its codes. */
  readonly fixed?: { readonly system: string; readonly codes: readonly string[] };
}

const CODE: TokenParameter = { code: 'code', system: 'system' };

/** http://terminology.hl7.org/CodeSystem/observation-category, FHIR R4. */
const OBSERVATION_CATEGORY: TokenParameter = {
  code: 'category',
  system: null,
  fixed: {
    system: 'http://terminology.hl7.org/CodeSystem/observation-category',
    codes: ['social-history', 'vital-signs', 'imaging', 'laboratory', 'procedure', 'survey', 'exam', 'therapy', 'activity'],
  },
};

/** The closed table of what can be said in columns. Anything else, modifiers and chains too, makes a scope grant nothing. */
const SUPPORTED: Readonly<Partial<Record<FhirType, Readonly<Record<string, TokenParameter>>>>> = {
  Observation: { category: OBSERVATION_CATEGORY, code: CODE },
  Condition: { code: CODE },
};

const ALTERNATIVES_MAX = 64;

/** The parameter as a restriction on columns of the rows of this type, or null where it cannot be said exactly. */
export function columnTest(type: FhirType, { name, value }: ScopeParameter): ColumnTest | null {
  const supported = SUPPORTED[type];
  const parameter = supported !== undefined && Object.hasOwn(supported, name) ? supported[name] : undefined;
  // A backslash escapes separators in FHIR search; no code needs one.
  if (parameter === undefined || value.includes('\\')) return null;
  const tokens = value.split(',');
  const alternatives = tokens.map((token) => alternativeOf(token, parameter)).filter((each) => each !== null);
  return alternatives.length === tokens.length && tokens.length <= ALTERNATIVES_MAX ? alternatives : null;
}

/**
 * One token of FHIR search: `code`, `system|code` or `system|`. `|code` asks for a code without system; that comparison with nothing
 * has no equal in columns and is not supported.
 */
function alternativeOf(token: string, parameter: TokenParameter): ColumnValues | null {
  const [first = '', second, more] = token.split('|');
  if (more !== undefined || first === '') return null;
  if (second === undefined) return { [parameter.code]: first };
  if (parameter.fixed !== undefined) {
    const { system, codes } = parameter.fixed;
    return first === system && codes.includes(second) ? { [parameter.code]: second } : null;
  }
  if (parameter.system === null) return null;
  return second === '' ? { [parameter.system]: first } : { [parameter.system]: first, [parameter.code]: second };
}
