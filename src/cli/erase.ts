import type { Command } from 'commander';
import { erasePatient, type PatientErasure } from '../gateway/index.js';
import { CodedError } from '../kernel/index.js';
import { scrub, type Scrub } from '../store/index.js';
import { EXIT, put, say } from './output.js';
import { OPERATOR, type Running } from './wire.js';

type Act = (work: (running: Running) => Promise<number>) => Promise<void>;

interface EraseOptions {
  readonly patient?: string;
  readonly reason?: string;
  readonly scrub?: boolean;
  readonly json?: boolean;
}

/** Takes a person out of everything, then out of the files of the database. */
export function eraseVerb(verb: (name: string, description: string) => Command, act: Act): void {
  verb('erase', 'erases a person: rows, past versions, files and key, and what is left of them in the files of the database')
    .option('--patient <id>', 'identifier of the person')
    .option('--reason <text>', 'why; a digest of it is recorded')
    .option('--scrub', 'only clear the files of the database again, after an erasure')
    .action(async (options: EraseOptions) => {
      await act((running) => erase(running, options));
    });
}

async function erase(running: Running, { patient, reason, scrub: only, json }: EraseOptions): Promise<number> {
  const named = patient !== undefined && reason !== undefined;
  if (named === (only === true) || (only === true && (patient ?? reason) !== undefined))
    throw new CodedError('BAD_INPUT', 'Either --patient and --reason are given, or --scrub alone.');
  const erased = named ? await erasePatient(running.mesh, { patientId: patient, reason, by: OPERATOR }) : null;
  if (erased) say('Erased; the files of the database are scrubbed now. If that is cut off: thalamus erase --scrub');
  const scrubbed = await scrub(running.pools.owner);
  if (json === true) put(JSON.stringify({ ...(erased ? factsOf(erased) : {}), scrub: scrubbed }));
  else tell(erased, scrubbed);
  return erased !== null && erased.files.shared.length > 0 ? EXIT.partly : EXIT.fine;
}

const factsOf = ({ ordinal, rows, kept, files, versions, receipt }: PatientErasure): Readonly<Record<string, unknown>> => ({
  ordinal,
  rows,
  kept,
  files,
  versions,
  receipt,
});

function tell(erased: PatientErasure | null, { tables, wal, operator }: Scrub): void {
  if (erased) {
    const rows = Object.values(erased.rows).reduce((sum, count) => sum + count, 0);
    put(
      `${rows} rows of ${Object.keys(erased.rows).length} tables and ${erased.files.removed.length} files are gone; audit record ${erased.receipt.logIndex}.`,
    );
    for (const digest of erased.files.shared) put(`The file ${digest} tells of others too: bring it in again without the person.`);
  }
  put(`${tables} tables were written anew; ${wal.removed ?? 'no'} segments of the write-ahead log were removed.`);
  for (const words of operator) put(`Left to do: ${words}`);
}
