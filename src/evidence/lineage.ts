import { Kind, parse, parseValue, print, stripIgnoredCharacters, visit, type DocumentNode, type ValueNode } from 'graphql';
import { canonical, digestOf, type LineageEdge, type PlanDecision } from '../kernel/index.js';

/** What a plan says of every run of it; stored once. */
export interface LineagePlan {
  readonly digest: string;
  /** The document with literals removed: names and structure only. */
  readonly document: string;
  readonly columns: readonly LineageEdge[];
  readonly decisions: readonly PlanDecision[];
  readonly policyVersion: string;
}

/** The template of the lineage of a plan; its digest is over all that it holds. */
export function lineagePlan(
  document: DocumentNode,
  columns: readonly LineageEdge[],
  decisions: readonly PlanDecision[],
  policyVersion: string,
): LineagePlan {
  const body = { document: withoutLiterals(document), columns, decisions, policyVersion };
  return { digest: digestOf(canonical(body)), ...body };
}

const BLANK: Partial<Record<Kind, ValueNode>> = {
  [Kind.STRING]: { kind: Kind.STRING, value: '' },
  [Kind.INT]: { kind: Kind.INT, value: '0' },
  [Kind.FLOAT]: { kind: Kind.FLOAT, value: '0' },
  [Kind.LIST]: { kind: Kind.LIST, values: [] },
  [Kind.OBJECT]: { kind: Kind.OBJECT, fields: [] },
};

/** A document without values: a literal may hold what identifies a person. */
export function withoutLiterals(document: DocumentNode): string {
  return stripIgnoredCharacters(print(visit(document, { enter: (node) => BLANK[node.kind] })));
}

/** What `withoutLiterals` took out, as GraphQL text in its order. */
export function literalsOf(document: DocumentNode): string[] {
  const literals: string[] = [];
  visit(document, {
    enter(node) {
      if (!(node.kind in BLANK)) return undefined;
      literals.push(print(node));
      return false;
    },
  });
  return literals;
}

/** The document as it was asked. Null where the literals are not those of this document. */
export function withLiterals(document: string, literals: readonly string[]): DocumentNode | null {
  let next = 0;
  const restored = visit(parse(document), {
    // On leaving: what stands inside a literal that was put back is not met again.
    leave(node) {
      if (!(node.kind in BLANK)) return undefined;
      const literal = literals[next];
      next += 1;
      return literal === undefined ? undefined : parseValue(literal);
    },
  });
  return next === literals.length ? restored : null;
}
