import type { Anchor, RecordKind, RunSource, RunStream } from '../evidence/index.js';
import type { EvidenceStore } from '../store/index.js';
import { anchorOf, anchorSettings, type AnchorSettings } from './feeds-anchor.js';
import { openLineageFeed } from './feeds-openlineage.js';
import type { Environment, FeedParts } from './feeds-settings.js';
import { syslogFeedOf } from './feeds-syslog.js';

/** Records of the store for whoever tells them outside. */
export const runSource = (evidence: EvidenceStore): RunSource => ({
  logs: async () => (await evidence.heads()).map((head) => head.logId),
  runsFrom: (logId, next, limit) => evidence.runs.from<RecordKind>(logId, next, limit),
});

/**
 * Carries evidence outside, beside queries and never in their way: checkpoints to a witness and a place of deposit whenever one is kept; runs to an
 * OpenLineage endpoint and events to a syslog server only between `start` and `stop`. A fault of any of them is a line for the operator.
 */
export class Feeds {
  readonly anchoring: AnchorSettings;
  private readonly anchor: Anchor | null;
  private readonly streams: readonly RunStream[];

  /** Throws CONFIG_INVALID for settings that cannot be meant. */
  constructor(
    env: Environment,
    private readonly parts: FeedParts,
  ) {
    this.anchoring = anchorSettings(env);
    this.anchor = anchorOf(this.anchoring, parts);
    this.streams = [openLineageFeed(env, parts), syslogFeedOf(env, parts)].filter((each) => each !== null);
  }

  /** Hears of each checkpoint that is kept. */
  get kept(): ((logId: string, checkpoint: string) => void) | undefined {
    return this.anchor?.kept;
  }

  /** Begins to tell, and takes the heads of all logs outside, those that nobody writes any more too. */
  async start(): Promise<void> {
    for (const stream of this.streams) stream.start();
    if (!this.anchor) return;
    try {
      for (const head of await this.parts.evidence.heads()) if (head.checkpoint !== '') this.anchor.kept(head.logId, head.checkpoint);
    } catch {
      this.parts.log('ALERT the heads of the logs could not be read for the witness');
    }
  }

  /** Resolves when no stream runs any more. */
  async stop(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.stop()));
  }

  /** Resolves when no checkpoint waits any more. */
  async drain(): Promise<void> {
    await this.anchor?.drain();
  }
}
