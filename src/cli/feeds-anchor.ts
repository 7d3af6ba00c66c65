import { open } from 'node:fs/promises';
import { Anchor, WitnessClient, parseVkey, type VerifierKey } from '../evidence/index.js';
import { CodedError } from '../kernel/index.js';
import { httpsUrl, type Environment, type FeedParts } from './feeds-settings.js';

const TIMEOUT_MS = 5_000;

export interface AnchorSettings {
  readonly witness: { readonly url: string; readonly vkey: string; readonly key: VerifierKey } | null;
  /** File to which each checkpoint is appended. */
  readonly deposit: string | null;
}

/** `AUDIT_WITNESS_URL` with `AUDIT_WITNESS_KEY`, and `AUDIT_DEPOSIT`. Throws CONFIG_INVALID. */
export function anchorSettings(env: Environment): AnchorSettings {
  const { AUDIT_WITNESS_URL: url, AUDIT_WITNESS_KEY: vkey, AUDIT_DEPOSIT: deposit } = env;
  if (!url !== !vkey) throw new CodedError('CONFIG_INVALID', 'AUDIT_WITNESS_URL and AUDIT_WITNESS_KEY go together.');
  return { witness: url && vkey ? witnessOf(url, vkey) : null, deposit: deposit || null };
}

function witnessOf(url: string, vkey: string): AnchorSettings['witness'] {
  const key = parseVkey(vkey);
  if (key?.type !== 'cosignature')
    throw new CodedError('CONFIG_INVALID', 'AUDIT_WITNESS_KEY is a verifier key of a witness (C2SP signed-note, type 0x04).');
  return { url: httpsUrl('AUDIT_WITNESS_URL', url).replace(/\/+$/, ''), vkey, key };
}

export function anchorOf({ witness, deposit }: AnchorSettings, { evidence, clock, log }: FeedParts): Anchor | null {
  if (!witness && deposit === null) return null;
  const { url, key } = witness ?? {};
  return new Anchor({
    witness: url !== undefined && key ? () => new WitnessClient({ url, key, post: postOnce, timeoutMs: TIMEOUT_MS }) : null,
    witnessName: key?.name ?? '',
    deposit: deposit === null ? null : (checkpoint) => append(deposit, checkpoint),
    leaves: (logId) => (from, to) => evidence.hashes(logId, from, to),
    keep: (logId, row) => evidence.keep(logId, row),
    clock,
    log,
  });
}

/** A checkpoint goes to the witness that was named and nowhere else. */
const postOnce: ConstructorParameters<typeof WitnessClient>[0]['post'] = (url, init) => fetch(url, { ...init, redirect: 'error' });

/** Signed heads one behind the other, an empty line between two, as the verifier reads them. Durable when it returns. */
async function append(file: string, checkpoint: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    const { size } = await handle.stat();
    await handle.appendFile(size === 0 ? checkpoint : `\n${checkpoint}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
