import { CodedError } from '../../../kernel/index.js';

/** An object of a document, with the place it stands at for messages. */
export class Json {
  constructor(
    private readonly fields: Readonly<Record<string, unknown>>,
    readonly place: string,
  ) {}

  /** Refuses anything but an object (POLICY_INVALID). */
  static of(value: unknown, place: string): Json {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refused(place, 'is no object');
    return new Json(value as Record<string, unknown>, place);
  }

  has(name: string): boolean {
    return this.raw(name) !== null;
  }

  raw(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? null) : null;
  }

  text(name: string): string | null {
    const value = this.raw(name);
    if (value === null || typeof value === 'string') return value;
    throw refused(`${this.place}.${name}`, 'is no text');
  }

  number(name: string, fallback: number): number {
    const value = this.raw(name) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw refused(`${this.place}.${name}`, 'is no whole number');
    return value;
  }

  /** Documents write truth as a word too. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === null || value === '') return fallback;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw refused(`${this.place}.${name}`, 'is neither true nor false');
  }

  texts(name: string): readonly string[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
      throw refused(`${this.place}.${name}`, 'is no list of texts');
    return value;
  }

  objects(name: string): readonly Json[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value)) throw refused(`${this.place}.${name}`, 'is no list');
    return value.map((each, index) => Json.of(each, `${this.place}.${name}[${index}]`));
  }

  /** An object whose values are objects, or an empty one. */
  object(name: string): Json {
    return Json.of(this.raw(name) ?? {}, `${this.place}.${name}`);
  }

  entries(): readonly (readonly [string, unknown])[] {
    return Object.entries(this.fields);
  }

  /** The values that are plain, as text. */
  plain(): Record<string, string> {
    return Object.fromEntries(
      this.entries().flatMap(([name, value]) =>
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, String(value)]] : [],
      ),
    );
  }
}

const refused = (place: string, what: string): CodedError =>
  new CodedError('POLICY_INVALID', `The policies are refused: ${place} ${what}.`, { place });
