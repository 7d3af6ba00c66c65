import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { CodedError, HOLD_KINDS, SCALARS, operation, type HoldKind, type Scope } from '../kernel/index.js';
import { idOf, reasonOf } from './break-glass.js';
import { AccountingEntry, AccountingHold, BulkMeter } from './evidence-model.js';

const HOLD_MS_MAX = 6 * 366 * 86_400_000;
const RECIPIENT = /^[\x21-\x7e]{1,512}$/;

/** To whom data went. */
@Resolver()
export class DisclosureQueries {
  @Query(() => [AccountingEntry], {
    description:
      'Accounting of disclosures of one person over at most the last six years (45 CFR 164.528). A person of elsewhere is as unknown.',
  })
  @operation({ action: 'read', tags: ['evidence', 'evidence.patients'] })
  accountingOfDisclosures(
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Arg('from', () => SCALARS.DateTime, { description: 'Disclosed at or after.' }) from: Date,
    @Arg('to', () => SCALARS.DateTime, { description: 'Disclosed before.' }) to: Date,
    @Ctx() scope: Scope,
  ): Promise<readonly AccountingEntry[]> {
    return scope.evidence.accounting({ patientId: idOf(patientId, 'patientId'), from: from.getTime(), to: to.getTime() });
  }

  @Query(() => BulkMeter, {
    description: 'How many persons a recipient got data of in the last twelve months, against the thresholds of 28 CFR 202.205.',
  })
  @operation({ action: 'read', tags: ['evidence', 'evidence.patients'] })
  bulkMeter(
    @Arg('recipient', () => ID, { description: 'Id of the recipient in the policy in force.' }) recipient: string,
    @Ctx() scope: Scope,
  ): Promise<BulkMeter> {
    if (!RECIPIENT.test(recipient)) throw new CodedError('BAD_INPUT', 'That is no id of a recipient.', { place: 'recipient' });
    return scope.evidence.bulkMeter(recipient);
  }
}

@Resolver()
export class DisclosureMutations {
  @Mutation(() => AccountingHold, {
    description:
      'Holds back disclosures to law enforcement or health oversight from accountings of one person, until an instant (45 CFR 164.528(a)(2)).',
  })
  @operation({ action: 'govern', tags: ['evidence', 'evidence.patients'] })
  async suspendAccounting(
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Arg('kind', () => String, { description: 'law-enforcement or health-oversight.' }) kind: string,
    @Arg('until', () => SCALARS.DateTime, { description: 'Until when, as the agency stated it.' }) until: Date,
    @Arg('reason', () => String, { description: 'The statement of the agency: at least 10 characters on one line.' }) reason: string,
    @Ctx() scope: Scope,
  ): Promise<AccountingHold> {
    refuseMachines(scope);
    const request = {
      patientId: idOf(patientId, 'patientId'),
      kind: kindOf(kind),
      until: untilOf(until, scope.now),
      reason: reasonOf(reason, 'reason'),
    };
    return scope.evidence.suspend(request);
  }

  @Mutation(() => AccountingHold, { description: 'Ends a suspension before its time.' })
  @operation({ action: 'govern', tags: ['evidence', 'evidence.patients'] })
  async resumeAccounting(
    @Arg('id', () => ID, { description: 'The suspension.' }) id: string,
    @Arg('reason', () => String, { description: 'Why: at least 10 characters on one line.' }) reason: string,
    @Ctx() scope: Scope,
  ): Promise<AccountingHold> {
    refuseMachines(scope);
    const ended = await scope.evidence.resume(idOf(id, 'id'), reasonOf(reason, 'reason'));
    if (!ended) throw new CodedError('NOT_FOUND', 'There is no such suspension to end.', { place: 'id' });
    return ended;
  }
}

/** What an agency stated is taken down by a person who acts for nobody else. */
function refuseMachines({ principal: { kind, actors = [] } }: Scope): void {
  if (kind === 'service' || actors.length > 0)
    throw new CodedError('FORBIDDEN', 'An accounting is suspended by persons who act for themselves.');
}

function kindOf(kind: string): HoldKind {
  const known = HOLD_KINDS.find((each) => each === kind);
  if (!known) throw new CodedError('BAD_INPUT', `A suspension is for ${HOLD_KINDS.join(' or ')}.`, { place: 'kind' });
  return known;
}

function untilOf(until: Date, now: number): number {
  const at = until.getTime();
  if (!(at > now) || at > now + HOLD_MS_MAX)
    throw new CodedError('BAD_INPUT', 'A suspension ends after the present, and within six years.', { place: 'until' });
  return at;
}
