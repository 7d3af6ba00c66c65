import { TypeInfo, parse, visit, visitWithTypeInfo, type GraphQLSchema } from 'graphql';
import { PolicyClass } from '../governance/index.js';
import {
  CLEARANCES,
  CodedError,
  DECLARATION,
  readerAction,
  type Action,
  type FieldDeclaration,
  type Grant,
  type GrantUseFacts,
} from '../kernel/index.js';
import { useOfRole, type RoleUse } from '../store/index.js';
import { columnTags } from './lineage-sight.js';
import type { Mesh } from './mesh.js';

const UNUSED_DAYS = 90;
const DAY_MS = 86_400_000;
/** Actions that give something of a column. */
const ON_COLUMNS: readonly Action[] = ['read', 'count', 'file', 'feature', 'train'];

interface Used {
  readonly columns: Set<string>;
  readonly actions: Set<Action>;
  runs: number;
  lastAt: number;
}

/**
 * Each grant of a role with the columns and actions that no caller of the role used for its purposes in 90 days. A column is used where it was read in any
 * way, also to choose rows, so what is told as unused was not needed at all. Throws BAD_INPUT for an unknown role.
 */
export async function leastPrivilege(mesh: Mesh, role: string, now: number): Promise<readonly GrantUseFacts[]> {
  const { policy } = mesh;
  if (!policy.roles.has(role)) throw new CodedError('BAD_INPUT', 'The role is not known here.', { place: 'role' });
  const since = new Date(now - UNUSED_DAYS * DAY_MS).toISOString().slice(0, 10);
  const uses = await useOfRole(mesh.parts.pools.writer, role, since);
  const byPurpose = new Map<string, Used>();
  for (const use of uses) {
    const used: Used = byPurpose.get(use.purpose) ?? { columns: new Set(), actions: new Set(), runs: 0, lastAt: 0 };
    byPurpose.set(use.purpose, used);
    used.runs += use.runs;
    used.lastAt = Math.max(used.lastAt, use.lastAt.getTime());
    for (const source of use.sources ?? []) used.columns.add(source);
    for (const action of actionsOf(mesh.schema, use)) used.actions.add(action);
  }
  return policy.grants.filter((grant) => grant.role === role).map((grant) => useOfGrant(mesh, grant, byPurpose, now));
}

function useOfGrant(mesh: Mesh, grant: Grant, byPurpose: ReadonlyMap<string, Used>, now: number): GrantUseFacts {
  const columns = columnsOf(mesh, grant, now);
  const used = grant.purposes.flatMap((purpose) => byPurpose.get(purpose) ?? []);
  const lastAt = Math.max(0, ...used.map((each) => each.lastAt));
  return {
    grant: grant.id,
    reason: grant.reason,
    purposes: grant.purposes,
    runs: used.reduce((sum, each) => sum + each.runs, 0),
    lastAt: lastAt === 0 ? null : new Date(lastAt).toISOString(),
    columns: columns.length,
    unusedColumns: columns.filter((column) => !used.some((each) => each.columns.has(column))),
    unusedActions: grant.actions.filter((action) => !used.some((each) => each.actions.has(action))),
  };
}

/** Columns (table.column) that the grant covers alone, at its best: with every factor, passport and glass. */
function columnsOf(mesh: Mesh, grant: Grant, now: number): readonly string[] {
  const facts = {
    roles: [grant.role],
    purpose: grant.purposes[0] ?? 'TREAT',
    allSites: true,
    steppedUp: true,
    emergency: true,
    clearances: CLEARANCES,
  };
  const alone = new PolicyClass({ ...mesh.policy, grants: [grant], forbids: [] }, mesh.classification, facts, now);
  const actions = grant.actions.filter((action) => ON_COLUMNS.includes(action));
  return [...columnTags(mesh)]
    .filter(([, tags]) => actions.some((action) => alone.may(action, tags)))
    .map(([name]) => name.slice(name.indexOf('.') + 1))
    .sort();
}

/** Actions that a document used, by what its fields are declared as. */
function actionsOf(schema: GraphQLSchema, { plan, document, coordinates }: RoleUse): ReadonlySet<Action> {
  if (document === null) return new Set<Action>(plan === 'file' ? ['file'] : []);
  const actions = new Set<Action>();
  const types = new TypeInfo(schema);
  visit(
    parse(document),
    visitWithTypeInfo(types, {
      Field(node) {
        const declaration = types.getFieldDef()?.extensions[DECLARATION] as FieldDeclaration | undefined;
        if (node.name.value === 'totalCount' || node.name.value === 'exists' || declaration?.kind === 'aggregate') actions.add('count');
        if (declaration?.kind === 'operation') actions.add(declaration.action);
        else if (declaration?.kind === 'reader') actions.add(readerAction(declaration));
        else if (declaration && declaration.kind !== 'aggregate' && declaration.kind !== 'value') actions.add('read');
      },
    }),
  );
  if (!actions.has('train') && coordinates?.some((coordinate) => coordinate.startsWith('features '))) actions.add('feature');
  return actions;
}
