import { LineFault } from './vcf-fault.js';
import { isNonNegative, type VcfDefinition } from './vcf-reserved.js';
import { fitsType } from './vcf-value.js';

const INFO_COLUMN = 8;
const SEMICOLON = 59;
const COMMA = 44;
const QUOTE = 34;
const KEY = /^([A-Za-z_][0-9A-Za-z_.]*|1000G)$/;

/**
 * Checks the INFO column of one line after another against the header's definitions and the reserved keys
 * (VCF 4.1-4.5 section 1.6.1 item 8). A broken reserved key is a fault; a broken key of the header's own is a `finding`. Number=G is not checked: for INFO the specification leaves it open.
 */
export class InfoChecker {
  private readonly lastSeen = new Map<string, number>();
  private readonly goodKeys = new Set<string>();
  private round = 0;
  /** What the last line breaks of the header's own definitions: worth a report, but the line can be read. */
  finding: LineFault | undefined;

  constructor(
    private readonly reserved: ReadonlyMap<string, VcfDefinition>,
    private readonly declared: ReadonlyMap<string, VcfDefinition>,
    private readonly strictKeys: boolean,
  ) {}

  check(info: string, alts: number): LineFault | undefined {
    this.finding = undefined;
    if (info === '.') return undefined;
    if (info === '') return new LineFault('INFO is empty.', INFO_COLUMN);
    // Keys come from the header in sound files; the bound holds against files that invent a key a line.
    if (this.lastSeen.size > 10_000) this.lastSeen.clear();
    this.round += 1;
    for (let start = 0; start <= info.length;) {
      const stop = info.indexOf(';', start);
      const end = stop === -1 ? info.length : stop;
      const fault = this.checkEntry(info, start, end, alts);
      if (fault !== undefined) return new LineFault(fault, INFO_COLUMN);
      start = end + 1;
      // A last semicolon is common in real files and loses nothing.
      if (start === info.length && info.charCodeAt(end) === SEMICOLON) return undefined;
    }
    return undefined;
  }

  private checkEntry(info: string, start: number, end: number, alts: number): string | undefined {
    let equals = start;
    while (equals < end && info[equals] !== '=') equals += 1;
    const key = info.slice(start, equals);
    if (key === '' || (this.strictKeys && !this.isKey(key))) return 'INFO holds a key that is empty or not allowed.';
    if (/\s/.test(key)) return 'An INFO key holds white space.';
    if (this.lastSeen.get(key) === this.round) return 'INFO holds a key twice.';
    this.lastSeen.set(key, this.round);
    const reserved = this.reserved.get(key);
    const definition = this.declared.get(key) ?? reserved;
    if (definition === undefined) return undefined;
    const broken = checkEntryValue(definition, info, equals, end, alts);
    if (broken === undefined || reserved !== undefined) return broken;
    this.finding ??= new LineFault(broken, INFO_COLUMN);
    return undefined;
  }

  private isKey(key: string): boolean {
    if (this.goodKeys.has(key)) return true;
    const good = KEY.test(key);
    if (good && this.goodKeys.size < 10_000) this.goodKeys.add(key);
    return good;
  }
}

function checkEntryValue(definition: VcfDefinition, info: string, equals: number, end: number, alts: number): string | undefined {
  if (definition.type === 'Flag') return checkFlag(definition.id, info, equals, end);
  if (equals === end) return `INFO ${definition.id} has no value.`;
  return checkValues(definition, info, equals + 1, end, alts);
}

function checkFlag(id: string, info: string, equals: number, end: number): string | undefined {
  if (equals === end) return undefined;
  const char = info[equals + 1];
  return end === equals + 2 && (char === '0' || char === '1') ? undefined : `INFO ${id} is a flag and holds a value.`;
}

function checkValues(definition: VcfDefinition, info: string, start: number, end: number, alts: number): string | undefined {
  if (end - start === 1 && info[start] === '.') return undefined;
  let count = 1;
  let from = start;
  let quoted = false;
  for (let at = start; at <= end; at += 1) {
    const char = info.charCodeAt(at);
    if (at < end && char === QUOTE) quoted = !quoted;
    if (at < end && (quoted || char !== COMMA)) continue;
    if (!fitsType(definition.type, info, from, at)) return `INFO ${definition.id} is not of its Type.`;
    if (info[from] === '-' && definition.type !== 'String' && isNonNegative(definition.id)) return `INFO ${definition.id} is negative.`;
    if (at < end) count += 1;
    from = at + 1;
  }
  const wanted = wantedCount(definition.number, alts);
  return wanted === undefined || wanted === count ? undefined : `INFO ${definition.id} has a count of values other than its Number.`;
}

function wantedCount(number: string, alts: number): number | undefined {
  if (number === 'A') return alts === 0 ? undefined : alts;
  if (number === 'R') return alts + 1;
  const code = number.charCodeAt(0);
  return code >= 49 && code <= 57 ? Number(number) : undefined;
}

/** The value of one key of a raw INFO column: undefined when absent, true for a key without a value. */
export function infoValue(info: string, key: string): string | true | undefined {
  for (let start = 0; start <= info.length;) {
    const stop = info.indexOf(';', start);
    const end = stop === -1 ? info.length : stop;
    if (info.startsWith(key, start)) {
      const after = start + key.length;
      if (after === end) return true;
      if (info[after] === '=') return info.slice(after + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}
