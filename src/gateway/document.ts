import { createHash } from 'node:crypto';
import { Kind, getOperationAST, print, type DocumentNode, type FragmentDefinitionNode, type OperationDefinitionNode } from 'graphql';
import { CodedError } from '../kernel/index.js';

/** The operation of a document that is to run, with what it needs. */
export interface OperationParts {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  /** Digest of the document text. */
  readonly digest: string;
}

const digests = new WeakMap<DocumentNode, string>();

export function partsOf(document: DocumentNode, operationName: string | null | undefined): OperationParts {
  const operation = getOperationAST(document, operationName);
  if (!operation)
    throw new CodedError('BAD_INPUT', 'The document does not hold the operation that is named, or holds several and names none.');
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const each of document.definitions) if (each.kind === Kind.FRAGMENT_DEFINITION) fragments[each.name.value] = each;
  let digest = digests.get(document);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update(document.loc?.source.body ?? print(document))
      .digest('base64url');
    digests.set(document, digest);
  }
  return { document, operation, fragments, digest };
}

/** True where a document asks about the schema itself; graphql-js answers that from the class schema. */
export function asksSchema(parts: OperationParts): boolean {
  const asks = (set: OperationDefinitionNode['selectionSet'], seen: Set<string>): boolean =>
    set.selections.some((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value === '__schema' || selection.name.value === '__type';
      if (selection.kind === Kind.INLINE_FRAGMENT) return asks(selection.selectionSet, seen);
      const name = selection.name.value;
      const fragment = parts.fragments[name];
      if (!fragment || seen.has(name)) return false;
      seen.add(name);
      return asks(fragment.selectionSet, seen);
    });
  return asks(parts.operation.selectionSet, new Set());
}
