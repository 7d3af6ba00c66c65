import {
  CodedError,
  PURPOSES,
  RECIPIENT_KINDS,
  type AccountingEntry,
  type AccountingProtocol,
  type HoldKind,
  type Recipient,
  type ResearchProtocol,
} from '../../kernel/index.js';
import { contentOf } from './contents.js';
import { disclosureClass } from './disclosure-class.js';

/** An answer that went to a recipient and that the person stood behind. Instants are milliseconds since 1970. */
export interface DisclosureEvent {
  readonly at: number;
  readonly purpose: string;
  readonly recipient: Recipient;
  /** Persons behind the answer. */
  readonly persons: number;
  readonly limited: boolean;
  readonly consented: boolean;
  /** Columns whose values left (table.column), or the asset of a file. */
  readonly sources: readonly string[];
  /** The research protocol, where there is one. */
  readonly protocol: string | null;
}

/** An agency's wish that the person is not told yet (164.528(a)(2)). */
export interface Hold {
  readonly kind: HoldKind;
  readonly at: number;
  readonly until: number;
  readonly endedAt: number | null;
}

/** A research protocol with what went out under it in the range, over all persons. */
export interface ProtocolFacts extends ResearchProtocol {
  readonly persons: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface Accounting {
  readonly events: readonly DisclosureEvent[];
  readonly holds: readonly Hold[];
  readonly protocols: ReadonlyMap<string, ProtocolFacts>;
  /** What study codes stand for. */
  readonly studies: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

const YEARS_MAX = 6;
/** From so many persons on a protocol is listed as such (164.528(b)(4)(i)). */
const PROTOCOL_PERSONS_MIN = 50;
const STATEMENT = 'Health information of the person may or may not have been disclosed for this protocol or research activity.';

/** Throws BAD_INPUT for a range that runs back, is longer than six years or begins earlier than six years ago. */
export function assertAccountingRange(from: number, to: number, now: number): void {
  const bad = (place: string, what: string): CodedError => new CodedError('BAD_INPUT', `An accounting ${what}.`, { place });
  if (!Number.isFinite(from) || !Number.isFinite(to)) throw bad('from', 'takes two instants');
  if (from > to) throw bad('from', 'ends after it begins');
  if (from < yearsBefore(to, YEARS_MAX)) throw bad('from', `covers at most ${YEARS_MAX} years`);
  if (from < yearsBefore(now, YEARS_MAX)) throw bad('from', `begins at most ${YEARS_MAX} years ago`);
}

/**
 * The accounting of disclosures of one person as 164.528(b) wants it: what is not exempt, one line a series to one recipient for one purpose, research with
 * many persons by protocol. Lines stand by first date, then name and id of the recipient, purpose and protocol, so the same events give the same bytes.
 * Throws BAD_INPUT for a bad range.
 */
export function accountingOf({ events, holds, protocols, studies, from, to, now }: Accounting): readonly AccountingEntry[] {
  assertAccountingRange(from, to, now);
  const live = new Set<string>(
    holds.filter((hold) => hold.at <= now && now < Math.min(hold.until, hold.endedAt ?? Infinity)).map((hold) => hold.kind),
  );
  const series = new Map<string, DisclosureEvent[]>();
  for (const event of events) {
    const { at, recipient, purpose, protocol } = event;
    if (at < from || at >= to || live.has(recipient.kind) || disclosureClass(event) !== 'ACCOUNTABLE') continue;
    const listed = isListed(event, protocols);
    const key = JSON.stringify(listed ? [protocol] : [recipient.id, purpose, protocol]);
    const members = series.get(key);
    if (members) members.push(event);
    else series.set(key, [event]);
  }
  return [...series.entries()]
    .map(([key, members]) => ({ key, ...lineOf(members, protocols, studies) }))
    .sort((a, b) => a.at - b.at || order(a.entry.recipient, b.entry.recipient) || order(a.key, b.key))
    .map(({ entry }) => entry);
}

function isListed({ purpose, protocol }: DisclosureEvent, protocols: Accounting['protocols']): boolean {
  const research = purpose === 'HRESCH' || purpose.startsWith('study:');
  return research && protocol !== null && (protocols.get(protocol)?.persons ?? 0) >= PROTOCOL_PERSONS_MIN;
}

function lineOf(
  members: readonly DisclosureEvent[],
  protocols: Accounting['protocols'],
  studies: Accounting['studies'],
): { readonly at: number; readonly entry: AccountingEntry } {
  const [first, ...rest] = [...members].sort((a, b) => a.at - b.at);
  if (!first) throw new CodedError('INTERNAL', 'A series of disclosures holds none.');
  const last = rest.at(-1) ?? first;
  const { recipient, purpose, protocol } = first;
  const facts = protocol === null ? undefined : protocols.get(protocol);
  const common = { description: describe(members.flatMap((each) => each.sources)), purpose: purposeOf(purpose, recipient, studies) };
  const named = protocol !== null && facts ? protocolOf(protocol, facts) : null;
  if (facts && named && isListed(first, protocols)) {
    const at = Math.min(first.at, facts.firstAt);
    const span = { date: day(at), lastDate: day(Math.max(last.at, facts.lastAt)) };
    return {
      at,
      entry: { kind: 'PROTOCOL', ...span, number: null, recipient: facts.researcher, address: null, ...common, protocol: named },
    };
  }
  const span = { date: day(first.at), lastDate: day(last.at), number: members.length };
  const entry: AccountingEntry = {
    kind: 'DISCLOSURES',
    ...span,
    recipient: recipient.name,
    address: recipient.address,
    ...common,
    protocol: named,
  };
  return { at: first.at, entry };
}

const protocolOf = (id: string, { name, description, sponsor, researcher }: ProtocolFacts): AccountingProtocol => ({
  id,
  name,
  description,
  sponsor,
  researcher,
  statement: STATEMENT,
});

/** Kinds of data in words, each once, in alphabetical order. */
function describe(sources: readonly string[]): string {
  const words = new Set(sources.flatMap((source) => contentOf(source).map((content) => content.words)));
  return words.size === 0 ? 'health records' : [...words].sort(order).join('; ');
}

/** What it was for and on which ground: the purpose of use, and what the recipient is. */
function purposeOf(code: string, { kind }: Recipient, studies: Accounting['studies']): string {
  const study = code.startsWith('study:') ? code.slice('study:'.length) : null;
  const words =
    study === null
      ? Object.hasOwn(PURPOSES, code)
        ? PURPOSES[code as keyof typeof PURPOSES]
        : code
      : `research: ${Object.hasOwn(studies, study) ? studies[study] : study}`;
  return `${words}, to ${kind === 'unknown' ? 'a recipient of unknown standing' : RECIPIENT_KINDS[kind]}`;
}

/** The same moment so many years before; of 29 February the 28th. */
function yearsBefore(at: number, years: number): number {
  const date = new Date(at);
  const month = date.getUTCMonth();
  date.setUTCFullYear(date.getUTCFullYear() - years);
  if (date.getUTCMonth() !== month) date.setUTCDate(0);
  return date.getTime();
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
