import { createHmac, randomBytes } from 'node:crypto';
import type { GraphQLSchema } from 'graphql';
import {
  AuditLog,
  PolicyClass,
  classKeyOf,
  composePolicy,
  maskPads,
  type EvidenceSink,
  type MaskPads,
  type Policy,
} from '../governance/index.js';
import {
  CodedError,
  LIMITS,
  newUuid,
  type IngestReport,
  type PolicyDeclaration,
  type Principal,
  type Product,
  type RecordStore,
} from '../kernel/index.js';
import type { ColumnTypes, Pools } from '../store/index.js';
import { ClassRuntime } from './class-runtime.js';
import { withFederation } from './entities.js';
import { Lru } from './lru.js';
import { resolveDeclared } from './reference.js';
import { buildSchema } from './schema.js';
import { subgraphSdl } from './subgraph.js';

/** Loading of files, as the pipeline room provides it. */
export interface Ingestion {
  ingest(file: { product: string; name: string; bytes: Uint8Array; assembly?: string }, by: Principal): Promise<IngestReport>;
  release(ids: readonly string[], reason: string, by: Principal): Promise<{ released: number; held: number }>;
}

export interface MeshParts {
  readonly products: readonly Product[];
  readonly policies: readonly PolicyDeclaration[];
  readonly pools: Pools;
  readonly types: ColumnTypes;
  readonly evidence: EvidenceSink;
  readonly records: RecordStore;
  readonly ingestion: Ingestion;
  /** True where this process serves one product behind a router. */
  readonly subgraph?: boolean;
  /** Secret of this installation; keys of masks are derived from it, one a purpose. */
  readonly secret: Buffer;
  readonly clock: () => number;
  /** For the operator; lines hold codes and ids, never data. */
  readonly log: (line: string) => void;
}

/** The running mesh: one schema, one policy, one audit log; what is compiled is kept by policy class. */
export class Mesh {
  readonly schema: GraphQLSchema;
  /** The schema with what only a router may ask; null where the process is no subgraph. */
  readonly federated: GraphQLSchema | null;
  readonly policy: Policy;
  readonly audit: AuditLog;
  /** Products whose features and labels models may use: those that are served, or all where fusion is served alone. */
  inputs: readonly Pick<Product, 'features' | 'label'>[];
  private readonly classes = new Lru<ClassRuntime>(LIMITS.class_cache_entries_max);
  private readonly pads = new Map<string, MaskPads>();

  constructor(readonly parts: MeshParts) {
    this.inputs = parts.products;
    this.schema = buildSchema(parts.products, resolveDeclared as never);
    this.federated = parts.subgraph === true ? withFederation(this.schema, subgraphSdl(this.schema)) : null;
    this.policy = composePolicy(parts.policies);
    this.audit = new AuditLog(parts.evidence, newUuid(parts.clock()), parts.clock);
  }

  /** Roles that some grant names. A token with any other role is refused. */
  get roles(): ReadonlySet<string> {
    return new Set(this.policy.grants.map((grant) => grant.role));
  }

  /** What is compiled for the class of a caller; `router` adds what only a router may ask, for the same class. */
  runtimeFor(principal: Principal, router = false): ClassRuntime {
    const schema = router && this.federated ? this.federated : this.schema;
    const key = `${classKeyOf(this.policy, principal)}${schema === this.federated ? ' router' : ''}`;
    const known = this.classes.get(key);
    if (known && known.policyClass.goodUntil > this.parts.clock()) return known;
    const policyClass = new PolicyClass(this.policy, principal.roles, principal.purpose, principal.sites === '*', this.parts.clock());
    if (policyClass.empty) throw new CodedError('FORBIDDEN', 'No grant covers these roles for this purpose.');
    const made = new ClassRuntime(schema, policyClass, this.parts.types);
    this.classes.set(key, made);
    return made;
  }

  /** Pads of the HASH mask for a purpose: pseudonyms join inside one purpose and nowhere else. */
  padsFor(purpose: string): MaskPads {
    const known = this.pads.get(purpose);
    if (known) return known;
    const made = maskPads(createHmac('sha256', this.parts.secret).update(`mask:${purpose}`).digest());
    this.pads.set(purpose, made);
    return made;
  }

  newNonce(): string {
    return randomBytes(16).toString('hex');
  }
}
