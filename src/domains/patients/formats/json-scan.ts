import { CodedError } from '../../../kernel/error.js';
import { LIMITS } from '../../../kernel/limits.js';

/** Byte spans of one element of the root's `entry` array; resourceStart is -1 where it has no `resource`. */
export interface EntrySpan {
  readonly start: number;
  readonly end: number;
  readonly resourceStart: number;
  readonly resourceEnd: number;
}

/** Where the root object keeps its `entry` array; listStart is -1 where it has none. Offsets are of the given bytes. */
export interface JsonLayout {
  readonly entries: readonly EntrySpan[];
  readonly listStart: number;
  readonly listEnd: number;
}

const enum Want {
  Value,
  ValueOrEnd,
  KeyOrEnd,
  Key,
  Colon,
  CommaOrEnd,
  Nothing,
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/**
 * Checks one JSON text (RFC 8259) without building it and tells where a Bundle keeps its entries, so that each
 * resource keeps the very bytes it came in. Throws JSON_INVALID with place 'line L column C' (columns count bytes from 1)
 * and LIMIT_RECORD when nested deeper than LIMITS.json_depth_max.
 */
export function scanJson(bytes: Uint8Array, firstLine = 1): JsonLayout {
  return new Scanner(bytes, firstLine).run();
}

/** One pass; the state lies in fields because the strings, numbers and containers of the grammar share the position. */
class Scanner {
  private position = 0;
  private depth = 0;
  private want = Want.Value;
  private readonly isObject = new Uint8Array(LIMITS.json_depth_max + 1);
  private readonly entries: EntrySpan[] = [];
  private listStart = -1;
  private listEnd = -1;
  private inEntries = false;
  private keyStart = 0;
  private keyEnd = 0;
  private entryStart = -1;
  private resourceStart = -1;
  private resourceEnd = -1;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly firstLine: number,
  ) {}

  run(): JsonLayout {
    const { bytes } = this;
    while (this.position < bytes.length) {
      const byte = bytes[this.position] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.position++;
      else this.token(byte);
    }
    if (this.want !== Want.Nothing) this.fail('The JSON ends early');
    return { entries: this.entries, listStart: this.listStart, listEnd: this.listEnd };
  }

  private token(byte: number): void {
    switch (this.want) {
      case Want.ValueOrEnd:
        if (byte === CLOSE_LIST) return this.close(byte);
        return this.value(byte);
      case Want.Value:
        return this.value(byte);
      case Want.KeyOrEnd:
        if (byte === CLOSE_OBJECT) return this.close(byte);
        return this.key(byte);
      case Want.Key:
        return this.key(byte);
      case Want.Colon:
        if (byte !== 0x3a) this.fail('A colon is expected');
        this.position++;
        this.want = Want.Value;
        return;
      case Want.CommaOrEnd:
        if (byte !== 0x2c) return this.close(byte);
        this.position++;
        this.want = this.isObject[this.depth] === 1 ? Want.Key : Want.Value;
        return;
      case Want.Nothing:
        this.fail('Text follows the end of the JSON');
    }
  }

  private key(byte: number): void {
    if (byte !== QUOTE) this.fail('A member name in quotes is expected');
    this.keyStart = this.position + 1;
    this.string();
    this.keyEnd = this.position - 1;
    this.want = Want.Colon;
  }

  private value(byte: number): void {
    if (this.inEntries && this.depth === 2) this.beginEntry();
    else if (this.inEntries && this.depth === 3 && this.keyIs('resource')) this.resourceStart = this.position;
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) return this.open(byte);
    if (byte === QUOTE) this.string();
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.number();
    else if (byte === 0x74) this.literal('true');
    else if (byte === 0x66) this.literal('false');
    else if (byte === 0x6e) this.literal('null');
    else this.fail('A value is expected');
    this.ended();
  }

  private open(byte: number): void {
    if (this.depth >= LIMITS.json_depth_max) {
      throw new CodedError('LIMIT_RECORD', `The JSON is nested deeper than json_depth_max (${LIMITS.json_depth_max})`, {
        place: this.place(),
      });
    }
    if (byte === OPEN_LIST && this.depth === 1 && this.isObject[1] === 1 && this.keyIs('entry')) {
      if (this.listStart !== -1) this.fail('The member entry stands twice');
      this.listStart = this.position;
      this.inEntries = true;
    }
    this.depth++;
    this.isObject[this.depth] = byte === OPEN_OBJECT ? 1 : 0;
    this.want = byte === OPEN_OBJECT ? Want.KeyOrEnd : Want.ValueOrEnd;
    this.position++;
  }

  private close(byte: number): void {
    if (this.depth === 0 || byte !== (this.isObject[this.depth] === 1 ? CLOSE_OBJECT : CLOSE_LIST))
      this.fail('A comma or a closing bracket is expected');
    this.depth--;
    this.position++;
    if (this.inEntries && this.depth === 1) {
      this.inEntries = false;
      this.listEnd = this.position;
    }
    this.ended();
  }

  private beginEntry(): void {
    this.entryStart = this.position;
    this.resourceStart = -1;
    this.resourceEnd = -1;
  }

  private ended(): void {
    this.want = this.depth === 0 ? Want.Nothing : Want.CommaOrEnd;
    if (!this.inEntries) return;
    if (this.depth === 2) {
      this.entries.push({ start: this.entryStart, end: this.position, resourceStart: this.resourceStart, resourceEnd: this.resourceEnd });
    } else if (this.depth === 3 && this.resourceStart !== -1 && this.resourceEnd < this.resourceStart) this.resourceEnd = this.position;
  }

  private keyIs(name: string): boolean {
    if (this.keyEnd - this.keyStart !== name.length) return false;
    for (let at = 0; at < name.length; at++) if (this.bytes[this.keyStart + at] !== name.charCodeAt(at)) return false;
    return true;
  }

  private string(): void {
    const { bytes } = this;
    let at = this.position + 1;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.position = at + 1;
        return;
      }
      if (byte < 0x20) this.fail('A control character stands in a string', at);
      if (byte === BACKSLASH) at = this.escape(at);
    }
    this.fail('A string is not closed', bytes.length);
  }

  /** Returns the offset of the last byte of the escape that begins at `at`. */
  private escape(at: number): number {
    const next = this.bytes[at + 1];
    if (next === undefined || !'"\\/bfnrtu'.includes(String.fromCharCode(next))) this.fail('An escape is not known', at);
    if (next !== 0x75) return at + 1;
    for (let digit = at + 2; digit < at + 6; digit++) {
      const byte = this.bytes[digit] ?? 0;
      const letter = byte | 0x20;
      if (!((byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66))) this.fail('An escape is not known', at);
    }
    return at + 5;
  }

  private digits(): void {
    const start = this.position;
    while (((this.bytes[this.position] ?? 0) ^ 0x30) < 10) this.position++;
    if (this.position === start) this.fail('A digit is expected');
  }

  private number(): void {
    const { bytes } = this;
    if (bytes[this.position] === 0x2d) this.position++;
    if (bytes[this.position] === 0x30) this.position++;
    else this.digits();
    if (bytes[this.position] === 0x2e) {
      this.position++;
      this.digits();
    }
    if (((bytes[this.position] ?? 0) | 0x20) === 0x65) {
      this.position++;
      if (bytes[this.position] === 0x2b || bytes[this.position] === 0x2d) this.position++;
      this.digits();
    }
  }

  private literal(word: string): void {
    for (let at = 0; at < word.length; at++) if (this.bytes[this.position + at] !== word.charCodeAt(at)) this.fail('A value is expected');
    this.position += word.length;
  }

  private place(at = this.position): string {
    let line = this.firstLine;
    let lineStart = 0;
    for (let byte = 0; byte < at; byte++) {
      if (this.bytes[byte] === 0x0a) {
        line++;
        lineStart = byte + 1;
      }
    }
    return `line ${line} column ${at - lineStart + 1}`;
  }

  private fail(reason: string, at = this.position): never {
    throw new CodedError('JSON_INVALID', reason, { place: this.place(at) });
  }
}
