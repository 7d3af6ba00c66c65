import { getDocumentNodeFromSchema } from '@graphql-tools/utils';
import { Kind, print, visit, type ConstDirectiveNode, type DocumentNode, type GraphQLSchema } from 'graphql';

/** The version of Federation whose words we use. */
const FEDERATION = 'https://specs.apollo.dev/federation/v2.9';
const DIRECTIVES = new Set([
  'key',
  'shareable',
  'tag',
  'inaccessible',
  'authenticated',
  'requiresScopes',
  'policy',
  'cost',
  'listSize',
  'external',
]);

/** Types of the kernel without a key: each product that leads to them prints them word for word. Composition refuses any other type that two products print. */
const SHARED = new Set(['PageInfo', 'FileLink', 'IngestResult', 'IngestFault', 'PatientConnection', 'PatientEdge']);

/**
 * The SDL of one product as a Federation 2 subgraph (spec/gateway.md, section 2). The schema must have been built from that product alone, in a
 * process of its own: type-graphql keeps one registry a process, so types of a second product would be printed with it.
 */
export function subgraphSdl(schema: GraphQLSchema): string {
  const document = visit(getDocumentNodeFromSchema(schema), {
    ObjectTypeDefinition: (node) =>
      SHARED.has(node.name.value) ? { ...node, directives: [...(node.directives ?? []), directive('shareable')] } : undefined,
    // The link says which version defines them.
    DirectiveDefinition: (node) => (DIRECTIVES.has(node.name.value) ? null : undefined),
  });
  const imports = usedDirectives(document).map((name) => `"@${name}"`);
  return `extend schema @link(url: "${FEDERATION}", import: [${imports.join(', ')}])\n\n${print(document)}\n`;
}

function directive(name: string): ConstDirectiveNode {
  return { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: name } };
}

function usedDirectives(document: DocumentNode): string[] {
  const used = new Set<string>();
  visit(document, {
    Directive(node) {
      if (DIRECTIVES.has(node.name.value)) used.add(node.name.value);
    },
  });
  return [...used].sort();
}
