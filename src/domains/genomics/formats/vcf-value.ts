const ZERO = 48;
const NINE = 57;
const WORD = /^[+-]?(inf|infinity|nan)$/i;

function digitsEnd(text: string, at: number, end: number): number {
  let next = at;
  while (next < end) {
    const char = text.charCodeAt(next);
    if (char < ZERO || char > NINE) break;
    next += 1;
  }
  return next;
}

function signEnd(text: string, at: number): number {
  const char = text.charCodeAt(at);
  return char === 43 || char === 45 ? at + 1 : at;
}

/** True when text[start, end) is a decimal integer with an optional sign. */
export function isInteger(text: string, start: number, end: number): boolean {
  const digits = signEnd(text, start);
  return digits < end && digitsEnd(text, digits, end) === end;
}

/** True when text[start, end) is a VCF Float (VCF 4.3 section 1.3): decimal or exponent form, Inf or NaN. */
export function isFloat(text: string, start: number, end: number): boolean {
  const digits = signEnd(text, start);
  let at = digitsEnd(text, digits, end);
  let count = at - digits;
  if (at < end && text[at] === '.') {
    const fraction = at + 1;
    at = digitsEnd(text, fraction, end);
    count += at - fraction;
  }
  if (count === 0) return WORD.test(text.slice(start, end));
  if (at < end && (text[at] === 'e' || text[at] === 'E')) {
    const exponent = signEnd(text, at + 1);
    return exponent < end && digitsEnd(text, exponent, end) === end;
  }
  return at === end;
}

/** True when one value of a list fits the Type; the missing value '.' always does. */
export function fitsType(type: string, text: string, start: number, end: number): boolean {
  if (end - start === 1 && text[start] === '.') return true;
  if (type === 'Integer') return isInteger(text, start, end);
  if (type === 'Float') return isFloat(text, start, end);
  if (type === 'Character') return end - start === 1 || (text[start] === '%' && end - start === 3);
  return true;
}

/** Number of ways to draw `ploidy` alleles out of `alleles`, order ignored: the length of a Number=G list. */
export function genotypeCount(alleles: number, ploidy: number): number {
  let count = 1;
  for (let step = 1; step <= ploidy; step += 1) count = (count * (alleles + step - 1)) / step;
  return count;
}
