import { CONCEPTS } from './concept-table.js';
import { assessTokens, prepare } from './context.js';
import type { Assessment, Experiencer, Negation, Prepared, Span, Temporality, Trigger } from './context.js';
import type { NoteSection } from './note-record.js';

/** A mention of a concept. Offsets are UTF-16 code units into the canonical body, end exclusive (spec notes N5, N12). */
export interface Concept extends Span {
  /** ICD-10-CM. */
  readonly code: string;
  readonly label: string;
  readonly negation: Negation;
  readonly temporality: Temporality;
  readonly experiencer: Experiencer;
  /** Offsets into the body. Null when no phrase changed the plain reading. */
  readonly trigger: Trigger | null;
}

interface Entry {
  readonly code: string;
  readonly label: string;
  /** True when the phrase matches only as written. */
  readonly acronym: boolean;
}

interface TrieNode {
  readonly next: Map<string, TrieNode>;
  readonly entries: Entry[];
}

function buildTrie(): TrieNode {
  const root: TrieNode = { next: new Map(), entries: [] };
  for (const [code, label, phrases] of CONCEPTS) {
    for (const phrase of phrases) {
      const acronym = /[A-Z]/.test(phrase);
      let node = root;
      for (const word of acronym ? [phrase] : phrase.split(' ')) {
        const found = node.next.get(word) ?? { next: new Map<string, TrieNode>(), entries: [] };
        node.next.set(word, found);
        node = found;
      }
      node.entries.push({ code, label, acronym });
    }
  }
  return root;
}

const TRIE = buildTrie();
const FAMILY_HISTORY = '10157-6';
const PAST_HISTORY = new Set(['11348-0', '47519-4']);

/**
 * Finds the concepts of the own table in a note, longest phrase first, without overlaps, in order of their offsets; each is assessed
 * in its sentence. A mention under a family or past history heading is read so unless its sentence says otherwise. Pure.
 */
export function tagConcepts(body: string, sections: readonly NoteSection[]): Concept[] {
  const concepts: Concept[] = [];
  for (const sentence of sentencesOf(body, sections)) {
    const text = body.slice(sentence.start, sentence.end);
    const prepared = prepare(text);
    for (const mention of mentionsIn(text, prepared)) {
      const start = sentence.start + mention.start;
      const assessed = bySection(assessTokens(text, prepared, mention), sectionAt(sections, start));
      const trigger =
        assessed.trigger === null
          ? null
          : { ...assessed.trigger, start: sentence.start + assessed.trigger.start, end: sentence.start + assessed.trigger.end };
      concepts.push({ code: mention.code, label: mention.label, start, end: sentence.start + mention.end, ...assessed, trigger });
    }
  }
  return concepts;
}

interface Mention extends Span {
  readonly code: string;
  readonly label: string;
}

function mentionsIn(text: string, { tokens }: Prepared): Mention[] {
  const found: Mention[] = [];
  for (let from = 0; from < tokens.length;) {
    let node: TrieNode | undefined = TRIE;
    let best: { to: number; entry: Entry } | undefined;
    for (let at = from; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined) break;
      // A hyphen joins the words of a phrase as a space does.
      if (token.word === '-' && at > from) continue;
      const written = text.slice(token.start, token.end);
      const acronym: Entry | undefined = at === from ? TRIE.next.get(written)?.entries.find((entry) => entry.acronym) : undefined;
      if (acronym !== undefined) best = { to: at + 1, entry: acronym };
      node = node.next.get(token.word);
      if (node === undefined) break;
      const entry = node.entries.find((candidate) => !candidate.acronym);
      if (entry !== undefined) best = { to: at + 1, entry };
    }
    if (best === undefined) {
      from += 1;
      continue;
    }
    found.push({ code: best.entry.code, label: best.entry.label, start: tokens[from]?.start ?? 0, end: tokens[best.to - 1]?.end ?? 0 });
    from = best.to;
  }
  return found;
}

function bySection(assessed: Assessment, section: NoteSection | undefined): Assessment {
  if (section?.code === FAMILY_HISTORY && assessed.experiencer === 'PATIENT') return { ...assessed, experiencer: 'FAMILY' };
  if (PAST_HISTORY.has(section?.code ?? '') && assessed.temporality === 'RECENT') return { ...assessed, temporality: 'HISTORICAL' };
  return assessed;
}

/** The innermost section that holds the offset. */
function sectionAt(sections: readonly NoteSection[], offset: number): NoteSection | undefined {
  let best: NoteSection | undefined;
  for (const section of sections) {
    if (section.start <= offset && offset < section.end && (best === undefined || section.level >= best.level)) best = section;
  }
  return best;
}

const STOP = /[.!?](?=\s+["'(]?[A-Z0-9])|\n/g;
const ABBREVIATION = /(?:^|[\s(])(?:dr|mr|mrs|ms|vs|pt|no|st|approx|dept|e\.g|i\.e|fig|[A-Za-z])$/i;
/** Lines shorter than this were ended by their author and not by a margin. */
const WRAPPED_LINE_CHARS_MIN = 60;

/** Sentences of clinical text, as spans: full stops that end no abbreviation, line ends that are no wrapped line, section borders. */
export function sentencesOf(body: string, sections: readonly NoteSection[]): Span[] {
  const borders = new Set(sections.flatMap((section) => [section.start, section.end]));
  const spans: Span[] = [];
  let start = 0;
  let line = 0;
  const cut = (end: number): void => {
    if (body.slice(start, end).trim() !== '') spans.push({ start, end });
    start = end;
  };
  for (const { index } of body.matchAll(STOP)) {
    if (body[index] !== '\n') {
      if (!ABBREVIATION.test(body.slice(Math.max(start, index - 8), index)) && !/^\s*\d+$/.test(body.slice(line, index))) cut(index + 1);
      continue;
    }
    const wrapped = index - line >= WRAPPED_LINE_CHARS_MIN && /^[a-z]/.test(body.slice(index + 1, index + 2));
    if (!wrapped || borders.has(index + 1)) cut(index + 1);
    line = index + 1;
  }
  cut(body.length);
  return spans;
}
