import { component, field } from './hl7v2-syntax.js';
import type { Delimiters, Segment } from './hl7v2-syntax.js';
import type { PatientKey } from './note-record.js';

/** Who an HL7 v2 message is about and who wrote it (v2.5.1 chapter 2A: data types CX, XPN, XCN and NDL). */

/** PID-3 with all its repetitions; PID-2 of older senders when PID-3 is empty. The issuer is the OID of CX-4, else its name. */
export function patientKeys(pid: Segment, delimiters: Delimiters): PatientKey[] {
  const raw = field(pid, 3) || field(pid, 2);
  const keys: PatientKey[] = [];
  for (const cx of delimiters.repetition === '' ? [raw] : raw.split(delimiters.repetition)) {
    const value = component(cx, 1, delimiters);
    const issuer = component(cx, 4, delimiters, 2) || component(cx, 4, delimiters, 1);
    if (value !== '') keys.push({ issuer, value });
  }
  return keys;
}

/** PID-5 and the aliases of PID-9, all repetitions. XPN: family ^ given ^ middle. */
export function patientNames(pid: Segment, delimiters: Delimiters): string[] {
  const names = new Set<string>();
  for (const raw of [field(pid, 5), field(pid, 9)]) {
    for (const xpn of delimiters.repetition === '' ? [raw] : raw.split(delimiters.repetition)) {
      const name = [2, 3, 1]
        .map((part) => component(xpn, part, delimiters))
        .filter((part) => part !== '')
        .join(' ');
      if (name !== '') names.add(name);
    }
  }
  return [...names];
}

/** XCN: id ^ family ^ given ^ middle. */
export function personName(xcn: string, delimiters: Delimiters): string | null {
  const name = [component(xcn, 3, delimiters), component(xcn, 4, delimiters), component(xcn, 2, delimiters)]
    .filter((part) => part !== '')
    .join(' ');
  return name === '' ? null : name;
}

/** OBR-32 NDL: the first component is a CNN whose parts are sub-components. */
export function principal(ndl: string, delimiters: Delimiters): string | null {
  const name = [3, 2]
    .map((part) => component(ndl, 1, delimiters, part))
    .filter((part) => part !== '')
    .join(' ');
  return name === '' ? null : name;
}
