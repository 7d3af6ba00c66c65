import 'reflect-metadata';
import { Extensions, Field, ObjectType, registerEnumType } from 'type-graphql';
import { DECLARATION, type ConnectionPart, type Order, type StructureField, type TypeClass } from './field.js';
import { SCALARS } from './scalar.js';

const connections = new Map<TypeClass, TypeClass>();

type PartField = readonly [type: () => unknown, nullable: boolean, description: string, needs?: StructureField['needs']];

function part(name: string, declaration: ConnectionPart, fields: Readonly<Record<string, PartField>>): TypeClass {
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- type-graphql wants a class to hang the type on
  const made = { [name]: class {} }[name] as unknown as TypeClass;
  ObjectType(name, { description: declaration.description, simpleResolvers: true })(made);
  Extensions({ [DECLARATION]: declaration })(made as never);
  for (const [property, [type, nullable, description, needs]] of Object.entries(fields)) {
    Field(type as () => never, { nullable, description })(made.prototype as object, property);
    const field: StructureField = { kind: 'structure', tags: ['root'], safeHarbor: 'none', description, ...(needs ? { needs } : {}) };
    Extensions({ [DECLARATION]: field })(made.prototype as object, property);
  }
  return made;
}

const PageInfo = part(
  'PageInfo',
  { kind: 'page-info', description: 'Where a page stands in its list.' },
  {
    hasNextPage: [() => SCALARS.Boolean, false, 'True when rows that the caller may see follow the page.'],
    endCursor: [() => SCALARS.String, true, 'Cursor of the last row; null when the page is empty.'],
  },
);

/**
 * Makes the connection and edge types of an entity. It runs when the entity is declared, before any schema is built. A list has three
 * grains (Beacon v2: boolean, count, record): whether there is a row, how many there are, and the rows; who may only count has the first two.
 */
export function registerConnection(of: TypeClass, name: string): void {
  const rows = { of: () => of, action: 'read' } as const;
  const edge = part(
    `${name}Edge`,
    { kind: 'edge', description: `A row of a page of ${name}.` },
    {
      cursor: [() => SCALARS.String, false, 'Where the row stands in its list.', rows],
      node: [() => of, true, 'The row.', rows],
    },
  );
  const connection = part(
    `${name}Connection`,
    { kind: 'connection', description: `A page of ${name}.` },
    {
      edges: [() => [edge], false, 'Rows of the page.', rows],
      pageInfo: [() => PageInfo, false, 'Where the page stands.', rows],
      totalCount: [
        () => SCALARS.Int,
        true,
        'Rows in all that the caller may see; null where the count is withheld.',
        { ...rows, action: 'count' },
      ],
      exists: [
        () => SCALARS.Boolean,
        true,
        'Whether there is any such row; null where the count is withheld.',
        { ...rows, action: 'count' },
      ],
    },
  );
  connections.set(of, connection);
}

export function connectionOf(of: TypeClass): TypeClass {
  const found = connections.get(of);
  if (!found) throw new Error(`${of.name} has no connection`);
  return found;
}

/** The enum of the orders of one collection. */
export function orderEnumOf(owner: TypeClass, property: string, choices: readonly Order[]): object {
  const name = `${owner.name}${property[0]?.toUpperCase() ?? ''}${property.slice(1)}Order`;
  const made = Object.fromEntries(choices.map((order) => [order.name, order.name]));
  registerEnumType(made, { name, description: `Orders of ${property}.` });
  return made;
}
