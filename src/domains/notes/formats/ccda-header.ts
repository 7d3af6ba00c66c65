import { at, children, first, stated, textOf, walk } from './ccda-tree.js';
import { classify, hl7Instant } from './note-record.js';
import type { Confidentiality, NoteStatus, PatientKey } from './note-record.js';
import type { XmlNode } from './xml.js';

const LOINC_OID = '2.16.840.1.113883.6.1';

/** What stands around the text of a CDA document or fragment. */
export interface CdaHeader {
  readonly patientKeys: PatientKey[];
  readonly patientNames: string[];
  readonly typeCode: string | null;
  readonly typeLabel: string | null;
  readonly title: string | null;
  readonly status: NoteStatus;
  readonly authoredAt: string | null;
  readonly authorName: string | null;
  readonly encounter: string | null;
  readonly language: string | null;
  readonly confidentiality: Confidentiality;
  readonly sensitivity: string[];
}

/** The LOINC code of a `code` element or of one of its translations; null when it has none. */
export function loincOf(code: XmlNode | undefined): string | null {
  if (code === undefined) return null;
  for (const candidate of [code, ...children(code, 'translation')]) {
    const value = stated(candidate, 'code');
    const system = stated(candidate, 'codeSystem');
    if (value !== null && (system === LOINC_OID || (system === null && /^\d{1,7}-\d$/.test(value)))) return value;
  }
  return null;
}

export function cdaHeader(root: XmlNode): CdaHeader {
  const document = root.local === 'ClinicalDocument';
  const code = document ? at(root, 'code') : first(root, 'code');
  const author = document ? at(root, 'author') : first(root, 'author');
  const time = at(root, 'effectiveTime') ?? (document ? undefined : at(author, 'time'));
  const encounter = document ? at(root, 'componentOf', 'encompassingEncounter', 'id') : undefined;
  const stamp = stated(time, 'value') ?? stated(at(time, 'low'), 'value');
  return {
    patientKeys: patientKeys(root),
    patientNames: patientNames(root),
    typeCode: loincOf(code),
    typeLabel: stated(code, 'displayName') ?? textOf(at(code, 'originalText')),
    title: textOf(document ? at(root, 'title') : first(root, 'title')),
    status: statusOf(root),
    authoredAt: stamp === null ? null : hl7Instant(stamp),
    authorName: authorName(author),
    encounter: stated(encounter, 'extension') ?? stated(encounter, 'root'),
    language: stated(at(root, 'languageCode'), 'code'),
    ...classify(securityCodes(root)),
  };
}

export function recordTargets(root: XmlNode): XmlNode[] {
  return root.local === 'recordTarget' ? [root] : children(root, 'recordTarget');
}

function patientKeys(root: XmlNode): PatientKey[] {
  const keys: PatientKey[] = [];
  for (const target of recordTargets(root)) {
    for (const role of children(target, 'patientRole')) {
      for (const id of children(role, 'id')) {
        const oid = stated(id, 'root');
        const extension = stated(id, 'extension');
        // A root alone is an id that is unique by itself; nobody else issues values under it.
        if (extension !== null) keys.push({ issuer: oid ?? '', value: extension });
        else if (oid !== null) keys.push({ issuer: '', value: oid });
      }
    }
  }
  return keys;
}

/** Every name below `patient`: aliases and guardians included, since the text may use any of them. */
function patientNames(root: XmlNode): string[] {
  const names = new Set<string>();
  for (const target of recordTargets(root)) {
    const patient = at(target, 'patientRole', 'patient');
    if (patient === undefined) continue;
    for (const node of walk(patient)) {
      const name = node.local === 'name' ? textOf(node) : null;
      if (name !== null) names.add(name);
    }
  }
  return [...names];
}

function statusOf(root: XmlNode): NoteStatus {
  if (root.local !== 'ClinicalDocument') return 'unknown';
  for (const related of children(root, 'relatedDocument')) {
    if (related.attributes['typeCode'] === 'RPLC' || related.attributes['typeCode'] === 'APND') return 'amended';
  }
  return at(root, 'legalAuthenticator') === undefined ? 'unknown' : 'final';
}

function authorName(author: XmlNode | undefined): string | null {
  const assigned = at(author, 'assignedAuthor');
  return (
    textOf(at(assigned, 'assignedPerson', 'name')) ??
    textOf(at(assigned, 'name')) ??
    textOf(at(assigned, 'assignedAuthoringDevice', 'softwareName')) ??
    textOf(at(assigned, 'representedOrganization', 'name'))
  );
}

const SECURITY_OBSERVATIONS = new Set(['SECCLASSOBS', 'SECCATOBS']);

/** Codes of every confidentialityCode and DS4P security observation, wherever they stand: a labelled part labels the note. */
function* securityCodes(root: XmlNode): Generator<string> {
  for (const node of walk(root)) {
    if (node.local === 'confidentialityCode') {
      const code = stated(node, 'code');
      if (code !== null) yield code;
    } else if (node.local === 'observation' && SECURITY_OBSERVATIONS.has(stated(at(node, 'code'), 'code') ?? '')) {
      for (const value of children(node, 'value')) {
        const code = stated(value, 'code');
        if (code !== null) yield code;
      }
    }
  }
}
