import {
  GraphQLError,
  Kind,
  parse,
  type ASTNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { CodedError, LIMITS } from '../kernel/index.js';

/**
 * Limits on a document, as validation rules, so that they hold before anything is planned. Introspection is exempt by field, not by the name of
 * a fragment. Work is bounded: a fragment is measured once, however often it is spread.
 */
export const limitRules: readonly ValidationRule[] = [documentLimits];

/** Refuses a document that is far too large or nested before anything recursive or quadratic sees it (LIMIT_EXCEEDED); other faults are left to the parser. */
export function assertWithinLimits(source: string): void {
  if (nestingOf(source) > LIMITS.document_nesting_max) throw exceeded('document_nesting_max');
  let document: DocumentNode;
  try {
    document = parse(source, { maxLexicalTokens: LIMITS.document_tokens_max, noLocation: true });
  } catch (error) {
    if (error instanceof GraphQLError && error.message.includes('tokens. Parsing aborted')) throw exceeded('document_tokens_max');
    return;
  }
  for (const { limit } of excesses(document)) throw exceeded(limit);
}

/** How deep brackets of any kind are nested, texts and comments apart. */
function nestingOf(source: string): number {
  let open = 0;
  let deepest = 0;
  for (let i = 0; i < source.length; i += 1) {
    const letter = source[i];
    if (letter === '{' || letter === '[' || letter === '(') deepest = Math.max(deepest, (open += 1));
    else if (letter === '}' || letter === ']' || letter === ')') open -= 1;
    else if (letter === '#') i = endOfLine(source, i);
    else if (letter === '"') i = endOfText(source, i);
  }
  return deepest;
}

function endOfLine(source: string, start: number): number {
  for (let i = start; i < source.length; i += 1) if (source[i] === '\n' || source[i] === '\r') return i;
  return source.length;
}

function endOfText(source: string, start: number): number {
  const block = source.startsWith('"""', start);
  const quotes = block ? '"""' : '"';
  for (let i = start + quotes.length; i < source.length; i += 1) {
    // In a block text a backslash escapes nothing but three quotes.
    if (source[i] === '\\' && (!block || source.startsWith(quotes, i + 1))) i += quotes.length;
    else if (source.startsWith(quotes, i)) return i + quotes.length - 1;
    // A text on one line ends with it; the parser refuses it.
    else if (!block && source[i] === '\n') return i;
  }
  return source.length;
}

type Limit =
  | 'document_nesting_max'
  | 'document_tokens_max'
  | 'document_depth_max'
  | 'document_height_max'
  | 'document_aliases_max'
  | 'document_root_fields_max';

const exceeded = (limit: Limit): CodedError => new CodedError('LIMIT_EXCEEDED', `The document exceeds ${limit} (${LIMITS[limit]}).`);

function* excesses(document: DocumentNode): Generator<{ limit: Limit; operation: ASTNode }> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  const measure = measurer(fragments);
  for (const operation of document.definitions) {
    if (operation.kind !== Kind.OPERATION_DEFINITION) continue;
    const size = measure(operation.selectionSet);
    if (size.depth > LIMITS.document_depth_max) yield { limit: 'document_depth_max', operation };
    if (size.fields > LIMITS.document_height_max) yield { limit: 'document_height_max', operation };
    if (size.aliases > LIMITS.document_aliases_max) yield { limit: 'document_aliases_max', operation };
    if (size.roots > LIMITS.document_root_fields_max) yield { limit: 'document_root_fields_max', operation };
  }
}

function documentLimits(context: ValidationContext) {
  return {
    Document: {
      enter(): void {
        for (const { limit, operation } of excesses(context.getDocument())) {
          const refusal = exceeded(limit);
          context.reportError(new GraphQLError(refusal.message, { nodes: [operation], originalError: refusal }));
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
