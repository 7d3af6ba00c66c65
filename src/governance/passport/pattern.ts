/** Longer patterns are not supported, which rejects the visa that holds one. */
export const PATTERN_CHARACTERS_MAX = 512;

/**
 * True where the whole text, case-sensitively, fits the pattern: `?` is any one character, `*` any run of them, the empty one included;
 * nothing escapes them (GA4GH Passport v1, Pattern Matching). Characters are Unicode code points. Work is at most pattern times text:
 * only the last `*` is ever tried again.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(text);
  let at = 0;
  let from = 0;
  /** Where to go on when what follows the last `*` does not fit: the pattern after it, and one character further in the text. */
  let retry: { at: number; from: number } | null = null;
  while (from < given.length) {
    if (wanted[at] === '*') {
      at += 1;
      retry = { at, from };
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[from])) {
      at += 1;
      from += 1;
    } else if (retry !== null) {
      retry = { at: retry.at, from: retry.from + 1 };
      ({ at, from } = retry);
    } else return false;
  }
  return wanted.slice(at).every((character) => character === '*');
}
