import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import { CodedError, LIMITS, LINEAGE_DIRECTIONS, SCALARS, operation, type LineageDirection, type Scope } from '../kernel/index.js';
import { idOf } from './break-glass.js';
import { GrantUse, Impact, LineageGraph, PolicyAt, TrainedOn } from './lineage-graph-model.js';
import { ConsentAt, LogExamination, ModelRun, Sightings } from './sighting-model.js';

const DEPTH = 3;
const NAME = /^[\x21-\x7e]{1,200}$/;

/** Where data came from and where they went. Who sees which node is decided node by node. */
@Resolver()
export class LineageGraphQueries {
  @Query(() => LineageGraph, {
    description:
      'Lineage from some nodes on, all kinds of nodes in one graph: files, datasets, columns, fields, plans, runs, callers and models. What the caller may not see is one opaque node.',
  })
  @operation({ action: 'read', tags: ['evidence'] })
  lineageGraph(
    @Arg('roots', () => [String], { description: 'Stable names of nodes, such as column:patient.birth_date.' }) roots: string[],
    @Arg('depth', () => Int, {
      nullable: true,
      description: `Steps from the roots, at most ${LIMITS.lineage_depth_max}; ${DEPTH} where none is named.`,
    })
    depth: number | null,
    @Arg('direction', () => String, { nullable: true, description: 'UPSTREAM, DOWNSTREAM or BOTH; BOTH where none is named.' })
    direction: string | null,
    @Ctx() scope: Scope,
  ): Promise<LineageGraph> {
    return scope.evidence.lineage.graph({ roots, depth: depth ?? DEPTH, direction: directionOf(direction ?? 'BOTH') });
  }

  @Query(() => Impact, { description: 'What a column reached: plans, fields, purposes, callers and models, by UTC days.' })
  @operation({ action: 'read', tags: ['evidence'] })
  impact(
    @Arg('column', () => String, { description: 'table.column' }) column: string,
    @Arg('from', () => SCALARS.LocalDate, { description: 'First UTC day.' }) from: string,
    @Arg('to', () => SCALARS.LocalDate, { description: 'UTC day before which it ends.' }) to: string,
    @Ctx() scope: Scope,
  ): Promise<Impact> {
    return scope.evidence.lineage.impact({ column, from, to });
  }

  @Query(() => TrainedOn, { description: 'Tables with versions, columns, files, policy and consents behind a model.' })
  @operation({ action: 'read', tags: ['evidence'] })
  trainedOn(
    @Arg('model', () => ID, { description: 'id@version, or id for the newest version.' }) model: string,
    @Ctx() scope: Scope,
  ): Promise<TrainedOn> {
    return scope.evidence.lineage.trainedOn(model);
  }

  @Query(() => PolicyAt, { description: 'The policy of this installation that was in force at an instant.' })
  @operation({ action: 'govern', tags: ['catalogue'] })
  policyAt(@Arg('time', () => SCALARS.DateTime, { description: 'The instant.' }) time: Date, @Ctx() scope: Scope): Promise<PolicyAt> {
    return scope.evidence.lineage.policyAt(time.getTime());
  }

  @Query(() => [GrantUse], {
    description: 'Grants of a role in the policy in force, with the columns and actions that nobody used for 90 days.',
  })
  @operation({ action: 'govern', tags: ['catalogue'] })
  leastPrivilege(@Arg('role', () => String, { description: 'The role.' }) role: string, @Ctx() scope: Scope): Promise<readonly GrantUse[]> {
    if (!NAME.test(role)) throw new CodedError('BAD_INPUT', 'That is no name of a role.', { place: 'role' });
    return scope.evidence.lineage.leastPrivilege(role);
  }
}

/** Lineage of one person. */
@Resolver()
export class SightingQueries {
  @Query(() => Sightings, {
    description: 'Who read a person, when, for which purpose and by which document. A person of elsewhere is as unknown.',
  })
  @operation({ action: 'read', tags: ['evidence', 'evidence.patients'] })
  whoSaw(
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Arg('from', () => SCALARS.DateTime, { description: 'Answered at or after.' }) from: Date,
    @Arg('to', () => SCALARS.DateTime, { description: 'Answered before.' }) to: Date,
    @Arg('first', () => Int, { nullable: true, description: `Answers of a page, at most ${LIMITS.page_rows_max}.` }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the page before.' }) after: string | null,
    @Ctx() scope: Scope,
  ): Promise<Sightings> {
    return scope.evidence.lineage.whoSaw({
      patientId: idOf(patientId, 'patientId'),
      from: from.getTime(),
      to: to.getTime(),
      first: first ?? LIMITS.page_rows_default,
      after: after ?? null,
    });
  }

  @Query(() => [ModelRun], {
    description: 'Trainings and runs of a model that a person stood behind. A person of elsewhere is as unknown.',
  })
  @operation({ action: 'read', tags: ['evidence', 'evidence.patients'] })
  modelRuns(
    @Arg('model', () => ID, { description: 'id@version, or id for all versions.' }) model: string,
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Ctx() scope: Scope,
  ): Promise<readonly ModelRun[]> {
    return scope.evidence.lineage.modelRuns({ model, patientId: idOf(patientId, 'patientId') });
  }

  @Query(() => ConsentAt, { description: 'Consents of a person and what they permitted, as they stood at an instant.' })
  @operation({ action: 'read', tags: ['consent', 'evidence.patients'] })
  consentAt(
    @Arg('patientId', () => ID, { description: 'The person.' }) patientId: string,
    @Arg('time', () => SCALARS.DateTime, { description: 'The instant.' }) time: Date,
    @Ctx() scope: Scope,
  ): Promise<ConsentAt> {
    return scope.evidence.lineage.consentAt({ patientId: idOf(patientId, 'patientId'), time: time.getTime() });
  }

  @Query(() => LogExamination, {
    description:
      'Own records, sudden growth of persons, emergencies without a review and access after revocation, and what cannot be answered here.',
  })
  @operation({ action: 'read', tags: ['evidence', 'evidence.patients'] })
  examineLog(
    @Arg('from', () => SCALARS.DateTime, { description: 'Happened at or after.' }) from: Date,
    @Arg('to', () => SCALARS.DateTime, { description: 'Happened before.' }) to: Date,
    @Ctx() scope: Scope,
  ): Promise<LogExamination> {
    return scope.evidence.lineage.examine({ from: from.getTime(), to: to.getTime() });
  }
}

function directionOf(text: string): LineageDirection {
  const found = LINEAGE_DIRECTIONS.find((each) => each === text);
  if (!found) throw new CodedError('BAD_INPUT', `A direction is one of ${LINEAGE_DIRECTIONS.join(', ')}.`, { place: 'direction' });
  return found;
}
