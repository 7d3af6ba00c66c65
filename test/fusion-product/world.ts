import { frameOf, type FeatureView, type Frame, type LabelView, type Modality, type Scope, type Tag } from '../../src/kernel/index.js';
import { synthetic } from '../fusion-math/synthetic.js';

/** What exists and who may use it; a test changes one thing of it at a time. */
export interface World {
  readonly frames: Readonly<Record<string, Frame>>;
  readonly labels: ReadonlyMap<string, 0 | 1>;
  /** Persons whose rows of the modality are withheld. */
  readonly withheld?: Readonly<Record<string, readonly string[]>>;
  readonly stale?: Readonly<Record<string, readonly string[]>>;
  readonly barred?: readonly string[];
  readonly hidden?: readonly string[];
  /** Tags that may be read; the rights to tell withheld from absent by default not among them. */
  readonly readable?: readonly Tag[];
  readonly featuresVersion?: string;
}

export interface FakeScope extends Scope {
  /** Modalities whose rows were computed. */
  readonly computed: string[];
  /** Persons for whom features were asked. */
  readonly askedFor: Set<string>;
  readonly traced: Readonly<Record<string, unknown>>[];
}

export const MODALITY_NAMES: readonly Modality[] = ['GENOMICS', 'IMAGING', 'NOTES'];

/** A cohort of the product's modalities: several views of one hidden severity, each absent for some. */
export function cohort(seed: number, n = 400, modalities: readonly Modality[] = MODALITY_NAMES): World {
  const made = synthetic(seed, n, modalities.length, 4, 0.25);
  return { labels: made.labels, frames: Object.fromEntries(modalities.map((name, m) => [name, made.frames[`view${m}`]!])) };
}

export function without(frame: Frame, ids: readonly string[]): Frame {
  const rows = [...frame.keys.keys()].filter((row) => !ids.includes(frame.keys[row]!));
  const columns = frame.columns.map((column) => ({ ...column, values: Float64Array.from(rows, (row) => column.values[row]!) }));
  return frameOf(
    rows.map((row) => frame.keys[row]!),
    columns,
  );
}

/** A store that keeps what a JSON column would. */
export class Records {
  readonly rows: Record<string, unknown>[] = [];
  insert = (_of: unknown, row: Readonly<Record<string, unknown>>): Promise<void> => {
    this.rows.push(JSON.parse(JSON.stringify(row)) as Record<string, unknown>);
    return Promise.resolve();
  };
  find = (_of: unknown, where: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>[]> => {
    const found = this.rows.filter((row) => Object.entries(where).every(([name, value]) => row[name] === value));
    return Promise.resolve(found.sort((a, b) => String(b['trained_at']).localeCompare(String(a['trained_at']))));
  };
}

const labelView: LabelView = {
  name: 'condition',
  description: 'Has the condition.',
  reads: [],
  tags: ['clinical'],
  compute: () => Promise.resolve(new Map()),
};

export function scopeOf(world: World, records = new Records()): FakeScope {
  const views = Object.entries(world.frames).map(([modality, frame]): FeatureView => {
    const features = frame.columns.map(({ name, unit }) => ({ name, unit, description: `Feature ${name}.` }));
    const compute = (): Promise<never> => Promise.reject(new Error('features come through the scope'));
    return {
      modality: modality as Modality,
      version: world.featuresVersion ?? '1',
      features,
      reads: [],
      tags: ['pseudonym'],
      maxAgeDays: null,
      compute,
    };
  });
  const computed: string[] = [];
  const askedFor = new Set<string>();
  const traced: Readonly<Record<string, unknown>>[] = [];
  const hidden = new Set(world.hidden);
  const refuse = (): never => {
    throw new Error('not part of fusion');
  };
  return {
    computed,
    askedFor,
    traced,
    records,
    governing: undefined as never,
    evidence: undefined as never,
    crossTable: () => Promise.reject(new Error('fusion counts nobody')),
    glass: undefined as never,
    lineageId: '00000000-0000-4000-8000-000000000001',
    principal: { sub: 'someone', roles: [], purpose: 'HRESCH', sites: '*', kind: 'person', tokenId: 't' },
    now: Date.UTC(2026, 0, 1),
    may: (action, tags) => action === 'read' && tags.every((tag) => world.readable?.includes(tag)),
    newId: refuse,
    ingest: refuse,
    release: refuse,
    visiblePatients: (ids) => Promise.resolve(new Set(ids.filter((id) => world.labels.has(id) && !hidden.has(id)))),
    allPatients: () => Promise.resolve([...world.labels.keys()].filter((id) => !hidden.has(id)).sort()),
    views,
    labelViews: [labelView],
    labels: (_view, ids, code) => Promise.resolve(new Map(ids.map((id) => [id, code === 'rare' ? 0 : world.labels.get(id)!]))),
    features: (view, ids) => {
      ids.forEach((id) => askedFor.add(id));
      const nothing = { frame: frameOf([], []), stale: [], withheld: [] };
      if (world.barred?.includes(view.modality)) return Promise.resolve({ ...nothing, barred: true });
      computed.push(view.modality);
      const kept = world.withheld?.[view.modality] ?? [];
      const stale = world.stale?.[view.modality] ?? [];
      const frame = world.frames[view.modality]!;
      const gone = [...kept, ...stale, ...frame.keys.filter((key) => !ids.includes(key))];
      // The real scope names the withheld to those who may tell only; here always, so that fusion's own guard is tested.
      return Promise.resolve({ frame: without(frame, gone), stale, withheld: kept, barred: false });
    },
    trace: (facts) => {
      traced.push(facts);
    },
  };
}
