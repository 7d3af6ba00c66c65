import { LineageStream, openLineageEvents, type LineageMesh, type PostEvents, type RunSource } from '../evidence/index.js';
import { httpsUrl, type Environment, type FeedParts } from './feeds-settings.js';

const TIMEOUT_MS = 10_000;
const RUNS_A_PAGE = 500;

/** In whose name events are told: `OPENLINEAGE_NAMESPACE` names the installation. */
export const lineageMeshOf = (env: Environment): LineageMesh => ({
  namespace: env['OPENLINEAGE_NAMESPACE'] || 'thalamus',
  producer: 'https://thalamus.local/thalamus',
});

/** Tells every run to `OPENLINEAGE_URL`, with `OPENLINEAGE_API_KEY` where the endpoint wants one; null where none is named. Throws CONFIG_INVALID. */
export function openLineageFeed(env: Environment, { cursor, source, log }: FeedParts): LineageStream | null {
  const { OPENLINEAGE_URL: url, OPENLINEAGE_API_KEY: apiKey } = env;
  if (!url) return null;
  const post = postTo(httpsUrl('OPENLINEAGE_URL', url), apiKey || null);
  return new LineageStream({ name: 'openlineage', mesh: lineageMeshOf(env), cursor, source, post, log });
}

/** One request an event, as the OpenLineage API has it. The status is that of the first that was not taken, else of the last. */
function postTo(url: string, apiKey: string | null): PostEvents {
  const headers = { 'content-type': 'application/json', ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }) };
  return async (events, signal) => {
    let status = 200;
    for (const event of events) {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify(event),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      status = response.status;
      // What it says besides is of no use here.
      await response.body?.cancel();
      if (!response.ok) break;
    }
    return status;
  };
}

/** Events of all runs of logs up to the sizes given, one JSON text each. */
export async function* lineageLines(source: RunSource, sizes: ReadonlyMap<string, number>, mesh: LineageMesh): AsyncGenerator<string> {
  for (const [logId, size] of sizes)
    for (let next = 0; next < size;) {
      const runs = await source.runsFrom(logId, next, RUNS_A_PAGE);
      const last = runs.at(-1);
      if (!last) break;
      for (const run of runs) if (run.record.seq < size) for (const event of openLineageEvents(run, mesh)) yield JSON.stringify(event);
      next = last.record.seq + 1;
    }
}
