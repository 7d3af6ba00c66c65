import type { Tag } from './classification.js';
import type { Mask, Notice } from './policy.js';

/** What policy tells about itself and how it is changed; the gateway provides it to hand-written operations. */
export interface Governing {
  /** Assets that the caller may know of: all where he governs, else those of which he may see anything. */
  assets(): readonly AssetFacts[];
  /** Role x purpose x field, for the roles named or all. */
  matrix(roles: readonly string[] | null): readonly MatrixFacts[];
  /** What a document would be allowed for a class, without reading any data. Throws BAD_INPUT for names that the caller cannot see. */
  explain(question: { readonly query: string; readonly as: string | null; readonly purpose: string | null }): readonly AccessFacts[];
  /** The cells that a document would change, without changing them. Throws POLICY_INVALID. */
  tryDocument(document: unknown): readonly ChangeFacts[];
  propose(document: unknown, reason: string): Promise<PolicyVersionFacts>;
  /** Throws FORBIDDEN for one's own proposal, CONFLICT for one that was decided, NOT_FOUND. */
  decide(version: number, approve: boolean, reason: string): Promise<PolicyVersionFacts>;
  versions(): Promise<readonly PolicyVersionFacts[]>;
}

export interface AssetFacts {
  readonly name: string;
  readonly urn: string;
  readonly kind: string;
  readonly owner: string;
  readonly description: string;
  readonly tags: readonly Tag[];
  readonly governed: readonly Tag[];
}

export interface MatrixFacts {
  readonly coordinate: string;
  readonly role: string;
  readonly purpose: string;
  readonly verdict: string;
  readonly mask: Mask | null;
  readonly ruleIds: readonly string[];
}

export interface AccessFacts {
  /** Response keys from the root, joined by dots. */
  readonly path: string;
  readonly coordinate: string;
  readonly verdict: string;
  readonly mask: Mask | null;
  readonly ruleIds: readonly string[];
  /** Why, as sentences of the rules. */
  readonly reasons: readonly string[];
  readonly missing: readonly Tag[];
  readonly notices: readonly Notice[];
  readonly consent: boolean;
  /** Rows that the path can come to at most, from the pages that are asked for. */
  readonly rowsMax: number;
}

export interface ChangeFacts {
  readonly coordinate: string;
  readonly role: string;
  readonly purpose: string;
  readonly from: string;
  readonly to: string;
}

export interface PolicyVersionFacts {
  readonly version: number;
  readonly status: string;
  readonly digest: string;
  readonly document: unknown;
  readonly impact: unknown;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly reason: string;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
}
