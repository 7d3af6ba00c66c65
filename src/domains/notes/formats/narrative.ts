import type { XmlNode } from './xml.js';

/** Elements of the CDA narrative block that stand on lines of their own. */
const BLOCKS = new Set(['paragraph', 'list', 'item', 'table', 'thead', 'tbody', 'tfoot', 'tr', 'caption', 'div', 'p', 'ul', 'ol', 'li']);
const CELLS = new Set(['td', 'th']);

/** Writes text with collapsed white space; line breaks come from structure only, never two in a row. */
class LineWriter {
  private readonly parts: string[] = [];
  private atLineStart = true;
  private pendingSpace = false;
  private pendingMark = '';

  inline(text: string): void {
    const collapsed = text.replace(/[\s\u00a0]+/g, ' ');
    const trimmed = collapsed.trim();
    if (trimmed === '') {
      this.pendingSpace = this.pendingSpace || collapsed !== '';
      return;
    }
    if (this.pendingMark !== '') {
      this.parts.push(this.pendingMark);
      this.pendingMark = '';
    } else if (!this.atLineStart && (this.pendingSpace || collapsed.startsWith(' '))) this.parts.push(' ');
    this.parts.push(trimmed);
    this.atLineStart = false;
    this.pendingSpace = collapsed.endsWith(' ');
  }

  line(): void {
    if (!this.atLineStart) this.parts.push('\n');
    this.atLineStart = true;
    this.pendingSpace = false;
    this.pendingMark = '';
  }

  /** A mark before the next text of this line, such as a bullet or a cell border; not written when no text follows. */
  mark(mark: string): void {
    this.pendingMark = mark;
  }

  get lineStarted(): boolean {
    return !this.atLineStart;
  }

  toString(): string {
    return this.parts.join('').trimEnd();
  }
}

/**
 * The readable text of a CDA narrative block: a line for each paragraph, list item and table row, cells parted by ' | ',
 * items led by '- '. Text that is marked as deleted is left out. `byId` resolves `reference value="#id"`.
 */
export function narrativeText(node: XmlNode, byId: ReadonlyMap<string, XmlNode>): string {
  const writer = new LineWriter();
  write(node, writer, byId, new Set());
  return writer.toString();
}

function write(node: XmlNode, writer: LineWriter, byId: ReadonlyMap<string, XmlNode>, written: Set<XmlNode>): void {
  // Each element is written once: references may lead back into their own block, or multiply each other without end.
  if (written.has(node) || node.attributes['revised'] === 'delete') return;
  written.add(node);
  const block = BLOCKS.has(node.local);
  if (block) writer.line();
  if (node.local === 'item' || node.local === 'li') writer.mark('- ');
  if (CELLS.has(node.local) && writer.lineStarted) writer.mark(' | ');
  if (node.local === 'br') writer.line();
  const target = node.local === 'reference' ? referenced(node, byId) : undefined;
  if (target !== undefined) write(target, writer, byId, written);
  for (const child of node.children) {
    if (typeof child === 'string') writer.inline(child);
    else write(child, writer, byId, written);
  }
  if (block) writer.line();
}

function referenced(node: XmlNode, byId: ReadonlyMap<string, XmlNode>): XmlNode | undefined {
  const value = node.attributes['value'];
  return value?.startsWith('#') === true ? byId.get(value.slice(1)) : undefined;
}
