import { at, children, elements, stated, textOf, walk } from './ccda-tree.js';
import { loincOf } from './ccda-header.js';
import { decodeGuess } from './decode.js';
import { narrativeText } from './narrative.js';
import type { NoteAttachment, NoteSection } from './note-record.js';
import type { XmlNode } from './xml.js';

export interface CdaBody {
  readonly body: string;
  readonly sections: NoteSection[];
  readonly attachment: NoteAttachment | null;
  /** False when the body holds headings only. */
  readonly hasText: boolean;
}

/** The canonical text of a CDA document or fragment, its sections with spans, and what had no text layer. */
export function cdaBody(root: XmlNode): CdaBody {
  const writer = new BodyWriter(idsOf(root));
  const sections = topSections(root);
  for (const section of sections) writer.section(section, 1);
  if (sections.length === 0) {
    for (const node of walk(root)) {
      if (node.local === 'nonXMLBody') for (const text of children(node, 'text')) writer.encapsulated(text);
    }
    if (!writer.hasText && writer.attachment === null) writer.looseTexts(root);
  }
  return { body: writer.toString(), sections: writer.sections, attachment: writer.attachment, hasText: writer.hasText };
}

class BodyWriter {
  readonly sections: NoteSection[] = [];
  attachment: NoteAttachment | null = null;
  hasText = false;
  private readonly parts: string[] = [];
  private length = 0;

  constructor(private readonly byId: ReadonlyMap<string, XmlNode>) {}

  section(section: XmlNode, level: number): void {
    const code = at(section, 'code');
    const title = textOf(at(section, 'title'));
    const own = this.sections.length;
    const place = { code: loincOf(code), title: title ?? stated(code, 'displayName'), level };
    this.sections.push({ ...place, start: 0, end: 0 });
    const start = this.begin();
    if (title !== null) this.block(title);
    const before = this.length;
    for (const text of children(section, 'text')) this.narrative(text);
    if (this.length === before) for (const entry of children(section, 'entry')) this.looseTexts(entry);
    for (const nested of nestedSections(section)) this.section(nested, level + 1);
    // An empty section holds a place in the list and no text.
    const span = this.length > start.length ? { start: start.next, end: this.length } : { start: start.length, end: start.length };
    this.sections[own] = { ...place, ...span };
  }

  /** Text of entries that is written in place and not in a narrative block. */
  looseTexts(root: XmlNode): void {
    for (const node of walk(root)) {
      if (node.local === 'text' && node.prefix === '') this.encapsulated(node);
    }
  }

  /** An ED value: plain text is read; anything else is an attachment without a text layer. */
  encapsulated(text: XmlNode): void {
    const mediaType = stated(text, 'mediaType');
    const base64 = stated(text, 'representation') === 'B64';
    const raw = mediaType === null || mediaType === 'text/x-hl7-text+xml' ? null : textOf(text);
    if (mediaType === null || mediaType === 'text/x-hl7-text+xml') {
      const reference = stated(at(text, 'reference'), 'value');
      if (reference !== null && !reference.startsWith('#'))
        this.attachment ??= { mediaType: 'application/octet-stream', reason: 'NO_TEXT_LAYER' };
      else if (base64) this.plain(decodeGuess(Buffer.from(textOf(text) ?? '', 'base64')).text);
      else this.narrative(text);
    } else if (mediaType === 'text/plain' && stated(text, 'compression') === null && raw !== null) {
      this.plain(base64 ? decodeGuess(Buffer.from(raw, 'base64')).text : literalText(text));
    } else {
      this.attachment ??= { mediaType, reason: 'NO_TEXT_LAYER' };
    }
  }

  toString(): string {
    return this.parts.join('');
  }

  private narrative(text: XmlNode): void {
    const written = narrativeText(text, this.byId);
    if (written === '') return;
    this.hasText = true;
    this.block(written);
  }

  private plain(text: string): void {
    const written = text.replace(/\r\n?/g, '\n').trim();
    if (written === '') return;
    this.hasText = true;
    this.block(written);
  }

  /** Where the body stands, and where the next block will start. */
  private begin(): { length: number; next: number } {
    return { length: this.length, next: this.length === 0 ? 0 : this.length + 1 };
  }

  private block(text: string): void {
    if (this.length > 0) this.push('\n');
    this.push(text);
  }

  private push(text: string): void {
    this.parts.push(text);
    this.length += text.length;
  }
}

/** Text as written, white space kept: plain text in an ED value carries its own lines. */
function literalText(node: XmlNode): string {
  return node.children.map((child) => (typeof child === 'string' ? child : literalText(child))).join('');
}

function topSections(node: XmlNode): XmlNode[] {
  if (node.local === 'section') return [node];
  const found: XmlNode[] = [];
  for (const child of elements(node)) found.push(...topSections(child));
  return found;
}

function nestedSections(section: XmlNode): XmlNode[] {
  const found: XmlNode[] = [];
  for (const child of elements(section)) if (child.local === 'component' || child.local === 'section') found.push(...topSections(child));
  return found;
}

function idsOf(root: XmlNode): Map<string, XmlNode> {
  const byId = new Map<string, XmlNode>();
  for (const node of walk(root)) {
    const id = node.attributes['ID'];
    if (id !== undefined && !byId.has(id)) byId.set(id, node);
  }
  return byId;
}
