import { createHash, createHmac } from 'node:crypto';
import { entryOf, type Receipt } from '../evidence/index.js';
import { CodedError, isUuid, newUuid, type Principal } from '../kernel/index.js';
import {
  erasePerson,
  erasureBook,
  writeStore,
  type Erasure,
  type ErasureBook,
  type RecordedErasure,
  type RegisteredPerson,
} from '../store/index.js';
import type { Mesh } from './mesh.js';

export interface ErasureRequest {
  readonly patientId: string;
  /** Kept as a keyed digest only, since it may name the person. */
  readonly reason: string;
  readonly by: Principal;
}

/** What was erased; names, digests and counts only. */
export interface PatientErasure extends Erasure {
  /** Of the person in evidence; it leads nowhere any more. */
  readonly ordinal: number;
  /** Of the record of the end. */
  readonly receipt: Receipt;
}

/** Erasure is an act of operations; records of it are looked for under this purpose. */
const PURPOSE = 'HOPERAT';
const REASON_CHARACTERS_MAX = 500;
/** A record has room for so many digests of files. */
const FILES_NAMED_MAX = 200;

/**
 * Erases a person: a record that it begins, durable before anything is deleted; the rows, past versions, files and the key, in one transaction; then
 * what this process and the others keep in memory; then a record with the counts. One that was broken off is run again and ends with its record.
 * Throws NOT_FOUND (unknown, erased and foreign persons alike), LEGAL_HOLD, FORBIDDEN, BAD_INPUT, AUDIT_UNAVAILABLE, CONFIG_INVALID (a process of one product).
 */
export async function erasePatient(mesh: Mesh, request: ErasureRequest): Promise<PatientErasure> {
  const { patientId, reason, by } = request;
  if (by.purpose !== PURPOSE) throw new CodedError('FORBIDDEN', 'Persons are erased for the purpose of operations only.');
  if (reason.trim() === '' || reason.length > REASON_CHARACTERS_MAX)
    throw new CodedError('BAD_INPUT', `A reason has 1 to ${REASON_CHARACTERS_MAX} characters.`);
  const book = bookOf(mesh);
  const found = isUuid(patientId) ? await book.person(patientId) : null;
  const person = found !== null && (by.sites === '*' || by.sites.includes(found.siteId)) ? found : null;
  if (!person) {
    const open = isUuid(patientId) && found === null ? await brokenOff(mesh, book, patientId) : null;
    if (open) return close(mesh, book, by, open, NOTHING, open.runId);
    return refuse(mesh, by, new CodedError('NOT_FOUND', 'There is no such patient.'));
  }
  if (await isHeld(mesh, book, person))
    return refuse(mesh, by, new CodedError('LEGAL_HOLD', 'A legal hold covers the person or the evidence about the person.'));
  return eraseNow(mesh, book, by, person, mac(mesh, 'erasure reason', reason.trim()));
}

/**
 * Erases again whom the log says to be erased and who is here all the same: a backup was restored, or an erasure was broken off. `told` are erasures that
 * an exported log tells of (`erasureOfRecord`), for a backup that is older than the records. A hold keeps back only what was never erased whole.
 */
export async function reapplyErasures(
  mesh: Mesh,
  by: Principal,
  told: readonly RecordedErasure[] = [],
): Promise<readonly PatientErasure[]> {
  const book = bookOf(mesh);
  const recorded = [...(await book.recorded(PURPOSE)), ...told];
  if (recorded.length === 0) return [];
  const subjects = new Set(recorded.map((each) => each.subject));
  const done: PatientErasure[] = [];
  const closed = new Set(recorded.filter((each) => each.state === 'done').map((each) => each.subject));
  for (const person of await book.present([...new Set(recorded.map((each) => each.ordinal))])) {
    const subject = subjectOf(mesh, person.patientId);
    if (!subjects.has(subject)) continue;
    // What was never finished may have come under a hold since.
    if (closed.has(subject) || !(await isHeld(mesh, book, person))) done.push(await eraseNow(mesh, book, by, person, null));
    closed.add(subject);
  }
  for (const open of recorded.filter((each) => each.state === 'begun' && !closed.has(each.subject))) {
    closed.add(open.subject);
    done.push(await close(mesh, book, by, open, NOTHING, open.runId));
  }
  return done;
}

type Erased = Pick<RegisteredPerson, 'patientId' | 'ordinal'>;

const NOTHING: Erasure = { rows: {}, kept: [], files: { removed: [], shared: [] }, versions: {} };

async function eraseNow(mesh: Mesh, book: ErasureBook, by: Principal, person: Erased, reason: string | null): Promise<PatientErasure> {
  assertWhole(mesh);
  const { parts } = mesh;
  const subject = subjectOf(mesh, person.patientId);
  const facts = { erased: 'begun', ordinal: person.ordinal, subject, ...(reason === null ? { again: true } : { reason }) };
  // A key without its person, as a restored vault has it, cannot be made anew, so a set is told of registered persons only.
  const registered = (await book.person(person.patientId)) !== null;
  const begun = await record(mesh, by, facts, registered ? [person.patientId] : []);
  const erase = parts.products.flatMap((product) => product.pipeline?.erase ?? []);
  const erasure = await erasePerson(writeStore(parts.pools.writer, parts.objects), person.patientId, { now: parts.clock(), erase });
  return close(mesh, book, by, { ordinal: person.ordinal, subject }, erasure, begun.id);
}

/** Lets memories go, here and elsewhere, and records the end. */
async function close(
  mesh: Mesh,
  book: ErasureBook,
  by: Principal,
  { ordinal, subject }: Pick<RecordedErasure, 'ordinal' | 'subject'>,
  erasure: Erasure,
  begun: string,
): Promise<PatientErasure> {
  await book.tellOthers();
  mesh.forgetPersons();
  const { rows, kept, files, versions } = erasure;
  const facts = { erased: 'done', ordinal, subject, begun, rows, kept, removed: named(files.removed), shared: named(files.shared) };
  return { ...erasure, ordinal, receipt: await record(mesh, by, facts, [], versions) };
}

/** Digests of files, as far as a record has room for them; all of them by one digest. */
const named = (digests: readonly string[]): Readonly<Record<string, unknown>> => ({
  count: digests.length,
  list: createHash('sha256').update(digests.join('\n')).digest('hex'),
  digests: digests.slice(0, FILES_NAMED_MAX),
});

function record(
  mesh: Mesh,
  by: Principal,
  facts: Readonly<Record<string, unknown>>,
  patients: readonly string[],
  versions: Readonly<Record<string, number>> = {},
): Promise<Receipt> {
  const at = mesh.parts.clock();
  return mesh.audit.append(
    entryOf({
      runId: newUuid(at),
      kind: 'admin',
      at,
      principal: by.sub,
      roles: by.roles,
      purpose: PURPOSE,
      policyVersion: mesh.policy.version,
      patients: new Set(patients),
      versions,
      facts: { act: 'erasure', ...facts },
    }),
  );
}

/** What was not done is recorded too. */
async function refuse(mesh: Mesh, by: Principal, error: CodedError): Promise<never> {
  const at = mesh.parts.clock();
  await mesh.audit.append(
    entryOf({
      runId: newUuid(at),
      kind: 'refused',
      at,
      principal: by.sub,
      roles: by.roles,
      purpose: by.purpose,
      policyVersion: mesh.policy.version,
      code: error.code,
      facts: { act: 'erasure' },
    }),
  );
  throw error;
}

/** An erasure of which the person is gone and the end is not recorded. */
async function brokenOff(mesh: Mesh, book: ErasureBook, patientId: string): Promise<RecordedErasure | null> {
  const subject = subjectOf(mesh, patientId);
  const own = (await book.recorded(PURPOSE)).filter((each) => each.subject === subject);
  return own.some((each) => each.state === 'done') ? null : (own.at(-1) ?? null);
}

/** Holds on the person, on all evidence, and on runs to a recipient or for a purpose that the person stands behind. */
async function isHeld(mesh: Mesh, book: ErasureBook, { patientId, ordinal }: Erased): Promise<boolean> {
  const now = mesh.parts.clock();
  if (await book.isHeld(patientId, now)) return true;
  const holds = await book.evidenceHolds();
  if (holds.some(({ scope, subject }) => scope === 'all' || (scope === 'person' && subject === String(ordinal)))) return true;
  const others = holds.filter(({ scope }) => scope === 'recipient' || scope === 'purpose');
  if (others.length === 0) return false;
  const runs = await mesh.parts.evidence.runsAbout(ordinal, 0, now + 1);
  return runs.some((run) => others.some(({ scope, subject }) => subject === (scope === 'recipient' ? run.recipient : run.purpose)));
}

/** A process that serves one product does not know how the rows of the others are cleared. */
function assertWhole(mesh: Mesh): void {
  if (mesh.parts.subgraph === true) throw new CodedError('CONFIG_INVALID', 'Persons are erased by a process that serves all products.');
}

const bookOf = ({ parts }: Mesh): ErasureBook => erasureBook(parts.pools.writer, (logId, from) => parts.evidence.leaves(logId, from));

const mac = (mesh: Mesh, use: string, text: string): string =>
  createHmac('sha256', mesh.parts.secret).update(`${use}:${text}`).digest('hex');

const subjectOf = (mesh: Mesh, patientId: string): string => mac(mesh, 'erased person', patientId.toLowerCase());
