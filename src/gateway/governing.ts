import { createHash } from 'node:crypto';
import { GraphQLError, parse, specifiedRules, validate } from 'graphql';
import {
  PolicyClass,
  catalogueOf,
  matrixDiff,
  policyMatrix,
  purposesOf,
  readPolicyDocument,
  type MatrixCell,
} from '../governance/index.js';
import {
  CLEARANCES,
  CodedError,
  LIMITS,
  canonical,
  type AccessFacts,
  type AssetFacts,
  type ChangeFacts,
  type Governing,
  type MatrixFacts,
  type PolicyVersionFacts,
  type Purpose,
} from '../kernel/index.js';
import { pathVerdicts } from './access.js';
import { partsOf } from './document.js';
import { limitRules } from './limits.js';
import type { Mesh } from './mesh.js';
import type { MeshRequest } from './request.js';

/** Policy as its users see it: what there is, what would be allowed, and how it is changed. */
export class RequestGoverning implements Governing {
  constructor(private readonly request: MeshRequest) {}

  assets(): readonly AssetFacts[] {
    const { mesh, runtime } = this.request;
    const all = catalogueOf(mesh.parts.products, mesh.classification, mesh.policy.document);
    if (this.governs) return all;
    return all.filter((asset) => asset.tags.length === 0 || runtime.policyClass.may('read', asset.tags));
  }

  matrix(roles: readonly string[] | null): readonly MatrixFacts[] {
    const { mesh } = this.request;
    const unknown = (roles ?? []).find((role) => !mesh.policy.roles.has(role));
    if (unknown !== undefined) throw new CodedError('BAD_INPUT', 'A role is not known here.', { place: 'roles' });
    return this.matrixOf(mesh.compose(mesh.policy.document), roles);
  }

  explain({ query, as, purpose }: Parameters<Governing['explain']>[0]): readonly AccessFacts[] {
    const { mesh, runtime } = this.request;
    const asked = this.classFor(as, purpose);
    const document = documentOf(query);
    const [fault] = validate(runtime.schema, document, [...specifiedRules, ...limitRules]);
    if (fault) throw new CodedError('BAD_INPUT', fault.message.replace(/ Did you mean .*$/s, ''), { place: 'query' });
    const { operation, fragments } = partsOf(document, undefined);
    const sentences = new Map([...mesh.policy.grants, ...mesh.policy.forbids].map((rule) => [rule.id, rule.reason]));
    return pathVerdicts(mesh.schema, asked, { schema: runtime.schema, operation, fragments, variables: {} }).map((each) => ({
      ...each,
      reasons: each.ruleIds.flatMap((id) => id.split('+')).flatMap((id) => sentences.get(id) ?? []),
    }));
  }

  tryDocument(document: unknown): readonly ChangeFacts[] {
    const { mesh } = this.request;
    const after = this.matrixOf(mesh.compose(readPolicyDocument(document)), null);
    return matrixDiff(this.matrixOf(mesh.compose(mesh.policy.document), null), after);
  }

  async propose(document: unknown, reason: string): Promise<PolicyVersionFacts> {
    const { mesh, principal, now } = this.request;
    this.refuseMachines();
    const impact = this.tryDocument(document);
    const digest = createHash('sha256').update(canonical(document)).digest('hex');
    const version = await mesh.parts.governance.propose({ document, digest, impact, reason, actor: principal.sub, now });
    Object.assign(this.request.facts, { policyVersion: version.version, policyEvent: 'proposed', policyDigest: digest });
    return version;
  }

  async decide(version: number, approve: boolean, reason: string): Promise<PolicyVersionFacts> {
    const { mesh, principal, now } = this.request;
    this.refuseMachines();
    if (approve) {
      const proposed = (await mesh.parts.governance.versions()).find((each) => each.version === version);
      // It was checked when it was proposed; the products may have changed since.
      if (proposed) mesh.compose(readPolicyDocument(proposed.document));
    }
    const decided = await mesh.parts.governance.decide({ version, approve, reason, actor: principal.sub, now });
    Object.assign(this.request.facts, {
      policyVersion: version,
      policyEvent: approve ? 'approved' : 'rejected',
      policyDigest: decided.digest,
    });
    if (approve) await mesh.refresh();
    return decided;
  }

  versions(): Promise<readonly PolicyVersionFacts[]> {
    return this.request.mesh.parts.governance.versions();
  }

  private get governs(): boolean {
    return this.request.runtime.policyClass.may('govern', ['catalogue']);
  }

  /** Policy is changed by persons who act for themselves. */
  private refuseMachines(): void {
    const { kind, actors = [] } = this.request.principal;
    if (kind === 'service' || actors.length > 0) throw new CodedError('FORBIDDEN', 'Policy is changed by persons who act for themselves.');
  }

  private classFor(as: string | null, purpose: string | null): PolicyClass {
    const { mesh, runtime, principal, now } = this.request;
    const role = as ?? null;
    const own =
      (role === null || (principal.roles.length === 1 && principal.roles[0] === role)) &&
      (purpose === null || purpose === principal.purpose);
    if (own) return runtime.policyClass;
    if (!this.governs) throw new CodedError('FORBIDDEN', 'To ask about others takes the right to govern.', { place: 'as' });
    const roles = role === null ? principal.roles : [role];
    if (roles.some((each) => !mesh.policy.roles.has(each)))
      throw new CodedError('BAD_INPUT', 'The role is not known here.', { place: 'as' });
    const known = roles.flatMap((each) => purposesOf(mesh.policy, each));
    const wanted = purpose ?? known[0];
    if (wanted === undefined || !known.some((each) => each === wanted))
      throw new CodedError('BAD_INPUT', 'No grant of the role is for that purpose.', { place: 'purpose' });
    const asked = { roles, purpose: wanted as Purpose, allSites: false, steppedUp: true, clearances: CLEARANCES };
    return new PolicyClass(mesh.policy, mesh.classification, asked, now);
  }

  private matrixOf({ policy, classification }: ReturnType<Mesh['compose']>, roles: readonly string[] | null): readonly MatrixCell[] {
    const { mesh, now } = this.request;
    return policyMatrix(mesh.schema, policy, classification, now, roles ?? undefined);
  }
}

function documentOf(query: string) {
  try {
    return parse(query, { maxLexicalTokens: LIMITS.document_tokens_max });
  } catch (error) {
    throw new CodedError('BAD_INPUT', error instanceof GraphQLError ? error.message : 'The document is no GraphQL.', { place: 'query' });
  }
}
