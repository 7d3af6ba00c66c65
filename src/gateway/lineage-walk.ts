import {
  CodedError,
  LIMITS,
  type LineageDirection,
  type LineageGraphFacts,
  type LineageLinkFacts,
  type LineageNodeFacts,
} from '../kernel/index.js';
import type { EvidenceStore, LineageGraphStore, StoredLink, StoredRun } from '../store/index.js';
import { HIDDEN, nodeName, ownName, type NodeName } from './lineage-nodes.js';
import type { LineageSight } from './lineage-sight.js';

type Way = Exclude<LineageDirection, 'BOTH'>;
/** Nodes of one step by kind. */
type Frontier = ReadonlyMap<NodeName['kind'], readonly NodeName[]>;

const DOCUMENT_LETTERS = 200;

/**
 * Walks the graph of lineage for one caller, a step of all nodes at a time: so many statements as there are kinds of nodes in a step, however many nodes
 * there are. What is hidden becomes one node without name; nothing is told of an edge to it, and nothing is walked behind it.
 */
export class LineageWalk {
  private readonly nodes = new Map<string, NodeName>();
  private readonly edges = new Map<string, LineageLinkFacts>();
  private readonly runs = new Map<string, StoredRun>();

  constructor(
    private readonly store: LineageGraphStore,
    private readonly evidence: EvidenceStore,
    private readonly sight: LineageSight,
  ) {}

  async from(roots: readonly string[], depth: number, direction: LineageDirection): Promise<LineageGraphFacts> {
    const names = [...new Map(roots.map((root, i) => nodeName(root, `roots.${i}`)).map((name) => [name.id, name])).values()];
    const seen = await this.visibleRoots(names);
    const missing = names.findIndex((name) => !seen.has(name.id));
    if (missing >= 0) throw new CodedError('NOT_FOUND', 'There is no such node.', { place: `roots.${missing}` });
    for (const name of names) this.nodes.set(name.id, name);
    const ways: readonly Way[] = direction === 'BOTH' ? ['UPSTREAM', 'DOWNSTREAM'] : [direction];
    for (const way of ways) await this.walk(names, depth, way);
    return this.told();
  }

  private async walk(names: readonly NodeName[], depth: number, way: Way): Promise<void> {
    const walked = new Set(names.map((name) => name.id));
    let next: readonly NodeName[] = names;
    for (let step = 0; step < depth && next.length > 0; step++) {
      const frontier = byKind(next);
      await this.learnRuns(frontier.get('RUN') ?? []);
      const found: NodeName[] = [];
      for (const link of await (way === 'UPSTREAM' ? this.upstream(frontier) : this.downstream(frontier))) {
        const far = this.add(link, way);
        if (far && !walked.has(far.id)) {
          walked.add(far.id);
          found.push(far);
        }
      }
      next = found;
    }
  }

  /** Keeps an edge; the node at its far end, where it is one to go on from. */
  private add(link: StoredLink, way: Way): NodeName | null {
    const far = way === 'UPSTREAM' ? link.from : link.to;
    const near = way === 'UPSTREAM' ? link.to : link.from;
    const name = far === HIDDEN.id ? null : ownName(far);
    if (!name || !this.shows(name)) {
      const [from, to] = way === 'UPSTREAM' ? [HIDDEN.id, near] : [near, HIDDEN.id];
      this.edges.set(`${from} ${to}`, { from, to, type: null, masking: null, runs: null, version: null });
      return null;
    }
    this.nodes.set(name.id, name);
    const { from, to, type = null, masking = null, runs = null, version = null } = link;
    this.edges.set([from, to, type, masking, version].join(' '), { from, to, type, masking, runs, version });
    if (this.nodes.size > LIMITS.lineage_nodes_max || this.edges.size > LIMITS.lineage_edges_max)
      throw new CodedError(
        'LIMIT_EXCEEDED',
        `A graph has at most ${LIMITS.lineage_nodes_max} nodes and ${LIMITS.lineage_edges_max} edges: ask for fewer roots or steps.`,
        { place: 'depth' },
      );
    return name;
  }

  /** What datasets, columns and files are; runs, plans and models of others were left out where they were read. */
  private shows({ kind, key }: NodeName): boolean {
    if (kind === 'DATASET') return this.sight.dataset(key);
    if (kind === 'COLUMN') return this.sight.column(key);
    if (kind === 'FILE') return this.sight.all;
    if (kind === 'MODEL') return this.sight.models;
    if (kind === 'PRINCIPAL') return this.sight.run(key);
    return true;
  }

  private async downstream(frontier: Frontier): Promise<StoredLink[]> {
    const { store, sight } = this;
    const { sub } = sight;
    const keys = keysOf(frontier);
    const columns = keys('COLUMN');
    const plans = keys('PLAN');
    const models = keys('MODEL');
    const runs = this.known(frontier);
    const links: StoredLink[] = [
      ...keys('DATASET').flatMap((table) =>
        sight.columnsOf(table).map((column) => ({ from: `dataset:${table}`, to: `column:${table}.${column}` })),
      ),
      ...(frontier.get('FIELD') ?? []).map((field) => ({ from: field.id, to: `plan:${field.key}` })),
      ...runs.map((run) => ({ from: `run:${run.runId}`, to: `principal:${run.principal}` })),
      ...runs.flatMap((run) => (run.model !== null && run.trained ? { from: `run:${run.runId}`, to: `model:${run.model}` } : [])),
    ];
    if (columns.length > 0) links.push(...(await store.fieldsOf(columns, sub)));
    if (plans.length > 0) links.push(...(await store.runsOf(plans, sub)));
    if (models.length > 0) links.push(...(await store.modelLinks(models, 'run', sub)));
    if (runs.length > 0)
      links.push(
        ...(await store.loadedBy(
          'run_id',
          runs.map((run) => run.runId),
        )),
      );
    if (frontier.has('FILE')) links.push(...(await store.loads('digest', keys('FILE'))));
    if (sub === null) return links;
    if (columns.length > 0)
      links.push(...(await store.columnsOfOthers(columns, sub)).map((column) => ({ from: `column:${column}`, to: HIDDEN.id })));
    if (plans.length > 0) links.push(...(await store.plansOfOthers(plans, sub)).map((plan) => ({ from: `plan:${plan}`, to: HIDDEN.id })));
    if (models.length > 0)
      links.push(...(await store.modelsOfOthers(models, 'run', sub)).map((model) => ({ from: `model:${model}`, to: HIDDEN.id })));
    return links;
  }

  private async upstream(frontier: Frontier): Promise<StoredLink[]> {
    const { store, sight } = this;
    const { sub } = sight;
    const keys = keysOf(frontier);
    const models = keys('MODEL');
    const plans = keys('PLAN');
    const runs = this.known(frontier);
    const links: StoredLink[] = [
      ...keys('COLUMN').map((column) => ({ from: `dataset:${column.slice(0, column.indexOf('.'))}`, to: `column:${column}` })),
      ...runs.flatMap((run) => (run.plan === null ? [] : { from: `plan:${run.plan}`, to: `run:${run.runId}` })),
      ...runs.flatMap((run) => (run.model === null || run.trained ? [] : { from: `model:${run.model}`, to: `run:${run.runId}` })),
      ...runs.flatMap((run) =>
        run.plan === null
          ? []
          : Object.entries(run.versions).map(([table, version]) => ({ from: `dataset:${table}`, to: `run:${run.runId}`, version })),
      ),
    ];
    if (plans.length > 0)
      for (const field of new Set((await store.columnsOf(plans)).map((link) => link.to)))
        links.push({ from: field, to: `plan:${ownName(field).key}` });
    const fields = new Set((frontier.get('FIELD') ?? []).map((field) => field.id));
    if (fields.size > 0) links.push(...(await store.columnsOf([...new Set(keys('FIELD'))])).filter((link) => fields.has(link.to)));
    if (models.length > 0) links.push(...(await store.modelLinks(models, 'train', sub)));
    if (frontier.has('DATASET')) links.push(...(await store.loads('dataset', keys('DATASET'))));
    if (frontier.has('FILE')) links.push(...(await store.loadedBy('digest', keys('FILE'))));
    if (frontier.has('PRINCIPAL')) links.push(...(await store.runsBy(keys('PRINCIPAL'))));
    if (sub !== null && models.length > 0)
      links.push(...(await store.modelsOfOthers(models, 'train', sub)).map((model) => ({ from: HIDDEN.id, to: `model:${model}` })));
    return links;
  }

  private known(frontier: Frontier): StoredRun[] {
    return (frontier.get('RUN') ?? []).flatMap((name) => this.runs.get(name.key) ?? []);
  }

  /** Runs are rows, or packed where they are old. */
  private async learnRuns(names: readonly NodeName[]): Promise<void> {
    const wanted = names.map((name) => name.key).filter((key) => !this.runs.has(key));
    if (wanted.length === 0) return;
    for (const run of await this.store.runs(wanted)) this.runs.set(run.runId, run);
  }

  private async visibleRoots(names: readonly NodeName[]): Promise<ReadonlySet<string>> {
    const by = byKind(names);
    const keys = keysOf(by);
    const { store, sight } = this;
    const seen = new Set<string>();
    const take = (prefix: string, found: readonly string[]): void => found.forEach((key) => seen.add(`${prefix}:${key}`));
    take(
      'dataset',
      keys('DATASET').filter((table) => sight.dataset(table)),
    );
    take(
      'column',
      keys('COLUMN').filter((column) => sight.column(column)),
    );
    if (by.has('PLAN')) take('plan', await store.plansSeen(keys('PLAN'), sight.sub));
    if (by.has('FIELD')) {
      const plans = await store.plansSeen(keys('FIELD'), sight.sub);
      for (const link of await store.columnsOf(plans)) seen.add(link.to);
    }
    if (by.has('RUN')) {
      await this.learnRuns(by.get('RUN') ?? []);
      for (const key of keys('RUN')) if (!this.runs.has(key)) await this.learnPast(key);
      take(
        'run',
        this.known(by)
          .filter((run) => sight.run(run.principal))
          .map((run) => run.runId),
      );
    }
    if (by.has('FILE') && sight.all) take('file', await store.existing('file', keys('FILE')));
    if (by.has('MODEL') && sight.models) take('model', await store.existing('model', keys('MODEL')));
    if (by.has('PRINCIPAL'))
      take(
        'principal',
        await store.existing(
          'principal',
          keys('PRINCIPAL').filter((sub) => sight.run(sub)),
        ),
      );
    return seen;
  }

  private async learnPast(runId: string): Promise<void> {
    const past = await this.evidence.pastRun(runId);
    if (!past) return;
    const model = past.facts['model'] as { id?: string; version?: string; known?: boolean } | undefined;
    this.runs.set(runId, {
      runId,
      at: new Date(past.at),
      principal: past.principal,
      plan: past.planDigest,
      versions: past.versions,
      model: model?.id !== undefined && model.version !== undefined ? `${model.id}@${model.version}` : null,
      trained: model?.known !== undefined,
    });
  }

  private async told(): Promise<LineageGraphFacts> {
    const plans = [...this.nodes.values()].filter((name) => name.kind === 'PLAN').map((name) => name.key);
    const documents = plans.length === 0 ? new Map<string, string>() : await this.store.documents(plans, DOCUMENT_LETTERS);
    await this.learnRuns([...this.nodes.values()].filter((name) => name.kind === 'RUN'));
    const nodes = [...this.nodes.values()].map((name): LineageNodeFacts => ({
      id: name.id,
      kind: name.kind,
      name: this.nameOf(name, documents),
      hidden: false,
    }));
    const edges = [...this.edges.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, edge]) => edge);
    const hidden = edges.some((edge) => edge.from === HIDDEN.id || edge.to === HIDDEN.id);
    return { nodes: [...nodes.sort((a, b) => (a.id < b.id ? -1 : 1)), ...(hidden ? [HIDDEN] : [])], edges };
  }

  private nameOf({ id, kind, key }: NodeName, documents: ReadonlyMap<string, string>): string | null {
    if (kind === 'DATASET') return this.sight.nameOf(key);
    if (kind === 'COLUMN') return `${this.sight.nameOf(key.slice(0, key.indexOf('.')))}${key.slice(key.indexOf('.'))}`;
    if (kind === 'FIELD') return id.slice(id.indexOf('#') + 1);
    if (kind === 'PLAN') return documents.get(key) ?? null;
    if (kind === 'RUN') return this.runs.get(key)?.at.toISOString() ?? null;
    return kind === 'FILE' ? null : key;
  }
}

const keysOf =
  (by: Frontier) =>
  (kind: NodeName['kind']): readonly string[] =>
    (by.get(kind) ?? []).map((name) => name.key);

function byKind(names: readonly NodeName[]): Frontier {
  const groups = new Map<NodeName['kind'], NodeName[]>();
  for (const name of names) {
    const group = groups.get(name.kind);
    if (group) group.push(name);
    else groups.set(name.kind, [name]);
  }
  return groups;
}
