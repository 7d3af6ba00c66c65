import { Arg, Ctx, ID, Int, Mutation, Resolver } from 'type-graphql';
import { CodedError, collection, operation, queries, type BrokenGlass, type Scope } from '../kernel/index.js';
import { assertPerson, idOf, minutesOf, reasonOf, verdictOf } from './break-glass.js';
import { BreakGlassResult, BreakGlassReview } from './break-glass-model.js';

/** The queue of the privacy officer. */
@queries()
export class BreakGlassQueries {
  @collection({
    of: () => BreakGlassReview,
    on: [],
    filters: [
      { argument: 'principal', description: 'Only of this subject.', type: 'String', column: 'sub', operator: 'eq' },
      { argument: 'patientId', description: 'Only for this person.', type: 'ID', column: 'patient_id', operator: 'eq' },
      { argument: 'from', description: 'Broken at or after.', type: 'DateTime', column: 'started_at', operator: 'gte' },
      { argument: 'to', description: 'Broken before.', type: 'DateTime', column: 'started_at', operator: 'lt' },
    ],
    orders: [
      { name: 'NEWEST', column: 'started_at', type: 'timestamptz', descending: true },
      { name: 'OLDEST', column: 'started_at', type: 'timestamptz' },
    ],
    tags: ['evidence.patients'],
    safeHarbor: 'none',
    description: 'Every emergency access with its review.',
  })
  breakGlassReviews!: unknown;
}

/** Emergency access: one person, for some minutes, with a reason, and never unseen. */
@Resolver()
export class BreakGlassMutations {
  @Mutation(() => BreakGlassResult, {
    description:
      'Opens the records of one person to the caller for reading, beyond site and consent, from the next request on. Alerts the privacy office. An identifier of nobody gives the same answer.',
  })
  @operation({ action: 'emergency', tags: ['pseudonym'] })
  async breakGlass(
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Arg('reason', () => String, { description: 'Why it cannot wait: at least 10 characters on one line; the privacy officer reads it.' })
    reason: string,
    @Arg('minutes', () => Int, { description: 'For how long, from 1 to 60.' }) minutes: number,
    @Ctx() scope: Scope,
  ): Promise<BreakGlassResult> {
    assertPerson(scope.principal);
    const request = { patientId: idOf(patientId, 'patientId'), reason: reasonOf(reason, 'reason'), minutes: minutesOf(minutes) };
    return traced(scope, await scope.glass.open(request));
  }

  @Mutation(() => BreakGlassResult, { description: 'Ends an emergency access before its time: ones own, or any for the privacy officer.' })
  @operation({ action: 'emergency', tags: ['evidence'] })
  async endBreakGlass(
    @Arg('id', () => ID, { description: 'The emergency access.' }) id: string,
    @Ctx() scope: Scope,
  ): Promise<BreakGlassResult> {
    assertPerson(scope.principal);
    const whose = scope.may('emergency', ['evidence.patients']) ? 'any' : 'own';
    return traced(scope, await scope.glass.end(idOf(id, 'id'), whose));
  }

  @Mutation(() => BreakGlassResult, { description: 'Closes the review of an emergency access that is over.' })
  @operation({ action: 'emergency', tags: ['evidence', 'evidence.patients'] })
  async reviewBreakGlass(
    @Arg('id', () => ID, { description: 'The emergency access.' }) id: string,
    @Arg('verdict', () => String, { description: 'JUSTIFIED, UNJUSTIFIED or REFERRED.' }) verdict: string,
    @Arg('note', () => String, { description: 'What was found: at least 10 characters on one line.' }) note: string,
    @Ctx() scope: Scope,
  ): Promise<BreakGlassResult> {
    assertPerson(scope.principal);
    const reviewed = await scope.glass.review(idOf(id, 'id'), verdictOf(verdict), reasonOf(note, 'note'));
    if (reviewed) scope.trace({ verdict });
    return traced(scope, reviewed);
  }
}

/** One answer for what never was, is another's, or is done already. */
function traced(scope: Scope, glass: BrokenGlass | null): BreakGlassResult {
  if (!glass) throw new CodedError('NOT_FOUND', 'There is no such emergency access to change.', { place: 'id' });
  scope.trace({ glass: glass.id });
  return { ...glass };
}
