import { Kind, print, stripIgnoredCharacters, visit, type DocumentNode, type ValueNode } from 'graphql';
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

/** A document without values: a literal may hold what identifies a person. */
export function withoutLiterals(document: DocumentNode): string {
  const blank: Partial<Record<Kind, ValueNode>> = {
    [Kind.STRING]: { kind: Kind.STRING, value: '' },
    [Kind.INT]: { kind: Kind.INT, value: '0' },
    [Kind.FLOAT]: { kind: Kind.FLOAT, value: '0' },
    [Kind.LIST]: { kind: Kind.LIST, values: [] },
    [Kind.OBJECT]: { kind: Kind.OBJECT, fields: [] },
  };
  const cleaned = visit(document, { enter: (node) => blank[node.kind] });
  return stripIgnoredCharacters(print(cleaned));
}
