import type { DiseaseHierarchy } from './disease.js';
import { DUO_CODES, isDuoCode, type DataUseParameter, type Modifier, type Permission } from './duo-codes.js';
import { dayOf, holds, monthsOf, type Holding } from './modifiers.js';
import { misfit } from './permissions.js';
import { USE_KINDS, type Obligation, type ResearchProject } from './project.js';
import type { DataUseCondition, DataUseReason, DataUseVerdict, DenialReason } from './verdict.js';

interface Stated<S> {
  readonly code: string;
  readonly term: S;
  readonly values: readonly string[];
}

/** The conditions of a dataset that are understood, and those that are not. */
interface Understood {
  readonly permissions: readonly Stated<Permission>[];
  readonly modifiers: readonly Stated<Modifier>[];
  readonly faults: readonly DataUseReason[];
}

/**
 * Whether a project may use data under these conditions at an instant (milliseconds since 1970); GA4GH Data Use Ontology.
 *
 * - A permission is required; modifiers alone deny. All modifiers must hold, whichever permission is used.
 * - The ontology leaves it to each archive how codes are combined (note on the obsolete DUO:0000002; EBISPOT/DUO issue 109 is open);
 *   it expects one permission a dataset. Where several are stated, one that fits permits.
 * - A code that is unknown or abstract, or whose parameter is missing or malformed, denies even where another permission fits, and so
 *   does a disease of the data that the hierarchy does not know.
 */
export function matchDataUse(
  conditions: readonly DataUseCondition[],
  project: ResearchProject,
  at: number,
  diseases: DiseaseHierarchy,
): DataUseVerdict {
  const { permissions, modifiers, faults } = understand(conditions, diseases);
  const careAllowed = modifiers.some(({ term }) => term === 'CC');
  const misfits = permissions.map(({ code, term, values }) => ({ code, reason: misfit(term, values, project, { diseases, careAllowed }) }));
  const held = modifiers.map(({ code, term, values }) => ({ code, ...holds(term, values, project, at) }));
  const reasons = [
    ...faults,
    ...(usesStated(project) ? [] : [{ code: '', reason: 'use-not-stated' as const }]),
    ...(permissions.length === 0 ? [{ code: '', reason: 'permission-missing' as const }] : []),
    ...(misfits.some(({ reason }) => reason === null) ? [] : denials(misfits)),
    ...denials(held.map(({ code, denial }) => ({ code, reason: denial }))),
  ];
  if (reasons.length > 0) return { permitted: false, reasons, obligations: [], until: null };
  return { permitted: true, reasons, obligations: obligationsOf(held), until: earliest(held) };
}

const denials = (judged: readonly { code: string; reason: DenialReason | null }[]): DataUseReason[] =>
  judged.flatMap(({ code, reason }) => (reason === null ? [] : [{ code, reason }]));

const usesStated = ({ uses }: ResearchProject): boolean => uses.length > 0 && uses.every((use) => USE_KINDS.includes(use));

const obligationsOf = (held: readonly Holding[]): Obligation[] => [
  ...new Set(held.flatMap(({ obligation }) => (obligation === undefined ? [] : [obligation]))),
];

function earliest(held: readonly Holding[]): number | null {
  const ends = held.flatMap(({ until }) => (until === undefined || until === Infinity ? [] : [until]));
  return ends.length === 0 ? null : Math.min(...ends);
}

function understand(conditions: readonly DataUseCondition[], diseases: DiseaseHierarchy): Understood {
  const permissions: Stated<Permission>[] = [];
  const modifiers: Stated<Modifier>[] = [];
  const faults: DataUseReason[] = [];
  for (const { code, values } of conditions) {
    const fault = (reason: DenialReason): number => faults.push({ code, reason });
    if (!isDuoCode(code)) {
      fault('code-unknown');
      continue;
    }
    const term = DUO_CODES[code];
    const wrong = parameterFault(term.parameter, values);
    if (term.kind === 'abstract') fault('code-abstract');
    else if (wrong !== null) fault(wrong);
    else if (term.shorthand === 'DS' && values.some((disease) => !diseases.known(disease))) fault('disease-unknown');
    else if (term.kind === 'permission') permissions.push({ code, term: term.shorthand, values });
    else modifiers.push({ code, term: term.shorthand, values });
  }
  return { permissions, modifiers, faults };
}

function parameterFault(parameter: DataUseParameter, values: readonly string[]): DenialReason | null {
  if (parameter === 'note') return null;
  if (parameter === 'none') return values.length === 0 ? null : 'parameter-invalid';
  if (values.length === 0 || values.includes('')) return 'parameter-missing';
  if (parameter === 'list') return null;
  const [first = ''] = values;
  const read = parameter === 'date' ? dayOf(first) : monthsOf(first);
  return values.length === 1 && read !== null ? null : 'parameter-invalid';
}
