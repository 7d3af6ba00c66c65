import { GraphQLList, GraphQLObjectType, GraphQLSchema, GraphQLString, execute, parse } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { rule, shield, type IRules } from 'graphql-shield';
import { Classification, PolicyClass, composePolicy, guard } from '../../../src/governance/index.js';
import { DECLARATION, type EntityDeclaration, type FieldDeclaration } from '../../../src/kernel/index.js';

const ROWS = 2_000;
const FIELDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

export const LISTS = ['none', 'pruned', 'naive'] as const;
export type List = (typeof LISTS)[number];

const entity: EntityDeclaration = { kind: 'entity', table: 'row', key: ['a'], tags: ['catalogue'], description: 'A row.' };

function declared(declaration: Partial<FieldDeclaration> & { kind: string }): Record<string, unknown> {
  return { [DECLARATION]: { tags: ['catalogue'], safeHarbor: 'none', description: 'A field.', ...declaration } };
}

/** 2,000 rows of 8 columns, resolved from memory: nothing but the guard differs between the lists. */
function schemaOf(): GraphQLSchema {
  const rows = Array.from({ length: ROWS }, (_, i) => Object.fromEntries(FIELDS.map((name) => [name, `${name}${i}`])));
  const row = new GraphQLObjectType({
    name: 'Row',
    extensions: { [DECLARATION]: entity },
    fields: Object.fromEntries(
      FIELDS.map((name) => [name, { type: GraphQLString, extensions: declared({ kind: 'column', column: name, type: 'text' } as never) }]),
    ),
  });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: {
      rows: { type: new GraphQLList(row), resolve: () => rows, extensions: declared({ kind: 'operation', action: 'read' } as never) },
    },
  });
  return new GraphQLSchema({ query });
}

/** Milliseconds that each list takes, one time each. */
export function lists(): Readonly<Record<List, () => Promise<number>>> {
  const schema = schemaOf();
  const policy = composePolicy([
    {
      grants: [
        {
          id: 'bench',
          reason: 'For a measurement.',
          role: 'reader',
          purposes: ['TREAT'],
          actions: ['read'],
          tags: ['root', 'catalogue'],
          rows: { op: 'true' },
        },
      ],
    },
  ]);
  const policyClass = new PolicyClass(policy, new Classification(schema, []), { roles: ['reader'], purpose: 'TREAT', allSites: true }, 0);
  const allowed = (name: string) =>
    rule(name, { cache: 'no_cache' })((_parent: unknown, _args: unknown, context: { ok: boolean }) => Promise.resolve(context.ok));
  const tree: IRules = {
    Query: { rows: allowed('Query.rows') },
    Row: Object.fromEntries(FIELDS.map((name) => [name, allowed(`Row.${name}`)])),
  };
  const naive = applyMiddleware(schemaOf(), shield(tree, { fallbackRule: rule('deny')(() => false) }));
  const document = parse(`{ rows { ${FIELDS.join(' ')} } }`);
  const timed = (under: GraphQLSchema) => async (): Promise<number> => {
    const started = performance.now();
    const result = await execute({ schema: under, document, contextValue: { policyClass, ok: true } });
    if (result.errors?.[0]) throw result.errors[0];
    return performance.now() - started;
  };
  return { none: timed(schema), pruned: timed(guard(schema, policyClass)), naive: timed(naive) };
}
