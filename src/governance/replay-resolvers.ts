import { Arg, Ctx, Field, ID, InputType, Query, Resolver } from 'type-graphql';
import { SCALARS, operation, value, valueType, type ReplayFacts, type Scope } from '../kernel/index.js';

const plain = { tags: ['evidence'], safeHarbor: 'none' } as const;

@valueType('ReplayChange', 'Why a past answer is not the same when it is asked again.')
export class ReplayChange {
  @value({
    ...plain,
    type: () => SCALARS.String,
    required: true,
    description: 'persons, policy, schema, plan, dataset, answer, question, kind or unexplained.',
  })
  what!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Number, digest, table or code.' })
  name!: string;
}

@valueType('Replay', 'What asking a past question again gave. The answer itself is not told.')
export class Replay {
  @value({ ...plain, type: () => SCALARS.ID, required: true, description: 'Lineage id of the answer.' })
  id!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'EQUAL, CHANGED, ERASED or NOT_REPLAYABLE.' })
  verdict!: string;
  @value({ ...plain, type: () => SCALARS.String, description: 'SHA-256 of the data that left.' })
  recordedDigest!: string | null;
  @value({ ...plain, type: () => SCALARS.String, description: 'SHA-256 of the data as they come out now, at the recorded versions.' })
  replayedDigest!: string | null;
  @value({ ...plain, type: () => [ReplayChange], required: true, description: 'Why the verdict is not EQUAL.' })
  changes!: ReplayChange[];
}

@InputType({ description: 'A receipt as it came with an answer.' })
export class ReceiptInput {
  @Field(() => ID, { description: 'Lineage id of the answer.' })
  id!: string;
  @Field(() => String, { nullable: true, description: 'Log of the record.' })
  logId?: string | null;
  @Field(() => SCALARS.Int, { nullable: true, description: 'Place of the record in its log.' })
  logIndex?: number | null;
  @Field(() => String, { nullable: true, description: 'Signed checkpoint; one that this installation did not sign is refused.' })
  checkpoint?: string | null;
}

@Resolver()
export class ReplayQueries {
  @Query(() => Replay, {
    description:
      'Asks a past question again on the versions of data and policy of then, and says whether the answer is byte for byte the same.',
  })
  @operation({ action: 'read', tags: ['evidence'] })
  replay(
    @Arg('receipt', () => ReceiptInput, { description: 'The receipt of the answer.' }) receipt: ReceiptInput,
    @Ctx() scope: Scope,
  ): Promise<ReplayFacts> {
    return scope.evidence.replay({ id: receipt.id, checkpoint: receipt.checkpoint ?? null });
  }
}
