import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { CodedError, SCALARS, operation, type Scope } from '../kernel/index.js';
import { AccessPath, Asset, MatrixCell, PolicyChange, PolicyVersion } from './access-model.js';

const QUERY = 'A GraphQL document; it is not executed.';
const REASON_LETTERS_MIN = 10;

/** What policy says about itself, and how it is changed. Nothing here reads data of a person. */
@Resolver()
export class AccessQueries {
  @Query(() => [Asset], { description: 'Assets that the caller may know of, with owner and tags.' })
  @operation({ action: 'read', tags: ['catalogue'] })
  assets(@Ctx() scope: Scope): readonly Asset[] {
    return scope.governing.assets();
  }

  @Query(() => [AccessPath], { description: 'What a document would be allowed, path by path, for the caller or for a role and purpose.' })
  @operation({ action: 'read', tags: ['catalogue'] })
  explainAccess(
    @Arg('query', () => String, { description: QUERY }) query: string,
    @Arg('as', () => String, { nullable: true, description: "Role to ask about; other roles than one's own need the right to govern." })
    as: string | null,
    @Arg('purpose', () => String, { nullable: true, description: 'Purpose to ask about.' }) purpose: string | null,
    @Ctx() scope: Scope,
  ): readonly AccessPath[] {
    return scope.governing.explain({ query, as: as ?? null, purpose: purpose ?? null });
  }

  @Query(() => [MatrixCell], { description: 'Role x purpose x field, as the policy in force has it.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  policyMatrix(
    @Arg('roles', () => [String], { nullable: true, description: 'Only these roles.' }) roles: string[] | null,
    @Ctx() scope: Scope,
  ): readonly MatrixCell[] {
    return scope.governing.matrix(roles ?? null);
  }

  @Query(() => [PolicyVersion], { description: 'Versions of the policy of this installation, the newest first.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  policyVersions(@Ctx() scope: Scope): Promise<readonly PolicyVersion[]> {
    return scope.governing.versions();
  }

  @Query(() => [PolicyChange], { description: 'The cells that a policy document would change. Nothing changes.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  tryPolicy(
    @Arg('document', () => SCALARS.JSON, { description: 'The whole document.' }) document: unknown,
    @Ctx() scope: Scope,
  ): readonly PolicyChange[] {
    return scope.governing.tryDocument(document);
  }
}

@Resolver()
export class AccessMutations {
  @Mutation(() => PolicyVersion, { description: 'Proposes a policy document. It takes force when a second person approves it.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  async proposePolicy(
    @Arg('document', () => SCALARS.JSON, { description: 'The whole document that would be in force.' }) document: unknown,
    @Arg('reason', () => String, { description: 'Why; kept with the version.' }) reason: string,
    @Ctx() scope: Scope,
  ): Promise<PolicyVersion> {
    return scope.governing.propose(document, stated(reason));
  }

  @Mutation(() => PolicyVersion, { description: 'Approves or rejects a proposed version. Nobody approves what he proposed himself.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  async decidePolicy(
    @Arg('version', () => Int, { description: 'Number of the version.' }) version: number,
    @Arg('approve', () => Boolean, { description: 'True to put it in force.' }) approve: boolean,
    @Arg('reason', () => String, { description: 'Why; kept with the version.' }) reason: string,
    @Ctx() scope: Scope,
  ): Promise<PolicyVersion> {
    return scope.governing.decide(version, approve, stated(reason));
  }
}

function stated(reason: string): string {
  const text = reason.trim();
  if (text.length < REASON_LETTERS_MIN)
    throw new CodedError('BAD_INPUT', `A reason has at least ${REASON_LETTERS_MIN} letters.`, { place: 'reason' });
  return text;
}
