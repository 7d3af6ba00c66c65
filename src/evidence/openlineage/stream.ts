import { RunStream, type RunStreamOptions } from '../run-stream.js';
import { openLineageEvents } from './events.js';
import type { LineageMesh, RunEvent } from './model.js';

/** Gives events to an endpoint and tells the HTTP status of its answer; it throws where there is none. */
export type PostEvents = (events: readonly RunEvent[], signal: AbortSignal) => Promise<number>;

export interface LineageStreamOptions extends Omit<RunStreamOptions, 'deliver'> {
  readonly mesh: LineageMesh;
  readonly post: PostEvents;
}

/** Tells an OpenLineage endpoint of every run; events of a run are the same bytes each time that they are told. */
export class LineageStream extends RunStream {
  constructor({ mesh, post, ...options }: LineageStreamOptions) {
    super({
      ...options,
      async deliver(runs, signal) {
        const status = await post(
          runs.flatMap((run) => openLineageEvents(run, mesh)),
          signal,
        );
        return status >= 200 && status < 300 ? null : `it answered ${status}`;
      },
    });
  }
}
