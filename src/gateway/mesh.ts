import { createHmac, randomBytes } from 'node:crypto';
import type { GraphQLSchema } from 'graphql';
import { AuditLog, type Keyring } from '../evidence/index.js';
import {
  Classification,
  DisclosureGuard,
  PolicyClass,
  assertMasks,
  classKey,
  composePolicy,
  maskPads,
  narrowingOf,
  readPolicyDocument,
  type ClassFacts,
  type DisclosureStore,
  type HasColumn,
  type MaskPads,
  type Owned,
  type Policy,
  type PolicyDocument,
} from '../governance/index.js';
import {
  CodedError,
  LIMITS,
  Patient,
  type IngestReport,
  type PolicyDeclaration,
  type Principal,
  type Product,
  type RecordStore,
} from '../kernel/index.js';
import {
  breakGlassStore,
  type ColumnTypes,
  type EvidenceStore,
  type Epoch,
  type ObjectStore,
  type PolicyStore,
  type Pools,
} from '../store/index.js';
import { BreakGlass } from './break-glass.js';
import { ClassRuntime } from './class-runtime.js';
import { withFederation } from './entities.js';
import { FileTokens } from './file-token.js';
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
  readonly evidence: EvidenceStore;
  /** Keys that sign the checkpoints of the audit log. */
  readonly keyring: () => Keyring;
  /** Hears of each checkpoint that is kept. */
  readonly kept?: ((logId: string, checkpoint: string) => void) | undefined;
  readonly records: RecordStore;
  readonly ingestion: Ingestion;
  readonly governance: PolicyStore;
  readonly disclosure: DisclosureStore & { forget(): void };
  /** Files as they arrived. */
  readonly objects: ObjectStore;
  /** True where this process serves one product behind a router. */
  readonly subgraph?: boolean;
  /** Secret of this installation; keys of masks are derived from it, one a purpose. */
  readonly secret: Buffer;
  readonly clock: () => number;
  /** For the operator; lines hold codes and ids, never data. */
  readonly log: (line: string) => void;
}

/** The policy in force with what is computed from it. It is replaced as a whole. */
export interface InForce {
  readonly policy: Policy;
  readonly classification: Classification;
}

/** The running mesh: one schema, one policy, one audit log; what is compiled is kept by policy class. */
export class Mesh {
  readonly schema: GraphQLSchema;
  /** The schema with what only a router may ask; null where the process is no subgraph. */
  readonly federated: GraphQLSchema | null;
  readonly audit: AuditLog;
  /** Decides which counts over persons are told. */
  readonly disclosure: DisclosureGuard;
  readonly breakGlass: BreakGlass;
  readonly fileTokens: FileTokens;
  /** Products whose features and labels models may use: those that are served, or all where fusion is served alone. */
  inputs: readonly Product[];
  /** Numbers of the policy and the revocations in use; every transaction tells the present ones, and older ones are never used. */
  epoch: Epoch = { policy: 0, revocation: 0 };
  private inForce: InForce;
  private readonly emergencies = new Set<string>();
  private readonly classes = new Lru<ClassRuntime>(LIMITS.class_cache_entries_max);
  private readonly pads = new Map<string, MaskPads>();

  constructor(readonly parts: MeshParts) {
    this.inputs = parts.products;
    this.schema = buildSchema(parts.products, resolveDeclared as never);
    this.federated = parts.subgraph === true ? withFederation(this.schema, subgraphSdl(this.schema)) : null;
    this.inForce = this.compose({});
    this.disclosure = new DisclosureGuard(parts.disclosure);
    this.audit = new AuditLog({
      sink: parts.evidence,
      keyring: parts.keyring,
      sealKey: this.sealKey,
      clock: parts.clock,
      monotonic: () => performance.now(),
      ...(parts.kept ? { kept: parts.kept } : {}),
    });
    this.fileTokens = new FileTokens(parts.secret);
    this.breakGlass = new BreakGlass({
      ...parts,
      store: breakGlassStore(parts.pools.writer),
      audit: this.audit,
      policyVersion: () => this.policy.version,
    });
  }

  /** Key under which is kept what was asked. */
  get sealKey(): Buffer {
    return createHmac('sha256', this.parts.secret).update('seal').digest();
  }

  /** What a transaction told of the glass of a caller. Only a caller who broke some has statements that look for it. */
  glassOf(sub: string, broken: boolean): void {
    if (broken) this.emergencies.add(sub);
    else this.emergencies.delete(sub);
  }

  get policy(): Policy {
    return this.inForce.policy;
  }

  /** Every asset with its tags, as the policy in force has them. */
  get classification(): Classification {
    return this.inForce.classification;
  }

  /** Roles that some grant names. A token with any other role is refused. */
  get roles(): ReadonlySet<string> {
    return this.policy.roles;
  }

  /** What a document would make of the policy. Throws POLICY_INVALID; nothing changes. */
  compose(document: PolicyDocument): InForce {
    const { parts } = this;
    const policy = composePolicy(parts.policies, document);
    const classification = new Classification(this.schema, parts.products, document.assets, this.elsewhere);
    assertMasks(policy, classification);
    return { policy, classification };
  }

  /** Products whose rows models of this process read although it serves others. */
  readFrom(products: readonly Product[]): void {
    this.inputs = products;
    this.inForce = this.compose(this.policy.document);
  }

  /** Owners of what is read here and served by other processes; every process reads persons. */
  private get elsewhere(): readonly Owned[] {
    const served = new Set(this.parts.products.map((product) => product.name));
    const persons: Owned = { name: 'patients', owner: 'Patient administration', types: [Patient] };
    return [persons, ...this.inputs].filter((product) => !served.has(product.name as Product['name']));
  }

  /** Takes up the policy in force where it is newer than what this process uses. True where anything was. */
  async refresh(): Promise<boolean> {
    const { epoch, document } = await this.parts.governance.inForce();
    const moved = epoch.policy !== this.epoch.policy || epoch.revocation !== this.epoch.revocation;
    if (epoch.policy !== this.epoch.policy) this.inForce = this.compose(readPolicyDocument(document));
    if (epoch.revocation !== this.epoch.revocation) this.forgetPersons();
    this.epoch = epoch;
    return moved;
  }

  /** Lets go of what is kept in memory about persons: who was erased, here or by another process, must not live on in it. */
  forgetPersons(): void {
    this.parts.evidence.keys.forget();
    this.parts.disclosure.forget();
  }

  /** The class of a caller, whatever the schema that it is used with. */
  classOf(principal: Principal): PolicyClass {
    return this.classBy(this.factsOf(principal));
  }

  private classBy(facts: ClassFacts): PolicyClass {
    return new PolicyClass(this.policy, this.classification, facts, this.parts.clock());
  }

  /** What is compiled for the class of a caller; `router` adds what only a router may ask, for the same class. */
  runtimeFor(principal: Principal, router = false): ClassRuntime {
    const schema = router && this.federated ? this.federated : this.schema;
    const facts = this.factsOf(principal);
    const key = `${classKey(this.policy.version, facts)}${schema === this.federated ? ' router' : ''}`;
    const known = this.classes.get(key);
    if (known && known.policyClass.goodUntil > this.parts.clock()) return known;
    const policyClass = this.classBy(facts);
    if (policyClass.empty) throw new CodedError('FORBIDDEN', 'No grant covers these roles for this purpose.');
    const made = new ClassRuntime(schema, policyClass, this.parts.types);
    this.classes.set(key, made);
    return made;
  }

  /** What was compiled for a caller at an instant under a policy that was in force then; nothing of it is kept. */
  runtimeAt({ policy, classification }: InForce, principal: Principal, emergency: boolean, now: number): ClassRuntime {
    const facts = this.factsOf(principal, policy, emergency, now);
    return new ClassRuntime(this.schema, new PolicyClass(policy, classification, facts, now), this.parts.types);
  }

  private factsOf(
    principal: Principal,
    policy = this.policy,
    emergency = this.emergencies.has(principal.sub),
    now = this.parts.clock(),
  ): ClassFacts {
    const { roles, purpose, sites, steppedUp, actors, clearances } = principal;
    const narrowing = narrowingOf(principal, policy.document, this.hasColumn, now);
    const held = (clearances ?? []).filter(({ until }) => until > now);
    return {
      roles,
      purpose,
      allSites: sites === '*',
      steppedUp: steppedUp === true,
      emergency,
      actors: actors ?? [],
      ...(narrowing ? { narrowing } : {}),
      ...(held.length > 0 ? { clearances: held.map(({ kind }) => kind), clearedUntil: Math.min(...held.map(({ until }) => until)) } : {}),
    };
  }

  private readonly hasColumn: HasColumn = (table, column) => this.parts.types.get(table)?.has(column) === true;

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
