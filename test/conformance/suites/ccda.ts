import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ccda as format } from '../../../src/domains/notes/formats/ccda.js';
import { countOf, filesBelow, outcomeOf, readWith, type Case, type Suite } from '../suite.js';

const TAG = /<(\/?)([A-Za-z_][\w.:-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*?)(\/?)>/g;
const NOT_ELEMENTS = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g;

/** What scanning for tags finds: independent of the XML parser that the product uses. */
interface Plain {
  readonly balanced: boolean;
  /** Codes of all sections, in order of the alphabet, each as often as it stands. */
  readonly codes: readonly string[];
  /** True when a section or an act has text of its own, or a body that is no XML has one. */
  readonly hasText: boolean;
}

function plain(xml: string): Plain {
  const text = xml.replace(NOT_ELEMENTS, '').replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, '$1');
  const open: string[] = [];
  const codes: string[] = [];
  let balanced = true;
  let hasText = false;
  let textFrom = -1;
  for (const match of text.matchAll(TAG)) {
    const [whole, closing, qualified = '', attributes = '', empty] = match;
    const name = qualified.slice(qualified.indexOf(':') + 1);
    if (closing === '/') {
      if (open.pop() !== name) balanced = false;
      if (name === 'text' && textFrom >= 0) {
        hasText ||=
          text
            .slice(textFrom, match.index)
            .replace(/<[^>]*>/g, '')
            .trim() !== '';
        textFrom = -1;
      }
      continue;
    }
    const code = /\scode\s*=\s*["']([^"']*)["']/.exec(` ${attributes}`)?.[1]?.trim();
    if (name === 'code' && open.at(-1) === 'section' && code !== undefined) codes.push(code);
    if (empty === '/') continue;
    open.push(name);
    if (name === 'text' && textFrom < 0) textFrom = match.index + whole.length;
  }
  return { balanced: balanced && open.length === 0, codes: codes.sort(), hasText };
}

/**
 * C-CDA documents and fragments (spec notes N61). A file agrees when it is read and the codes of its sections are those that stand in it, or when
 * it is refused with a code and a place and the tags show why: no text at all, or tags that do not match.
 */
export const suite: Suite = {
  about: 'C-CDA documents and fragments against a scan of their tags',
  async run(folder) {
    const cases: Case[] = [];
    const count = { read: 0, refused: 0, crashed: 0, characters: 0, sections: 0 };
    for (const file of filesBelow(folder, /\.xml$/i)) {
      const full = path.join(folder, file);
      const read = await readWith(format, full);
      const [note] = read.records;
      const seen = plain(readFileSync(full, 'utf8'));
      const refusal = read.thrown ?? read.faults[0];
      if (read.crash !== null) count.crashed += 1;
      else if (note === undefined) count.refused += 1;
      else count.read += 1;
      count.characters += note?.body.length ?? 0;
      count.sections += note?.sections.length ?? 0;
      const codes = note?.sections.flatMap(({ code }) => (code === null ? [] : [code])).sort() ?? [];
      const wanted = !seen.balanced
        ? 'refused: tags do not match'
        : seen.hasText
          ? `read, sections ${seen.codes.join(' ')}`
          : 'refused: no text';
      const got = note === undefined ? outcomeOf(read) : `read, sections ${codes.join(' ')}`;
      const explained = refusal?.place !== undefined && (!seen.balanced || !seen.hasText);
      const right = read.crash === null && (note === undefined ? explained : seen.balanced && codes.join() === seen.codes.join());
      cases.push({ id: file, verdict: right ? 'passed' : 'failed', expected: wanted, got });
    }
    return { cases, figures: { ...count, agreed: countOf(cases, 'passed') } };
  },
};
