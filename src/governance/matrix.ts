import type { GraphQLSchema } from 'graphql';
import { CLEARANCES, type Mask, type Purpose } from '../kernel/index.js';
import type { Classification } from './classification.js';
import type { Policy } from './compose-policy.js';
import { dataTypes } from './coordinates.js';
import { PolicyClass } from './decide.js';
import { rulingAt, verdictAt, type Verdict } from './verdict.js';

/** What one role may see of one field for one purpose. */
export interface MatrixCell {
  readonly coordinate: string;
  readonly role: string;
  readonly purpose: Purpose;
  readonly verdict: Verdict['verdict'];
  readonly mask: Mask | null;
  readonly ruleIds: readonly string[];
  /** What decides it row by row, as text: two policies that differ in rows only differ here. */
  readonly ruling: string;
}

/** Purposes for which some grant of a role exists; for all others the role sees nothing. */
export function purposesOf(policy: Policy, role: string): readonly Purpose[] {
  return [...new Set(policy.grants.filter((grant) => grant.role === role).flatMap((grant) => grant.purposes))].sort();
}

/**
 * Role x purpose x field, made from the same verdicts as schemas, plans and statements. Only fields that hold something are listed:
 * connections and type names carry no data. Pairs of role and purpose without a grant are left out: all their cells are denied.
 */
export function policyMatrix(
  schema: GraphQLSchema,
  policy: Policy,
  classification: Classification,
  now: number,
  roles: readonly string[] = [...policy.roles].sort(),
): readonly MatrixCell[] {
  return roles.flatMap((role) =>
    purposesOf(policy, role).flatMap((purpose) => {
      const policyClass = new PolicyClass(
        policy,
        classification,
        { roles: [role], purpose, allSites: false, steppedUp: true, clearances: CLEARANCES },
        now,
      );
      return coordinatesOf(schema).map(([type, field]): MatrixCell => {
        const { coordinate, verdict, mask, ruleIds } = verdictAt(schema, policyClass, type, field);
        return { coordinate, role, purpose, verdict, mask, ruleIds, ruling: rulingAt(schema, policyClass, type, field) };
      });
    }),
  );
}

/** The cells that differ between two policies, with what was and what would be; a cell that one of them lacks is denied there. */
export function matrixDiff(
  before: readonly MatrixCell[],
  after: readonly MatrixCell[],
): readonly {
  readonly coordinate: string;
  readonly role: string;
  readonly purpose: Purpose;
  readonly from: string;
  readonly to: string;
}[] {
  const keyOf = (cell: MatrixCell): string => `${cell.role} ${cell.purpose} ${cell.coordinate}`;
  const was = new Map(before.map((cell) => [keyOf(cell), cell]));
  const is = new Map(after.map((cell) => [keyOf(cell), cell]));
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((key) => {
    const [from, to] = [was.get(key), is.get(key)];
    const cell = to ?? from;
    if (!cell) return [];
    const same = shown(from) === shown(to);
    if (same && (shown(to) === DENIED || from?.ruling === to?.ruling)) return [];
    const told = same ? `${shown(to)} on other rows` : shown(to);
    return [{ coordinate: cell.coordinate, role: cell.role, purpose: cell.purpose, from: shown(from), to: told }];
  });
}

const DENIED = 'denied';

/** A verdict as one word, with the rules behind it. */
const shown = (cell: MatrixCell | undefined): string =>
  cell === undefined || cell.verdict === 'denied' ? DENIED : `${cell.mask ?? cell.verdict} by ${cell.ruleIds.join(', ')}`;

function coordinatesOf(schema: GraphQLSchema): (readonly [string, string])[] {
  return dataTypes(schema)
    .filter((type) => !type.name.startsWith('_') && !/(?:Connection|Edge|PageInfo)$/.test(type.name))
    .flatMap((type) => Object.keys(type.getFields()).map((field) => [type.name, field] as const))
    .filter(([, field]) => !field.startsWith('_'))
    .sort(([a, b], [c, d]) => (`${a}.${b}` < `${c}.${d}` ? -1 : 1));
}
