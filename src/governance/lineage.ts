import { createHash } from 'node:crypto';
import { Kind, print, stripIgnoredCharacters, visit, type DocumentNode, type ValueNode } from 'graphql';
import type { LineageEdge, PlanDecision } from '../kernel/index.js';
import { canonical } from './compose-policy.js';

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

export const digestOf = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

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

/** A set of persons as ascending ordinals in varint deltas (LEB128). */
export function encodeOrdinals(ordinals: readonly number[]): Buffer {
  const bytes: number[] = [];
  let last = 0;
  for (const ordinal of [...new Set(ordinals)].sort((a, b) => a - b)) {
    let delta = ordinal - last;
    last = ordinal;
    while (delta > 0x7f) {
      bytes.push((delta & 0x7f) | 0x80);
      delta = Math.floor(delta / 128);
    }
    bytes.push(delta);
  }
  return Buffer.from(bytes);
}

export function decodeOrdinals(bytes: Uint8Array): number[] {
  const ordinals: number[] = [];
  let value = 0;
  let shift = 1;
  let last = 0;
  for (const byte of bytes) {
    value += (byte & 0x7f) * shift;
    if (byte & 0x80) {
      shift *= 128;
      continue;
    }
    last += value;
    ordinals.push(last);
    value = 0;
    shift = 1;
  }
  return ordinals;
}
