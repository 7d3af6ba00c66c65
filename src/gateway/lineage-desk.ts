import { assertAccountingRange } from '../evidence/index.js';
import { edge } from '../governance/index.js';
import {
  CodedError,
  LIMITS,
  MODALITIES,
  isUuid,
  type ConsentAtFacts,
  type ExaminationFacts,
  type GrantUseFacts,
  type GraphQuestion,
  type ImpactFacts,
  type LineageDesk,
  type LineageGraphFacts,
  type ModelRunFacts,
  type PolicyAtFacts,
  type SightingsFacts,
  type SightingsQuestion,
  type TrainedOnFacts,
} from '../kernel/index.js';
import {
  LineageGraphStore,
  catchUpUsage,
  columnImpact,
  consentAt,
  disclosureEvents,
  filesBehind,
  glassOver,
  planColumns,
  policyInForceAt,
  runDetails,
  trainedModel,
  type DisclosedRun,
  type DisclosureEvents,
  type RunDetails,
} from '../store/index.js';
import { examineLog } from './examine-log.js';
import { leastPrivilege } from './least-privilege.js';
import { cursorOf, isDay, iso, modelOf, readCursor, sighting, textsOf, use } from './lineage-told.js';
import { LineageSight } from './lineage-sight.js';
import { LineageWalk } from './lineage-walk.js';
import type { MeshRequest } from './request.js';

const COLUMN = /^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$/;
const MODEL = /^[a-z0-9][a-z0-9._-]{0,63}(?:@[0-9a-f]{1,64})?$/;

/** What each question reads, for the lineage of the request. */
const READS = {
  lineageGraph: [
    'lineage_plan.columns',
    'lineage_usage.plan_digest',
    'lineage_load.digest',
    'lineage_model.model_id',
    'lineage_run.versions',
  ],
  impact: ['lineage_plan.columns', 'lineage_run.plan_digest', 'lineage_run.principal', 'lineage_model.model_id'],
  whoSaw: [
    'patient.patient_id',
    'lineage_patient_set.ordinals',
    'lineage_run.at',
    'lineage_run.principal',
    'lineage_run.purpose',
    'break_glass.patient_id',
  ],
  modelRuns: ['patient.patient_id', 'lineage_patient_set.ordinals', 'lineage_run.at', 'lineage_run.principal', 'lineage_run.facts'],
  trainedOn: ['fusion_model.card', 'lineage_run.versions', 'lineage_plan.columns', 'lineage_load.digest'],
  policyAt: ['policy_event.document', 'lineage_plan.policy_version'],
  consentAt: ['consent.provisions', 'consent_effect.purpose', 'dataset_change.at'],
  leastPrivilege: ['lineage_usage.roles', 'lineage_plan.columns'],
  examineLog: ['lineage_usage.persons', 'break_glass.glass_id', 'token_revocation.value_digest', 'lineage_caller.caller'],
} as const;

/** Lineage as hand-written operations ask for it. Who may ask was decided before; which nodes and persons the caller knows of is decided here. */
export class RequestLineage implements LineageDesk {
  private readonly sight: LineageSight;
  private readonly events: DisclosureEvents;

  constructor(private readonly request: MeshRequest) {
    this.sight = new LineageSight(request);
    this.events = disclosureEvents(this.pool);
  }

  async graph({ roots, depth, direction }: GraphQuestion): Promise<LineageGraphFacts> {
    await this.reads('lineageGraph');
    const { lineage_roots_max: most, lineage_depth_max: deepest } = LIMITS;
    if (roots.length === 0) throw new CodedError('BAD_INPUT', 'A graph begins at some node.', { place: 'roots' });
    if (roots.length > most) throw new CodedError('LIMIT_EXCEEDED', `A graph begins at no more than ${most} nodes.`, { place: 'roots' });
    if (depth < 0) throw new CodedError('BAD_INPUT', 'A depth is not negative.', { place: 'depth' });
    if (depth > deepest) throw new CodedError('LIMIT_EXCEEDED', `A graph goes no further than ${deepest} steps.`, { place: 'depth' });
    const { evidence } = this.request.mesh.parts;
    return new LineageWalk(new LineageGraphStore(this.pool), evidence, this.sight).from(roots, depth, direction);
  }

  async impact({ column, from, to }: { column: string; from: string; to: string }): Promise<ImpactFacts> {
    await this.reads('impact');
    if (!COLUMN.test(column)) throw new CodedError('BAD_INPUT', 'A column is named table.column.', { place: 'column' });
    if (!isDay(from) || !isDay(to) || from > to) throw new CodedError('BAD_INPUT', 'The days run back.', { place: 'from' });
    if (!this.sight.column(column)) throw new CodedError('NOT_FOUND', 'There is no such column.', { place: 'column' });
    const { plans, purposes, principals, models } = await columnImpact(this.pool, column, from, to, this.sight.sub);
    const all = plans.map(use);
    return {
      column,
      runs: all.reduce((sum, each) => sum + each.runs, 0),
      firstAt: all.map((each) => each.firstAt).sort()[0] ?? null,
      lastAt:
        all
          .map((each) => each.lastAt)
          .sort()
          .at(-1) ?? null,
      plans: plans.map((plan) => ({ ...use(plan), plan: plan.plan, fields: plan.fields })),
      purposes: purposes.map((each) => ({ ...use(each), purpose: each.purpose })),
      principals: this.sight.all ? principals.map((each) => ({ ...use(each), principal: each.principal })) : null,
      models: this.sight.models ? models : [],
    };
  }

  async whoSaw({ patientId, from, to, first, after }: SightingsQuestion): Promise<SightingsFacts> {
    const { now } = this.request;
    assertAccountingRange(from, to, now);
    if (first < 1 || first > LIMITS.page_rows_max)
      throw new CodedError('BAD_INPUT', `A page has 1 to ${LIMITS.page_rows_max} entries.`, { place: 'first' });
    const cursor = after === null ? null : readCursor(after, { patientId, from, to });
    const { id, ordinal } = await this.person(patientId);
    await this.reads('whoSaw');
    const runs = await this.events.runsAbout(ordinal, cursor ? Math.max(from, cursor.at) : from, to);
    const left = cursor ? runs.filter((run) => run.at > cursor.at || (run.at === cursor.at && run.runId > cursor.run)) : runs;
    const page = left.slice(0, first);
    const details = await this.details(page);
    const glass = await glassOver(this.pool, id);
    const last = page.at(-1);
    return {
      sightings: page.map((run) => sighting(run, details.get(run.runId), glass)),
      next: last && left.length > page.length ? cursorOf(last, { patientId, from, to }) : null,
    };
  }

  async modelRuns({ model, patientId }: { model: string; patientId: string }): Promise<readonly ModelRunFacts[]> {
    if (!MODEL.test(model)) throw new CodedError('BAD_INPUT', 'A model is named id or id@version.', { place: 'model' });
    const { ordinal } = await this.person(patientId);
    await this.reads('modelRuns');
    const runs = (await this.events.runsAbout(ordinal, 0, this.request.now + 1)).flatMap((run) => {
      const told = modelOf(run.facts);
      return told && (told.name === model || told.id === model) ? [{ run, told }] : [];
    });
    if (runs.length > LIMITS.lineage_nodes_max)
      throw new CodedError('LIMIT_EXCEEDED', `At most ${LIMITS.lineage_nodes_max} runs are told; name a version.`, { place: 'model' });
    const details = await this.details(runs.map((each) => each.run));
    return runs.map(({ run, told }) => ({
      run: run.runId,
      at: iso(run.at),
      model: told.name,
      act: told.trained ? 'TRAIN' : 'RUN',
      principal: details.get(run.runId)?.principal ?? null,
      purpose: run.purpose,
      modalities: textsOf(run.facts['modalities']),
    }));
  }

  async trainedOn(model: string): Promise<TrainedOnFacts> {
    await this.reads('trainedOn');
    if (!MODEL.test(model)) throw new CodedError('BAD_INPUT', 'A model is named id or id@version.', { place: 'model' });
    const found = this.sight.models ? await trainedModel(this.pool, model) : null;
    if (!found) throw new CodedError('NOT_FOUND', 'There is no such model.', { place: 'model' });
    const run = await this.request.mesh.parts.evidence.pastRun(found.runId);
    const columns = run?.planDigest ? await planColumns(this.pool, run.planDigest) : [];
    const tables = [
      ...new Set([...Object.keys(run?.versions ?? {}), ...columns.map(({ name }) => name.slice(0, name.indexOf('.')))]),
    ].sort();
    const [seenTables, seenColumns] = [
      tables.filter((table) => this.sight.dataset(table)),
      columns.filter(({ name }) => this.sight.column(name)),
    ];
    const own = this.sight.run(found.trainedBy);
    return {
      model: found.id,
      hash: found.hash,
      state: found.state,
      label: found.label,
      persons: found.persons,
      events: found.events,
      trainedAt: found.trainedAt.toISOString(),
      run: own ? found.runId : null,
      trainedBy: own ? found.trainedBy : null,
      policyVersion: run?.policyVersion ?? null,
      trainingData: found.trainingData,
      consentVersion: run?.versions['consent_effect'] ?? null,
      features: Object.entries(found.features ?? {}).map(([modality, version]) => ({ modality, version })),
      datasets: seenTables.map((name) => ({ name, version: run?.versions[name] ?? null })),
      columns: seenColumns,
      hidden: seenTables.length < tables.length || seenColumns.length < columns.length,
      files: this.sight.all && run ? await filesBehind(this.pool, run.versions) : null,
    };
  }

  async policyAt(time: number): Promise<PolicyAtFacts> {
    await this.reads('policyAt');
    this.assertPast(time);
    const { row, firstAt, recorded } = await policyInForceAt(this.pool, time);
    return {
      at: iso(time),
      version: row?.version ?? null,
      digest: row?.digest ?? null,
      document: row?.document ?? {},
      proposedBy: row?.proposedBy ?? null,
      decidedBy: row?.decidedBy ?? null,
      inForceFrom: row?.from.toISOString() ?? null,
      inForceTo: (row ? row.to : firstAt)?.toISOString() ?? null,
      recorded,
    };
  }

  async consentAt({ patientId, time }: { patientId: string; time: number }): Promise<ConsentAtFacts> {
    this.assertPast(time);
    const { id } = await this.person(patientId);
    await this.reads('consentAt');
    const { version, consents, permits } = await consentAt(this.pool, id, time);
    const text = (date: Date | null): string | null => date?.toISOString() ?? null;
    return {
      at: iso(time),
      version,
      consents: consents.map((each) => ({
        ...each,
        decidedAt: text(each.decidedAt),
        knownFrom: text(each.knownFrom),
        knownTo: text(each.knownTo),
      })),
      permits: permits.map(({ categories, validFrom, validTo, ...each }) => ({
        ...each,
        modalities: Object.entries(MODALITIES).flatMap(([modality, bit]) => ((categories & bit) > 0 ? [modality] : [])),
        validFrom: text(validFrom),
        validTo: text(validTo),
      })),
    };
  }

  async leastPrivilege(role: string): Promise<readonly GrantUseFacts[]> {
    await this.reads('leastPrivilege');
    return leastPrivilege(this.request.mesh, role, this.request.now);
  }

  async examine({ from, to }: { from: number; to: number }): Promise<ExaminationFacts> {
    await this.reads('examineLog');
    const { now, mesh } = this.request;
    assertAccountingRange(from, to, now);
    return examineLog(mesh.parts.pools.writer, this.events, this.request.touched, { from, to, now });
  }

  private get pool() {
    return this.request.mesh.parts.pools.writer;
  }

  /** What a question reads, for the lineage of the request; what is counted by day is brought up to now. */
  private async reads(question: keyof typeof READS): Promise<void> {
    await catchUpUsage(this.pool);
    for (const source of READS[question]) this.request.columns.push(edge(`Query.${question}`, source, 'DIRECT'));
  }

  /** Who stands behind runs, packed ones too. */
  private async details(runs: readonly DisclosedRun[]): Promise<ReadonlyMap<string, RunDetails>> {
    const known = new Map(
      await runDetails(
        this.pool,
        runs.map((run) => run.runId),
      ),
    );
    for (const { runId } of runs) {
      if (known.has(runId)) continue;
      const past = await this.request.mesh.parts.evidence.pastRun(runId);
      if (past) known.set(runId, { ...past, plan: past.planDigest, caller: null });
    }
    return known;
  }

  private assertPast(time: number): void {
    if (!Number.isFinite(time) || time > this.request.now) throw new CodedError('BAD_INPUT', 'The instant lies ahead.', { place: 'time' });
  }

  /** A person whom the caller may ask about: registered, and of a site of the caller. The request is then about this person. */
  private async person(patientId: string): Promise<{ id: string; ordinal: number }> {
    const { sites } = this.request.principal;
    const id = patientId.toLowerCase();
    const found = isUuid(id) ? await this.events.personOf(id) : null;
    if (!found || (sites !== '*' && !sites.includes(found.siteId)))
      throw new CodedError('NOT_FOUND', 'There is no such person.', { place: 'patientId' });
    this.request.touched([id]);
    return { id, ordinal: found.ordinal };
  }
}
