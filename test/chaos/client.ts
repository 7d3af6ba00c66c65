import { demoKey } from '../../src/cli/home.js';
import { principalOf } from '../../src/cli/who.js';
import type { Receipt } from '../../src/evidence/index.js';
import { signToken, type SigningKey } from '../../src/gateway/index.js';
import { newUuid, systemClock } from '../../src/kernel/index.js';

const QUESTIONS: readonly (readonly [who: string, query: string])[] = [
  ['clinician', '{ patients(first: 5) { edges { node { id familyName birthDate } } } }'],
  ['analyst', '{ patientCount variantCount }'],
  ['clinician', '{ patients(first: 2) { edges { node { id notes(first: 1) { edges { node { authoredAt body } } } } } } }'],
  ['steward', '{ patientCount }'],
];
const ANSWER_MS_MAX = 15_000;

/** A reply that came whole. */
export interface Reply {
  readonly status: number;
  readonly data: boolean;
  readonly code: string | null;
  readonly receipt: Receipt | null;
}

interface Body {
  readonly data?: object | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
  readonly extensions?: { readonly receipt?: Receipt };
}

/** Asks over HTTP, each identity by a token of its own, and keeps what it got. */
export class Client {
  readonly receipts: Receipt[] = [];
  /** Answers with data that came without a receipt. */
  unreceipted = 0;
  readonly codes: Record<string, number> = {};
  private asked = 0;
  private readonly tokens = new Map<string, string>();

  private constructor(private readonly key: SigningKey) {}

  static async of(home: string): Promise<Client> {
    const client = new Client(await demoKey(home));
    await client.sign();
    return client;
  }

  private async sign(): Promise<void> {
    const now = systemClock();
    for (const [who] of QUESTIONS) this.tokens.set(who, await signToken(this.key, principalOf(who), now, newUuid(now)));
  }

  /** Null where the reply did not come whole. */
  async ask(url: string): Promise<Reply | null> {
    const [who, query] = QUESTIONS[this.asked++ % QUESTIONS.length] ?? ['', ''];
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.tokens.get(who) ?? ''}` },
        body: JSON.stringify({ query }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      return this.take(response.status, JSON.parse(await response.text()) as Body);
    } catch {
      return null;
    }
  }

  private take(status: number, body: Body): Reply {
    const data = body.data !== null && body.data !== undefined;
    const receipt = body.extensions?.receipt ?? null;
    const code = body.errors?.[0]?.extensions?.code ?? null;
    if (receipt) this.receipts.push(receipt);
    else if (data) this.unreceipted += 1;
    if (code !== null) this.codes[code] = (this.codes[code] ?? 0) + 1;
    return { status, data, code, receipt };
  }

  /** Asks until an answer with data comes; false after `ms`. */
  async untilAnswered(url: string, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      if ((await this.ask(url))?.data === true) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }

  /** Several ask at once, as long as `goes` says so. `answered` hears of each answer with data. */
  async load(url: string, goes: () => boolean, answered: (reply: Reply) => void, width = 4): Promise<void> {
    const one = async (): Promise<void> => {
      while (goes()) {
        const reply = await this.ask(url);
        if (reply?.data === true) answered(reply);
        else await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await Promise.all(Array.from({ length: width }, one));
  }
}
