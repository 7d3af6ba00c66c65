import { CodedError } from '../../../kernel/error.js';
import { readAll } from '../../../kernel/format.js';
import type { Format, Parsed } from '../../../kernel/format.js';
import { LIMITS } from '../../../kernel/limits.js';
import { cdaBody } from './ccda-body.js';
import { cdaHeader, recordTargets } from './ccda-header.js';
import { bomOf } from './decode.js';
import type { NoteRecord } from './note-record.js';
import { HL7_V3, decodeXml, placeOf, readXmlTree } from './xml.js';
import type { XmlNode } from './xml.js';

/** Roots that carry clinical statements: without text they are faults NOTE_NO_TEXT. */
const CLINICAL_ROOTS = new Set([
  'ClinicalDocument',
  'section',
  'structuredBody',
  'nonXMLBody',
  'component',
  'entry',
  'entryRelationship',
  'act',
  'observation',
  'organizer',
  'procedure',
  'encounter',
  'supply',
  'substanceAdministration',
  'observationMedia',
  'regionOfInterest',
  'externalDocument',
]);

/** Roots that are parts of a header: they are faults CCDA_STRUCTURE, since no note can be made of them. */
const HEADER_ROOTS = new Set([
  'recordTarget',
  'author',
  'participant',
  'participantRole',
  'performer',
  'documentationOf',
  'informant',
  'componentOf',
  'authenticator',
  'legalAuthenticator',
  'custodian',
  'informationRecipient',
  'dataEnterer',
  'relatedDocument',
  'inFulfillmentOf',
  'authorization',
  'encounterParticipant',
  'encompassingEncounter',
  'serviceEvent',
  'relatedSubject',
  'subject',
  'specimen',
  'consumable',
  'manufacturedProduct',
  'patientRole',
  'assignedAuthor',
  'assignedEntity',
  'addr',
  'telecom',
]);

/**
 * C-CDA documents and fragments (spec notes N20). One file is one record: a note, or one fault.
 * Faults: NOTE_NO_TEXT (no narrative and no attachment), CCDA_STRUCTURE (header fragment, several patients, root that is not CDA).
 * Throws for the whole file: FILE_EMPTY, LIMIT_RECORD, ENCODING_INVALID, XML_INVALID, XML_DTD, XML_DEPTH.
 * Templates are not checked: an unknown template is read by its structure.
 */
export const ccda: Format<NoteRecord> = { name: 'ccda', mediaType: 'application/cda+xml', sniff, parse };

const PROLOG = /^\s*(?:<\?[\s\S]*?\?>\s*|<!--[\s\S]*?-->\s*)*/;
const ROOT = /^<(?:!DOCTYPE\s+)?(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)([^>]*)/;

function sniff(head: Uint8Array, name: string): boolean {
  if (!/\.(xml|cda|ccda)$/i.test(name)) return false;
  const bom = bomOf(head);
  const text = new TextDecoder(bom ?? 'utf-8').decode(head);
  const root = ROOT.exec(text.slice(PROLOG.exec(text)?.[0].length ?? 0));
  if (root === null) return false;
  const [, prefix, local = '', attributes = ''] = root;
  const namespace = /\sxmlns\s*=\s*["']([^"']*)["']/.exec(attributes)?.[1] ?? HL7_V3;
  if (prefix === undefined && namespace !== HL7_V3) return false;
  return CLINICAL_ROOTS.has(local) || HEADER_ROOTS.has(local);
}

async function* parse(input: AsyncIterable<Uint8Array>): AsyncGenerator<Parsed<NoteRecord>> {
  const tooLarge = (): CodedError =>
    new CodedError('LIMIT_RECORD', `A document may hold ${LIMITS.record_bytes_max} bytes.`, { place: `byte ${LIMITS.record_bytes_max}` });
  const bytes = await readAll(input, LIMITS.record_bytes_max, tooLarge);
  if (bytes.length === 0) throw new CodedError('FILE_EMPTY', 'The file holds no bytes.', { place: 'byte 0' });
  yield readDocument(readXmlTree(decodeXml(bytes)), bytes);
}

function readDocument(root: XmlNode, bytes: Uint8Array): Parsed<NoteRecord> {
  const fault = (code: 'CCDA_STRUCTURE' | 'NOTE_NO_TEXT', reason: string): Parsed<NoteRecord> => ({
    ok: false,
    ordinal: 0,
    place: placeOf(root),
    code,
    reason,
    bytes: bytes.subarray(0, LIMITS.quarantine_bytes_kept_max),
  });
  const clinical = CLINICAL_ROOTS.has(root.local) && (root.prefix !== '' || root.namespace === HL7_V3);
  if (!clinical) {
    return fault(
      'CCDA_STRUCTURE',
      HEADER_ROOTS.has(root.local)
        ? `A fragment rooted at ${root.local} holds no section and no text.`
        : 'The root element is not one of CDA.',
    );
  }
  if (recordTargets(root).length > 1) return fault('CCDA_STRUCTURE', 'The document has more than one recordTarget.');
  const { hasText, ...content } = cdaBody(root);
  if (!hasText && content.attachment === null) {
    return fault('NOTE_NO_TEXT', `The ${root.local} holds no narrative text and no attachment.`);
  }
  return { ok: true, ordinal: 0, place: placeOf(root), value: { ...cdaHeader(root), ...content } };
}
