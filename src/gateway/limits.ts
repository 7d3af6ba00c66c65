import { GraphQLError, Kind, type ASTNode, type FragmentDefinitionNode, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';
import { CodedError, LIMITS } from '../kernel/index.js';

/**
 * Limits on a document, as validation rules, so that they hold before anything is planned. Introspection is exempt by field, not by the name of
 * a fragment. Work is bounded: a fragment is measured once, however often it is spread.
 */
export const limitRules: readonly ValidationRule[] = [documentLimits];

function documentLimits(context: ValidationContext) {
  return {
    Document: {
      enter(): void {
        const document = context.getDocument();
        const fragments = new Map<string, FragmentDefinitionNode>();
        for (const each of document.definitions) if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
        const measure = measurer(fragments);
        for (const each of document.definitions) {
          if (each.kind !== Kind.OPERATION_DEFINITION) continue;
          const size = measure(each.selectionSet);
          const over = (limit: keyof typeof LIMITS, value: number, node: ASTNode): void => {
            if (value <= LIMITS[limit]) return;
            const refusal = new CodedError('LIMIT_EXCEEDED', `The document exceeds ${limit} (${LIMITS[limit]}).`);
            context.reportError(new GraphQLError(refusal.message, { nodes: [node], originalError: refusal }));
          };
          over('document_depth_max', size.depth, each);
          over('document_height_max', size.fields, each);
          over('document_aliases_max', size.aliases, each);
          over('document_root_fields_max', size.roots, each);
        }
      },
    },
  };
}

interface Size {
  depth: number;
  fields: number;
  aliases: number;
  roots: number;
}

function measurer(fragments: ReadonlyMap<string, FragmentDefinitionNode>): (set: SelectionSetNode) => Size {
  const known = new Map<string, Size>();
  const open = new Set<string>();
  const ofFragment = (name: string): Size => {
    const found = known.get(name);
    if (found) return found;
    const fragment = fragments.get(name);
    // A cycle is refused by its own rule; here it only must not run for ever.
    if (!fragment || open.has(name)) return { depth: 0, fields: 0, aliases: 0, roots: 0 };
    open.add(name);
    const size = measure(fragment.selectionSet);
    open.delete(name);
    known.set(name, size);
    return size;
  };
  const measure = (set: SelectionSetNode): Size => {
    const total: Size = { depth: 0, fields: 0, aliases: 0, roots: 0 };
    for (const selection of set.selections) {
      let size: Size;
      let own = 0;
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value.startsWith('__')) continue;
        own = 1;
        size = selection.selectionSet ? measure(selection.selectionSet) : { depth: 0, fields: 0, aliases: 0, roots: 0 };
        total.aliases += selection.alias ? 1 : 0;
        total.roots += 1;
      } else {
        size = selection.kind === Kind.FRAGMENT_SPREAD ? ofFragment(selection.name.value) : measure(selection.selectionSet);
        total.roots += size.roots;
      }
      total.depth = Math.max(total.depth, size.depth + own);
      total.fields += size.fields + own;
      total.aliases += size.aliases;
    }
    return total;
  };
  return measure;
}
