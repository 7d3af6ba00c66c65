import { TRIGGERS } from './context-triggers.js';
import type { TriggerRule, TriggerScope } from './context-triggers.js';

/** UTF-16 offsets, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Negation = 'AFFIRMED' | 'NEGATED' | 'POSSIBLE';
export type Temporality = 'RECENT' | 'HISTORICAL' | 'HYPOTHETICAL';
export type Experiencer = 'PATIENT' | 'FAMILY' | 'OTHER';

/** The phrase that decided, with its offsets in the assessed text. */
export interface Trigger extends Span {
  readonly text: string;
  readonly rule: TriggerRule;
}

export interface Assessment {
  readonly negation: Negation;
  readonly temporality: Temporality;
  readonly experiencer: Experiencer;
  /** The trigger of the negation, else of the temporality, else of the experiencer; null when the mention is plain. */
  readonly trigger: Trigger | null;
}

export interface Token extends Span {
  /** Lower case. */
  readonly word: string;
}

interface Rule {
  readonly rule: TriggerRule;
  readonly scope: TriggerScope;
}

interface TrieNode {
  readonly next: Map<string, TrieNode>;
  rules: Rule[];
}

interface Match extends Rule {
  /** Token indices, end exclusive. */
  readonly from: number;
  readonly to: number;
}

const WORD = /[A-Za-z0-9]+(?:['\u2019][A-Za-z]+)?|[^\sA-Za-z0-9]/g;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(WORD)) {
    tokens.push({ word: match[0].toLowerCase().replace('\u2019', "'"), start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

function buildTrie(): TrieNode {
  const root: TrieNode = { next: new Map(), rules: [] };
  for (const [rule, scope, phrases] of TRIGGERS) {
    // A slash inside an abbreviation (r/o, h/o, s/p) stands between single letters.
    for (const phrase of phrases.split(/(?<!\b[rhs])\/|\/(?![op]\b)/)) {
      let node = root;
      for (const { word } of tokenize(phrase)) {
        const found = node.next.get(word) ?? { next: new Map<string, TrieNode>(), rules: [] };
        node.next.set(word, found);
        node = found;
      }
      if (node !== root && !node.rules.some((known) => known.rule === rule && known.scope === scope)) node.rules.push({ rule, scope });
    }
  }
  return root;
}

const TRIE = buildTrie();
const BREAKS = new Set([';', '.', '?', '!']);

/** Longest trigger at each place, left to right. Triggers that share a phrase (as PRE and as POST) all count. */
function matchTriggers(tokens: readonly Token[]): Match[] {
  const matches: Match[] = [];
  for (let from = 0; from < tokens.length;) {
    let node: TrieNode | undefined = TRIE;
    let best: { to: number; rules: readonly Rule[] } | undefined;
    for (let at = from; at < tokens.length; at += 1) {
      node = node.next.get(tokens[at]?.word ?? '');
      if (node === undefined) break;
      if (node.rules.length > 0) best = { to: at + 1, rules: node.rules };
    }
    if (best === undefined) {
      from += 1;
      continue;
    }
    for (const rule of best.rules) matches.push({ ...rule, from, to: best.to });
    from = best.to;
  }
  return matches;
}

/** Most tokens between a mention and a trigger that follows it: a verb further away has another subject. */
const POST_TOKENS_MAX = 8;

/**
 * Assesses a mention in its sentence after the ConText method: triggers rule the mentions in their scope, which ends at a
 * terminator, a full stop or the sentence end. `span` is the mention, in offsets of `sentence` (spec notes N32). Pure.
 */
export function assess(sentence: string, span: Span): Assessment {
  return assessTokens(sentence, prepare(sentence), span);
}

/** Tokens and triggers of one sentence. */
export interface Prepared {
  readonly tokens: readonly Token[];
  readonly matches: readonly Match[];
}

/** Tokens and triggers of a sentence, to be shared by all of its mentions. */
export function prepare(sentence: string): Prepared {
  const tokens = tokenize(sentence);
  return { tokens, matches: matchTriggers(tokens) };
}

export function assessTokens(sentence: string, { tokens, matches }: Prepared, span: Span): Assessment {
  let first = tokens.findIndex((token) => token.end > span.start);
  if (first < 0) first = tokens.length;
  let last = first;
  while (last < tokens.length && (tokens[last]?.start ?? 0) < span.end) last += 1;

  const decided = new Map<'negation' | 'temporality' | 'experiencer', Match>();
  for (const match of matches) {
    const axis = AXIS[match.rule];
    if (axis === undefined || (match.from < last && match.to > first)) continue;
    const before = match.to <= first;
    if (match.scope !== 'BOTH' && (match.scope === 'PRE') !== before) continue;
    if (!before && match.from - last > POST_TOKENS_MAX) continue;
    const [from, to] = before ? [match.to, first] : [last, match.from];
    if (interrupted(tokens, matches, from, to)) continue;
    const known = decided.get(axis);
    if (known === undefined || distance(match, first, last) < distance(known, first, last)) decided.set(axis, match);
  }
  const negation = decided.get('negation');
  const temporality = decided.get('temporality');
  const experiencer = decided.get('experiencer');
  const chief = negation ?? temporality ?? experiencer;
  return {
    negation: negation?.rule === 'NEGATED' || negation?.rule === 'POSSIBLE' ? negation.rule : 'AFFIRMED',
    temporality: temporality?.rule === 'HISTORICAL' || temporality?.rule === 'HYPOTHETICAL' ? temporality.rule : 'RECENT',
    experiencer: experiencer?.rule === 'FAMILY' || experiencer?.rule === 'OTHER' ? experiencer.rule : 'PATIENT',
    trigger: chief === undefined ? null : triggerOf(sentence, tokens, chief),
  };
}

const AXIS: Partial<Record<TriggerRule, 'negation' | 'temporality' | 'experiencer'>> = {
  NEGATED: 'negation',
  POSSIBLE: 'negation',
  HISTORICAL: 'temporality',
  HYPOTHETICAL: 'temporality',
  FAMILY: 'experiencer',
  OTHER: 'experiencer',
};

function distance(match: Match, first: number, last: number): number {
  return match.to <= first ? first - match.to : match.from - last;
}

function interrupted(tokens: readonly Token[], matches: readonly Match[], from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) {
    const token = tokens[i];
    if (token === undefined || !BREAKS.has(token.word)) continue;
    // A stop inside a number or right before a letter ends no sentence.
    if (token.word !== '.' || token.end !== tokens[i + 1]?.start) return true;
  }
  return matches.some((match) => match.rule === 'TERMINATE' && match.from >= from && match.to <= to);
}

function triggerOf(sentence: string, tokens: readonly Token[], match: Match): Trigger {
  const start = tokens[match.from]?.start ?? 0;
  const end = tokens[match.to - 1]?.end ?? start;
  return { text: sentence.slice(start, end), rule: match.rule, start, end };
}
