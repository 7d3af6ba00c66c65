/**
 * Patterns with `*` (any run, also none) and `?` (one character) over whole texts. Work is the product of both lengths at most, whatever
 * the pattern: a policy cannot make a request slow.
 */
export function wildcardMatch(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    // A star in the pattern is a wildcard even where the text has a star in its place.
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** True where some text that begins with `text` matches: after reading it, the pattern can still be completed. */
export function wildcardPrefix(pattern: string, text: string): boolean {
  let states = closure(pattern, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const state of states) {
      const wanted = pattern[state];
      if (wanted === '*') next.add(state);
      else if (wanted === '?' || wanted === character) next.add(state + 1);
    }
    if (next.size === 0) return false;
    states = closure(pattern, next);
  }
  return true;
}

function closure(pattern: string, states: Set<number>): Set<number> {
  for (const state of states) if (pattern[state] === '*') states.add(state + 1);
  return states;
}

export const hasWildcard = (pattern: string): boolean => /[*?]/.test(pattern);
