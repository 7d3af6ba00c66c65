import { createHash, randomBytes } from 'node:crypto';
import { AuditLog, Keyring, entryOf, newStoredKey, type EvidenceEntry, type LineagePlan } from '../../../src/evidence/index.js';
import { digestOf, newUuid, type LineageEdge } from '../../../src/kernel/index.js';
import type { EvidenceStore } from '../../../src/store/index.js';

const PLANS = 200;
const PRINCIPALS = 50;
const COLUMNS = 120;
const FIELDS = 20;
export const PERSONS = 10_000;
export const SIX_YEARS_MS = 6 * 365.25 * 86_400_000;
const GROUP = 512;
/** Two of a hundred are refused. */
const REFUSED = 0.02;
const PURPOSES = ['TREAT', 'HRESCH', 'HOPERAT', 'HPAYMT'] as const;
const DATASETS = ['patient', 'observation', 'imaging_study', 'variant', 'note'];

/** Numbers that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const columnName = (i: number): string => `${DATASETS[i % DATASETS.length] ?? ''}.column_${i}`;

function planOf(n: number, random: () => number): LineagePlan {
  const fields = Array.from({ length: FIELDS }, () => Math.floor(random() * COLUMNS));
  const edge = (i: number, type: LineageEdge['type']): LineageEdge => ({
    coordinate: `Type${i % DATASETS.length}.field${i}`,
    source: columnName(i),
    type,
    masking: random() < 0.2,
  });
  return {
    digest: digestOf(`plan ${n}`),
    document: `query Q${n}($first:Int$minAge:Int){patients(first:$first,where:{age:{gte:$minAge}}){${fields.map((i) => `field${i}`).join(' ')}}}`,
    columns: [...fields.map((i) => edge(i, 'DIRECT')), ...fields.slice(0, 5).map((i) => edge(i, 'INDIRECT'))],
    decisions: fields.map((i) => ({ coordinate: `Type${i % DATASETS.length}.field${i}`, verdict: 'allowed' as const, ruleIds: ['grant'] })),
    policyVersion: digestOf('policy'),
  };
}

/**
 * Runs of realistic variety over six years that end at `end`: 200 plans of 20 fields, 50 callers, run ids, result digests and variables of their own, versions of data
 * that move every day, a new session of each caller every day.
 */
export class Synth {
  private readonly random = seeded(1);
  private readonly plans = Array.from({ length: PLANS }, (_, n) => planOf(n, this.random));
  private readonly policy = digestOf('policy');
  now: number;

  constructor(
    readonly runs: number,
    private readonly patients: number,
    private readonly end: number,
    /** Milliseconds over which they are spread; six years for a million, and less for less where it is not said. */
    private readonly span = SIX_YEARS_MS * Math.min(1, runs / 1e6),
  ) {
    this.now = end - span;
  }

  get start(): number {
    return this.end - this.span;
  }

  next(): EvidenceEntry {
    const { random } = this;
    this.now += (2 * random() * this.span) / this.runs;
    const day = Math.floor(this.now / 86_400_000);
    const who = Math.floor(random() * PRINCIPALS);
    const refused = random() < REFUSED;
    const rows = refused ? 0 : 1 + Math.floor(random() * 500);
    const patients = new Set<string>();
    while (!refused && patients.size < this.patients) patients.add(String(Math.floor(random() * PERSONS)));
    return entryOf({
      runId: newUuid(Math.round(this.now - random() * 200)),
      kind: refused ? 'refused' : 'query',
      at: Math.round(this.now),
      principal: `user-${who}@hospital.example`,
      roles: [who % 2 === 0 ? 'clinician' : 'analyst'],
      purpose: PURPOSES[who % PURPOSES.length] ?? 'TREAT',
      recipient: refused ? null : { id: `org-${who % 7}`, flagged: false },
      caller: {
        sites: [`site-${who % 5}`],
        kind: 'user',
        issuer: 'https://issuer.example',
        identities: [`user-${who}`],
        steppedUp: who % 3 === 0,
      },
      policyVersion: this.policy,
      plan: this.plans[Math.floor(random() * PLANS)] ?? null,
      patients,
      rows,
      bytes: rows * 400 + Math.floor(random() * 400),
      resultDigest: refused ? null : createHash('sha256').update(randomBytes(16)).digest('hex'),
      code: refused ? 'FORBIDDEN' : null,
      versions: Object.fromEntries(DATASETS.slice(0, 3).map((name, i) => [name, day * (i + 1)])),
      facts: { path: 'compiled', session: digestOf(`${who} ${day}`) },
      question: {
        operationName: null,
        literals: [],
        variables: { first: 1 + Math.floor(random() * 500), minAge: Math.floor(random() * 90) },
        patient: null,
      },
    });
  }
}

/** Writes runs through the log of the product as fast as it takes them. Persons are named by ordinals, with keys of their own. */
export async function writeRuns(
  store: EvidenceStore,
  synth: Synth,
  sealKey: Buffer,
): Promise<{ readonly perSecond: number; readonly sample: readonly string[] }> {
  const keys = Array.from({ length: PERSONS }, (_, ordinal) => ({ ordinal, key: Buffer.alloc(32, ordinal % 251) }));
  const sink = Object.create(store) as EvidenceStore;
  sink.persons = (ids) => Promise.resolve([...ids].flatMap((id) => keys[Number(id)] ?? []).sort((a, b) => a.ordinal - b.ordinal));
  // What is measured here is evidence; the meter of bulk data has tables of its own.
  sink.write = (batch) => store.write({ ...batch, charges: [] });
  const keyring = Keyring.of([newStoredKey()]);
  const log = new AuditLog({
    sink,
    keyring: () => keyring,
    sealKey,
    clock: () => Math.round(synth.now),
    monotonic: () => performance.now(),
  });
  const sample: string[] = [];
  let seconds = 0;
  for (let done = 0; done < synth.runs; done += GROUP) {
    const entries = Array.from({ length: Math.min(GROUP, synth.runs - done) }, () => synth.next());
    if (entries[0] && done % Math.max(GROUP, Math.floor(synth.runs / 20)) < GROUP) sample.push(entries[0].runId);
    const began = performance.now();
    await Promise.all(entries.map((entry) => log.append(entry)));
    seconds += (performance.now() - began) / 1000;
  }
  await log.close();
  return { perSecond: synth.runs / seconds, sample };
}
