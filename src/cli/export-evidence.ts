import { open, rename } from 'node:fs/promises';
import type { RecordKind } from '../evidence/index.js';
import { eventsOfRecords, siteAt } from '../gateway/index.js';
import { runSource } from './feeds.js';
import { lineageLines, lineageMeshOf } from './feeds-openlineage.js';
import { withPersons } from './feeds-syslog.js';
import { put } from './output.js';
import { recordAct } from './record-act.js';
import type { Running } from './wire.js';

const RUNS_A_PAGE = 500;

interface Exported {
  readonly events: number;
  readonly records: number;
}

/** Every log with how far it goes now: what an export says of itself stands behind that. */
async function sizesOf({ evidence }: Running): Promise<Map<string, number>> {
  return new Map((await evidence.heads()).map((head) => [head.logId, head.size]));
}

const total = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((sum, size) => sum + size, 0);

/** Writes the OpenLineage events of all runs, one a line, to a file or to stdout. The export is recorded before the first of them leaves. */
export async function exportLineage(running: Running, file: string | null): Promise<Exported> {
  const sizes = await sizesOf(running);
  const records = total(sizes);
  await recordAct(running, { act: 'lineage export', log: 'exported', format: 'openlineage', logs: sizes.size, records });
  const lines = lineageLines(runSource(running.evidence), sizes, lineageMeshOf(process.env));
  let events = 0;
  if (file === null) {
    for await (const line of lines) {
      put(line);
      events += 1;
    }
    return { events, records };
  }
  events = await writeLines(file, lines);
  await rename(draftOf(file), file);
  return { events, records };
}

/** Writes FHIR R4 AuditEvents of all records, one a line, the logs one behind the other. The file gets its name once the export with all persons in it is recorded. */
export async function exportAuditEvents(running: Running, file: string): Promise<Exported> {
  const { evidence } = running;
  const sizes = await sizesOf(running);
  const records = total(sizes);
  const persons = new Set<string>();
  async function* lines(): AsyncGenerator<string> {
    for (const [logId, size] of sizes)
      for (let next = 0; next < size;) {
        const runs = await evidence.runs.from<RecordKind>(logId, next, RUNS_A_PAGE);
        const last = runs.at(-1);
        if (!last) break;
        const wanted = runs.filter(({ record }) => record.seq < size);
        const told = await eventsOfRecords(evidence.keys, await withPersons(evidence, wanted), siteAt('urn:thalamus:gateway'), true);
        for (const event of told.flat()) {
          for (const { what } of event.entity)
            if (what?.reference?.startsWith(PATIENT) === true) persons.add(what.reference.slice(PATIENT.length));
          yield JSON.stringify(event);
        }
        next = last.record.seq + 1;
      }
  }
  const events = await writeLines(file, lines());
  await recordAct(running, { act: 'audit export', log: 'exported', format: 'fhir', logs: sizes.size, records, events }, persons);
  await rename(draftOf(file), file);
  return { events, records };
}

const PATIENT = 'Patient/';
const draftOf = (file: string): string => `${file}.part`;

/** Writes a draft beside the file; the number of its lines. */
async function writeLines(file: string, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  const handle = await open(draftOf(file), 'w', 0o600);
  try {
    for await (const line of lines) {
      await handle.write(`${line}\n`);
      count += 1;
    }
    await handle.sync();
    return count;
  } finally {
    await handle.close();
  }
}
