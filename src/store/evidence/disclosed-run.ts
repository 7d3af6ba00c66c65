import type { LineageEdge, PlanDecision } from '../../kernel/index.js';

/** An answer that left and that a person stood behind. */
export interface DisclosedRun {
  readonly runId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly purpose: string;
  /** Id of the recipient; null where none was recorded. */
  readonly recipient: string | null;
  /** Persons behind it. */
  readonly persons: number;
  /** Columns with their influence (table.column); empty for a file. */
  readonly columns: readonly Pick<LineageEdge, 'source' | 'type'>[];
  readonly decisions: readonly PlanDecision[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Whom the runs of a protocol were about. Instants are milliseconds since 1970; null where there was none. */
export interface ProtocolReach {
  readonly persons: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}
