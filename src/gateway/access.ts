import {
  Kind,
  getNamedType,
  isObjectType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { entityOfType, verdictAt, type PolicyClass, type Verdict } from '../governance/index.js';
import { LIMITS } from '../kernel/index.js';

/** The verdict at one path of a document: a path of the class, never of a row. */
export interface PathVerdict extends Verdict {
  readonly path: string;
  /** Rows that the path can come to at most, from the pages that are asked for. */
  readonly rowsMax: number;
}

export interface AskedDocument {
  /** What the document is read against. */
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * The verdicts of one class over every path of a document, from the same function that schemas are made from. Fields of connections and
 * type names carry no data and are left out. Nothing is read.
 */
export function pathVerdicts(whole: GraphQLSchema, policyClass: PolicyClass, asked: AskedDocument): readonly PathVerdict[] {
  const { schema, operation, fragments, variables } = asked;
  const found: PathVerdict[] = [];
  const visit = (type: GraphQLObjectType, groups: ReadonlyMap<string, readonly FieldNode[]>, path: string, rows: number): void => {
    for (const [key, nodes] of groups) {
      const name = nodes[0]?.name.value ?? '';
      const field = type.getFields()[name];
      if (!field || name.startsWith('__')) continue;
      const at = path === '' ? key : `${path}.${key}`;
      const rowsMax =
        rows *
        pageOf(
          field.args.some((arg) => arg.name === 'first'),
          nodes,
          variables,
        );
      if (!isStructure(type)) found.push({ ...verdictAt(whole, policyClass, type.name, name), path: at, rowsMax });
      const inner = getNamedType(field.type);
      if (isObjectType(inner)) visit(inner, collectSubfields(schema, fragments, variables, inner, nodes), at, rowsMax);
    }
  };
  const root = schema.getRootType(operation.operation);
  if (root) visit(root, collectFields(schema, fragments, variables, root, operation.selectionSet), '', 1);
  return found;
}

const isStructure = (type: GraphQLObjectType): boolean =>
  entityOfType(type) === undefined && /(?:Connection|Edge|PageInfo)$/.test(type.name);

function pageOf(paged: boolean, nodes: readonly FieldNode[], variables: Readonly<Record<string, unknown>>): number {
  if (!paged) return 1;
  const value = nodes[0]?.arguments?.find((each) => each.name.value === 'first')?.value;
  const given = value?.kind === Kind.INT ? Number(value.value) : value?.kind === Kind.VARIABLE ? variables[value.name.value] : undefined;
  return typeof given === 'number' && Number.isFinite(given) ? Math.max(0, given) : LIMITS.page_rows_default;
}
