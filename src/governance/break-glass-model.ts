import { SCALARS, column, entity, reader, value, valueType } from '../kernel/index.js';

const evidence = { tags: ['evidence'], safeHarbor: 'none' } as const;
const office = { tags: ['evidence.patients'], safeHarbor: 'R' } as const;

/** What happened to broken glass: its end, its review. */
@entity('BreakGlassEvent', {
  description: 'The end or the review of an emergency access.',
  table: 'break_glass_event',
  key: ['event_id'],
  tags: ['evidence', 'evidence.patients'],
})
export class BreakGlassEvent {}

@valueType('BreakGlassOutcome', 'What became of an emergency access.')
export class BreakGlassOutcome {
  @value({ ...evidence, type: () => SCALARS.Boolean, required: true, description: 'Whether it still opens the records of the person.' })
  live!: boolean;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'When it ended; null while it is live.' })
  endedAt!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'Who ended it; null where its time was over.' })
  endedBy!: string | null;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'When it was reviewed; null while it waits.' })
  reviewedAt!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'Who reviewed it.' })
  reviewedBy!: string | null;
  @value({ ...evidence, type: () => SCALARS.String, description: 'JUSTIFIED, UNJUSTIFIED or REFERRED.' })
  verdict!: string | null;
  @value({ ...office, type: () => SCALARS.String, description: 'What the reviewer wrote.' })
  note!: string | null;
}

interface Event {
  readonly glass_id: string;
  readonly kind: string;
  readonly at: string;
  readonly actor: string;
  readonly verdict: string | null;
  readonly note: string | null;
}

/** An emergency access: it is kept for ever, and every one is reviewed. */
@entity('BreakGlassReview', {
  description: 'An emergency access to the records of one person, with what became of it.',
  table: 'break_glass',
  key: ['glass_id'],
  tags: ['evidence', 'evidence.patients'],
})
export class BreakGlassReview {
  @column({
    ...evidence,
    column: 'glass_id',
    type: 'uuid',
    required: true,
    tags: ['evidence', 'evidence.patients'],
    description: 'Identifier.',
  })
  id!: string;
  @column({ ...evidence, column: 'sub', type: 'text', description: 'Who broke the glass: subject of the token.' })
  principal!: string | null;
  @column({
    ...office,
    column: 'patient_id',
    type: 'uuid',
    description: 'Opaque identifier of the person; nobody may be registered under it.',
  })
  patientId!: string | null;
  @column({ ...office, column: 'reason', type: 'text', description: 'Why, as it was stated.' })
  reason!: string | null;
  @column({ ...evidence, column: 'started_at', type: 'timestamptz', description: 'From when on.' })
  startedAt!: string | null;
  @column({ ...evidence, column: 'ends_at', type: 'timestamptz', description: 'Until when at the latest.' })
  endsAt!: string | null;
  @column({ ...evidence, column: 'run_id', type: 'uuid', description: 'Lineage of the request that broke it.' })
  lineageId!: string | null;
  @reader({
    ...evidence,
    tags: ['evidence', 'evidence.patients'],
    returns: () => BreakGlassOutcome,
    list: false,
    parent: ['glass_id', 'ends_at'],
    reads: [{ of: () => BreakGlassEvent, columns: ['glass_id', 'kind', 'at', 'actor', 'verdict', 'note'] }],
    arguments: [],
    description: 'What became of it.',
    async load(source, parents) {
      const events = await source.rows<Event>({
        of: () => BreakGlassEvent,
        columns: ['glass_id', 'kind', 'at', 'actor', 'verdict', 'note'],
        where: { glass_id: parents.map((parent) => String(parent['glass_id'])) },
      });
      return parents.map((parent) => {
        const of = (kind: string): Event | undefined => events.find((each) => each.glass_id === parent['glass_id'] && each.kind === kind);
        return outcome(of('ended'), of('reviewed'), Date.parse(String(parent['ends_at'])), source.now);
      });
    },
  })
  outcome!: BreakGlassOutcome | null;
}

/** The end that nobody recorded yet is an end too. */
function outcome(ended: Event | undefined, reviewed: Event | undefined, endsAt: number, now: number): BreakGlassOutcome {
  const live = ended === undefined && endsAt > now;
  return {
    live,
    endedAt: ended?.at ?? (live ? null : new Date(endsAt).toISOString()),
    endedBy: ended && ended.actor !== 'time' ? ended.actor : null,
    reviewedAt: reviewed?.at ?? null,
    reviewedBy: reviewed?.actor ?? null,
    verdict: reviewed?.verdict ?? null,
    note: reviewed?.note ?? null,
  };
}

@valueType('BreakGlassResult', 'An emergency access as it stands.')
export class BreakGlassResult {
  @value({ ...evidence, type: () => SCALARS.ID, required: true, description: 'Identifier, to end it by.' })
  id!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'From when on.' })
  startedAt!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, required: true, description: 'Until when at the latest.' })
  endsAt!: string;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'When it ended.' })
  endedAt!: string | null;
  @value({ ...evidence, type: () => SCALARS.DateTime, description: 'When it was reviewed.' })
  reviewedAt!: string | null;
}
