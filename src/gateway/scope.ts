import {
  Patient,
  entityOf,
  isUuid,
  newUuid,
  type Action,
  type CrossTable,
  type CrossTableRequest,
  type FeatureAnswer,
  type FeatureView,
  type LabelView,
  type RowSource,
  type Scope,
  type Tag,
  type TypeThunk,
} from '../kernel/index.js';
import { edge, type PolicyClass } from '../governance/index.js';
import { rowSource, withReadSession } from '../store/index.js';
import { crossTable, crossTableTags } from './cohort.js';
import { columnEdges, sourceReadEdges } from './lineage-edges.js';
import type { ReferenceContext, ReferenceReader } from './reference.js';
import { RequestEvidence } from './evidence-desk.js';
import { RequestGoverning } from './governing.js';
import type { MeshRequest, RunOperation } from './request.js';

const PERSONS = 'persons';

type ReadSpec = { readonly of: TypeThunk; readonly columns: readonly string[] };

/** The scope of hand-written operations: every read goes through the rules of the caller's class and into the lineage of the request. */
export class RequestScope implements Scope, ReferenceContext {
  readonly policyClass: PolicyClass;

  constructor(
    private readonly request: MeshRequest,
    readonly reference: ReferenceReader,
    private readonly runOperation: RunOperation,
  ) {
    this.policyClass = request.runtime.policyClass;
    reference.traceInto(request.columns);
  }

  get governing(): Scope['governing'] {
    return new RequestGoverning(this.request);
  }

  get evidence(): Scope['evidence'] {
    return new RequestEvidence(this.request, this.runOperation);
  }

  get lineageId(): string {
    return this.request.runId;
  }

  get principal(): Scope['principal'] {
    return this.request.principal;
  }

  get now(): number {
    return this.request.now;
  }

  get views(): readonly FeatureView[] {
    return this.request.mesh.inputs.flatMap((product) => product.features ?? []);
  }

  get labelViews(): readonly LabelView[] {
    return this.request.mesh.inputs.flatMap((product) => product.label ?? []);
  }

  get records(): Scope['records'] {
    const { request } = this;
    const { records, types } = request.mesh.parts;
    return {
      insert: (of, row) => records.insert(of, row),
      find(of, where, order) {
        const { table } = entityOf(of);
        for (const column of types.get(table)?.keys() ?? []) request.columns.push(edge('records', `${table}.${column}`, 'DIRECT'));
        return records.find(of, where, order);
      },
    };
  }

  get glass(): Scope['glass'] {
    const { mesh, runId, principal } = this.request;
    return mesh.breakGlass.desk({ runId, principal });
  }

  newId(): string {
    return newUuid(this.request.mesh.parts.clock());
  }

  may(action: Action, tags: readonly Tag[]): boolean {
    return this.policyClass.decide(tags, action).alternatives.some((each) => each.mask === null);
  }

  async visiblePatients(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const wellFormed = [...new Set(ids.map((id) => id.toLowerCase()))].filter(isUuid);
    const rows = await this.read('read', ['pseudonym'], PERSONS, (source) =>
      source.rows<{ patient_id: string }>({ of: () => Patient, columns: ['patient_id'], where: { patient_id: wellFormed } }),
    );
    return new Set(rows.map((row) => row.patient_id));
  }

  async allPatients(limit: number): Promise<readonly string[]> {
    const rows = await this.read('read', ['pseudonym'], PERSONS, (source) =>
      source.rows<{ patient_id: string }>({ of: () => Patient, columns: ['patient_id'], where: {}, order: ['patient_id'], limit }),
    );
    return rows.map((row) => row.patient_id);
  }

  async labels(view: LabelView, patientIds: readonly string[], code: string): Promise<ReadonlyMap<string, 0 | 1>> {
    const tags = this.tagsOf(view.tags, view.reads);
    if (!this.may('train', tags)) return new Map();
    return this.read('train', tags, `label ${view.name}`, (source) => view.compute(source, patientIds, code));
  }

  async features(view: FeatureView, patientIds: readonly string[], asOf: number, action: 'feature' | 'train'): Promise<FeatureAnswer> {
    const tags = this.tagsOf(view.tags, view.reads);
    // A barred modality is not read at all, so neither a value nor its existence can reach a model.
    if (!this.may(action, tags)) return { frame: { n: 0, keys: [], columns: [] }, stale: [], barred: true, withheld: [] };
    const answer = await this.read(action, tags, `features ${view.modality}`, (source) => view.compute(source, patientIds, asOf));
    return { ...answer, barred: false, withheld: await this.withheld(view, patientIds, new Set([...answer.frame.keys, ...answer.stale])) };
  }

  async crossTable(request: CrossTableRequest): Promise<CrossTable> {
    const tags = crossTableTags(this.policyClass, request);
    const entity = entityOf(request.of());
    const axes = request.axes.map((axis) => axis.column);
    const columns = [...new Set([...entity.key, ...axes])];
    const { of, where, between } = request;
    // Persons who are counted do not stand behind the answer, as those who are shown do.
    const rows = await this.read(
      'count',
      tags,
      'cohort',
      (source) => source.rows({ of, columns, where, ...(between ? { between } : {}) }),
      () => undefined,
    );
    const { smallCellMin } = this.policyClass.decide(tags, 'count');
    return crossTable(request, rows, smallCellMin > 1 ? smallCellMin : 0, this.request.tell);
  }

  ingest(file: Parameters<Scope['ingest']>[0]): ReturnType<Scope['ingest']> {
    return this.request.mesh.parts.ingestion.ingest(file, this.request.principal);
  }

  release(ids: readonly string[], reason: string): ReturnType<Scope['release']> {
    return this.request.mesh.parts.ingestion.release(ids, reason, this.request.principal);
  }

  trace(facts: Readonly<Record<string, unknown>>): void {
    Object.assign(this.request.facts, facts);
  }

  /** Persons without a usable row for whom rows exist: told only to those who may account for it, and never read beyond the key. */
  private async withheld(view: FeatureView, patientIds: readonly string[], usable: ReadonlySet<string>): Promise<readonly string[]> {
    const first = view.reads[0];
    if (!first || !this.may('read', ['evidence.patients']) || !this.may('read', ['consent'])) return [];
    const missing = patientIds.filter((id) => !usable.has(id));
    if (missing.length === 0) return [];
    const entity = entityOf(first.of());
    const { table, patient } = entity;
    if (patient === undefined) return [];
    this.request.columns.push(...columnEdges(`withheld ${view.modality}`, entity, [patient]));
    const { rows } = await this.request.mesh.parts.pools.writer.query<{ id: string }>(
      `select distinct ${patient} as id from ${table} where ${patient} = any($1::uuid[])`,
      [missing],
    );
    return rows.map((row) => row.id);
  }

  private read<T>(
    action: Action,
    tags: readonly Tag[],
    name: string,
    work: (source: RowSource) => Promise<T>,
    touched = this.request.touched,
  ): Promise<T> {
    const { request } = this;
    return withReadSession(request.mesh.parts.pools.reader, request.wall, (session) =>
      work(
        rowSource(session, request.mesh.parts.types, {
          rule: (entity) => this.policyClass.rowRule(entity, tags, action),
          values: { ...request.values, args: [], after: [], cursorDigest: [] },
          now: request.now,
          touched,
          read: (what) => {
            request.columns.push(...sourceReadEdges(name, what));
          },
        }),
      ),
    );
  }

  /** Tags of a view with those of all rows and columns that it reads. */
  private tagsOf(tags: readonly Tag[], reads: readonly ReadSpec[]): readonly Tag[] {
    return [...new Set([...tags, ...this.policyClass.classification.readTags(reads)])];
  }
}
