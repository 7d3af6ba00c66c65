import { SaxesParser } from 'saxes';
import { CodedError } from '../../../kernel/error.js';
import { LIMITS } from '../../../kernel/limits.js';
import { bomOf, decodeAs } from './decode.js';

/** The namespace that an element without a prefix and without a declared default belongs to (spec notes section 2). */
export const HL7_V3 = 'urn:hl7-org:v3';

export interface XmlElement {
  /** '' when the tag has none. Prefixes need not be declared: many real documents forget it. */
  readonly prefix: string;
  readonly local: string;
  /** Default namespace in force; HL7_V3 when the document declares none. Null for an element with a prefix. */
  readonly namespace: string | null;
  /** Attributes by their name as written, prefix included. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Where the start tag ends, as the reader counts: lines from 1, columns from 0. */
  readonly line: number;
  readonly column: number;
}

export interface XmlHandler {
  open(element: XmlElement): void;
  text(text: string): void;
  close(): void;
}

const SLICE_CHARS = 65_536;

/**
 * Reads XML as events. Namespace processing is off; prefixes are split by hand. No entity but the five of XML is known.
 * Throws XML_DTD for a DOCTYPE or any other entity, XML_DEPTH past LIMITS.xml_depth_max, XML_INVALID when not well-formed,
 * each with the place 'line L column C'.
 */
export function readXml(text: string, handler: XmlHandler): void {
  const parser = new SaxesParser({ xmlns: false });
  const defaults: string[] = [];
  const here = (): string => `line ${parser.line} column ${parser.column}`;

  parser.on('error', (error) => {
    if (error.message.includes('entity') && !error.message.includes('character entity')) {
      throw new CodedError('XML_DTD', 'The document uses an entity that XML itself does not define.', { place: here() });
    }
    throw new CodedError('XML_INVALID', 'The XML is not well-formed.', { place: here(), detail: error.message });
  });
  parser.on('doctype', () => {
    throw new CodedError('XML_DTD', 'The document holds a DOCTYPE.', { place: here() });
  });
  parser.on('opentag', (tag) => {
    if (defaults.length >= LIMITS.xml_depth_max) {
      throw new CodedError('XML_DEPTH', `Elements are nested deeper than ${LIMITS.xml_depth_max} levels.`, { place: here() });
    }
    const attributes = tag.attributes;
    const inherited = attributes['xmlns'] ?? defaults.at(-1) ?? HL7_V3;
    defaults.push(inherited);
    const colon = tag.name.indexOf(':');
    handler.open({
      prefix: colon < 0 ? '' : tag.name.slice(0, colon),
      local: colon < 0 ? tag.name : tag.name.slice(colon + 1),
      namespace: colon < 0 ? inherited : null,
      attributes,
      line: parser.line,
      column: parser.column,
    });
  });
  parser.on('text', (value) => {
    handler.text(value);
  });
  parser.on('cdata', (value) => {
    handler.text(value);
  });
  parser.on('closetag', () => {
    defaults.pop();
    handler.close();
  });

  for (let at = 0; at < text.length; at += SLICE_CHARS) parser.write(text.slice(at, at + SLICE_CHARS));
  parser.close();
}

/** An element with its content in document order. */
export interface XmlNode extends XmlElement {
  readonly children: (XmlNode | string)[];
}

/** Most elements one document may hold; a tree of more would not fit beside other work in one worker. */
const XML_ELEMENTS_MAX = 1_000_000;

/** 'line L column C'. */
export function placeOf(element: XmlElement): string {
  return `line ${element.line} column ${element.column}`;
}

/** Reads a whole document as a tree. Throws as `readXml` does, and LIMIT_RECORD past a million elements. */
export function readXmlTree(text: string): XmlNode {
  const stack: XmlNode[] = [];
  let root: XmlNode | undefined;
  let elements = 0;
  readXml(text, {
    open(element) {
      elements += 1;
      if (elements > XML_ELEMENTS_MAX) {
        throw new CodedError('LIMIT_RECORD', `The document holds more than ${XML_ELEMENTS_MAX} elements.`, { place: placeOf(element) });
      }
      const node: XmlNode = { ...element, children: [] };
      stack.at(-1)?.children.push(node);
      root ??= node;
      stack.push(node);
    },
    text(value) {
      stack.at(-1)?.children.push(value);
    },
    close() {
      stack.pop();
    },
  });
  if (root === undefined) throw new CodedError('XML_INVALID', 'The document holds no element.', { place: 'line 1 column 0' });
  return root;
}

/** Decodes the bytes of an XML document by byte-order mark, then by its declaration, then as UTF-8. Throws ENCODING_INVALID. */
export function decodeXml(bytes: Uint8Array): string {
  const bom = bomOf(bytes);
  if (bom !== null) return decodeAs(bytes, bom).text;
  const head = Buffer.from(bytes.subarray(0, 256)).toString('latin1');
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1];
  // A declaration that is readable as single bytes cannot truly be UTF-16, whatever it says.
  const charset = declared === undefined || /^utf-?16/i.test(declared) ? 'utf-8' : declared;
  return decodeAs(bytes, charset).text;
}
