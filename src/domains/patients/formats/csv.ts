import { CodedError } from '../../../kernel/error.js';
import { LIMITS } from '../../../kernel/limits.js';

/** One record of a CSV file; `source` is its text without the line end, `fault` names a breach of the quoting rules. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly source: string;
  readonly fault: string | null;
}

const enum At {
  FieldStart,
  Plain,
  Quoted,
  QuoteInQuoted,
}

/** RFC 4180 with CR LF or LF line ends. Takes text in pieces of any size, keeps the state between them, never reads a piece twice. */
export class CsvReader {
  private state = At.FieldStart;
  private field = '';
  private fields: string[] = [];
  private source = '';
  private fault: string | null = null;

  *push(text: string): Generator<CsvRow> {
    let from = 0;
    let rowFrom = 0;
    for (let at = 0; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (this.state === At.Quoted) {
        if (char === 0x22) {
          this.field += text.slice(from, at);
          this.state = At.QuoteInQuoted;
        }
      } else if (char === 0x2c || char === 0x0a) {
        if (this.state === At.Plain) this.field += text.slice(from, at);
        this.endField(char === 0x0a);
        from = at + 1;
        if (char === 0x0a) {
          this.source += text.slice(rowFrom, at);
          rowFrom = at + 1;
          yield this.endRow();
        }
      } else if (char === 0x22) {
        if (this.state === At.Plain) this.fault = 'a quote stands inside a field that does not begin with one';
        else {
          if (this.state === At.QuoteInQuoted) this.field += '"';
          this.state = At.Quoted;
          from = at + 1;
        }
      } else if (this.state === At.FieldStart) {
        this.state = At.Plain;
        from = at;
      } else if (this.state === At.QuoteInQuoted && char !== 0x0d) this.fault = 'text follows a closing quote';
    }
    if (this.state === At.Plain || this.state === At.Quoted) this.field += text.slice(from);
    this.source += text.slice(rowFrom);
    if (this.source.length > LIMITS.record_bytes_max)
      throw new CodedError('LIMIT_RECORD', `A row is longer than record_bytes_max (${LIMITS.record_bytes_max})`);
  }

  /** The last record, when the file does not end in a line end. */
  end(): CsvRow | null {
    if (this.source === '') return null;
    if (this.state === At.Quoted) this.fault = 'a quote is not closed';
    this.endField(true);
    return this.endRow();
  }

  private endField(endsRow: boolean): void {
    // The CR of a line end lands in a plain field only; one inside quotes belongs to the value.
    this.fields.push(endsRow && this.state === At.Plain && this.field.endsWith('\r') ? this.field.slice(0, -1) : this.field);
    this.field = '';
    this.state = At.FieldStart;
  }

  private endRow(): CsvRow {
    const source = this.source.endsWith('\r') ? this.source.slice(0, -1) : this.source;
    const row = { fields: this.fields, source, fault: this.fault };
    this.fields = [];
    this.source = '';
    this.fault = null;
    return row;
  }
}
