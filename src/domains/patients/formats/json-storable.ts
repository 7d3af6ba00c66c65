/** A whole number token with an exponent that the database cannot hold. */
const HUGE_EXPONENT = /[:,[]\s*-?\d[\d.]*[eE][+-]?\d{4,}\s*[,}\]]/;

/**
 * True where the texts of a JSON document can be stored: no NUL character, no half of a surrogate pair, no number beyond what
 * Postgres holds. One such value would otherwise fail the whole transaction that it is written in. `raw` is valid JSON.
 */
export function isStorable(raw: Buffer): boolean {
  const json = raw.toString('utf8');
  if (HUGE_EXPONENT.test(json)) return false;
  // Inside JSON both characters can only be written as escapes.
  if (!raw.includes('\\u')) return true;
  let sound = true;
  JSON.parse(json, (key: string, value: unknown) => {
    sound &&= isSound(key) && (typeof value !== 'string' || isSound(value));
    return value;
  });
  return sound;
}

function isSound(text: string): boolean {
  return !text.includes('\0') && Buffer.from(text, 'utf8').toString('utf8') === text;
}
