/**
 * Masks identifiers in note text by fixed marks (spec notes N13, N34, mode REDACT). Rules and the known identifiers of the patient;
 * no dictionary of names. It helps to keep identifiers out of a view and does not by itself make a note de-identified.
 */

const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';

/** In order: what can be part of a longer identifier comes later. No rule matches a mark. */
const RULES: readonly (readonly [pattern: RegExp, mark: string])[] = [
  [/\b(?:https?:\/\/|ftp:\/\/|www\.)[^\s<>"')\]]+/gi, '[URL]'],
  [/\b[A-Z0-9][A-Z0-9._%+-]{0,63}@[A-Z0-9-]{1,63}(?:\.[A-Z0-9-]{1,63}){1,8}/gi, '[EMAIL]'],
  [/(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)/g, '[IP]'],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])/gi, '[IP]'],
  [/(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g, '[SSN]'],
  [/\bSSN[ \t]*[:#]?[ \t]*\d{9}\b/gi, '[SSN]'],
  [/\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)/g, '[DATE]'],
  [/(?<![\d/.-])\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})(?![\d/-])/g, '[DATE]'],
  [new RegExp(`\\b\\d{1,2}(?:st|nd|rd|th)?[ -]?(?:of )?${MONTH}\\.?(?:,?[ -]?\\d{4})?\\b`, 'gi'), '[DATE]'],
  [new RegExp(`\\b${MONTH}\\.?[ -]\\d{1,2}(?:st|nd|rd|th)?(?:,?[ ]?\\d{4})?\\b`, 'gi'), '[DATE]'],
  [new RegExp(`\\b${MONTH}\\.?,?[ -]\\d{4}\\b`, 'gi'), '[DATE]'],
  [/(?<![\d-])(?:\+?\d{1,3}[ .-]?)?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4}(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?![\d-])/gi, '[PHONE]'],
  [
    /\b(?:MRN|medical record(?: number| no\.?)?|account(?: number| no\.?)?|acct\.?|chart(?: number| no\.?)?|record(?: number| no\.?)|patient id|accession(?: number| no\.?)?)[ \t]*[:#]*[ \t]*(?=[A-Z-]*\d)[A-Z0-9-]{3,}\b/gi,
    '[ID]',
  ],
  [/\b(?:[A-Z]{2}|zip(?: code)?:?)[ ]+\d{5}(?:-\d{4})?\b/gi, '[ZIP]'],
  [/(?<![\d-])\d{5}-\d{4}(?![\d-])/g, '[ZIP]'],
  [/\b(?:9\d|1[0-4]\d)(?=[ -]?(?:years?|yrs?|y\/?o\b|yo\b))/gi, '[AGE]'],
  [/\b(age[d]?[: ]+)(?:9\d|1[0-4]\d)\b/gi, '$1[AGE]'],
  [/\d{7,}/g, '[ID]'],
  // Where somebody is from; other places are found only where the document states them.
  [/\b(from|lives? in|living in|resid(?:es|ing|ent) (?:in|of)) (?!\[)\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)*/gu, '$1 [PLACE]'],
];

/** Shortest part of a known name that is masked by itself; shorter ones are words of the language. */
const NAME_PART_CHARS_MIN = 3;

/**
 * Replaces the known identifiers of the patient (ids anywhere, names and each word of a name as whole words, in any case), dates, phone numbers,
 * e-mail and IP addresses, URLs, SSN, record numbers, zip codes and ages over 89 by marks such as `[NAME]`. Pure; running it again
 * on its own output changes nothing.
 */
export function redactText(body: string, known: readonly string[]): string {
  const pattern = knownPattern(known);
  const maskKnown = (part: string): string =>
    pattern === null ? part : part.replace(pattern, (found) => (/\d/.test(found) ? '[ID]' : '[NAME]'));
  let text = body;
  for (;;) {
    const before = text;
    text = outsideMarks(text, maskKnown);
    for (const [rule, mark] of RULES) text = outsideMarks(text, (part) => part.replace(rule, mark));
    // A replaced part may lay bare another; each round removes characters of the source, so this ends.
    if (text === before) return text;
  }
}

const MARK = /(\[(?:NAME|ID|URL|EMAIL|IP|SSN|DATE|PHONE|ZIP|AGE)\])/;

function outsideMarks(text: string, change: (part: string) => string): string {
  return text
    .split(MARK)
    .map((part, i) => (i % 2 === 1 ? part : change(part)))
    .join('');
}

/** True where a known identifier stands outside the marks of a redacted text. It searches plainly and shares no pattern with `redactText`. */
export function holdsKnown(redacted: string, known: readonly string[]): boolean {
  const text = fold(
    redacted
      .split(MARK)
      .filter((_, i) => i % 2 === 0)
      .join('|'),
  );
  return known.some((raw) => {
    const phrase = fold(raw.trim());
    if (phrase === '') return false;
    if (/\d/.test(phrase)) return text.includes(phrase);
    const words = phrase.split(/[\s,^]+/).filter((word) => word.length >= NAME_PART_CHARS_MIN);
    return [phrase, ...words].some((word) => holdsWord(text, word));
  });
}

const fold = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ');
const LETTER = /\p{L}/u;

function holdsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!LETTER.test(text.charAt(at - 1)) && !LETTER.test(text.charAt(at + word.length))) return true;
  }
  return false;
}

/** Matches every known identifier: names as whole words, anything with a digit wherever it stands. Null when none is known. */
function knownPattern(known: readonly string[]): RegExp | null {
  const phrases = new Set<string>();
  for (const raw of known) {
    const phrase = raw.trim();
    if (phrase === '') continue;
    phrases.add(phrase);
    if (!/\d/.test(phrase)) for (const word of phrase.split(/[\s,^]+/)) if (word.length >= NAME_PART_CHARS_MIN) phrases.add(word);
  }
  if (phrases.size === 0) return null;
  const alternatives = [...phrases]
    .sort((a, b) => b.length - a.length)
    .map((phrase) => {
      const escaped = phrase.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\s+/g, '\\s+');
      return /\d/.test(phrase) ? escaped : `(?<!\\p{L})${escaped}(?!\\p{L})`;
    });
  return new RegExp(alternatives.join('|'), 'giu');
}
