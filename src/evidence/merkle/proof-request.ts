import { HASH_BYTES } from './tree.js';

/** Body of tlog-witness `add-checkpoint`. */
export interface AddCheckpoint {
  readonly oldSize: number;
  /** Consistency proof from the old size to that of the checkpoint; empty from size 0. */
  readonly proof: readonly Uint8Array[];
  /** Signed checkpoint. */
  readonly checkpoint: string;
}

const PROOF_HASHES_MAX = 63;

/** `old <size>`, the hashes of the proof in base64 one a line, a blank line, the signed checkpoint (C2SP tlog-witness). */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((each) => `${Buffer.from(each).toString('base64')}\n`).join('')}\n${checkpoint}`;
}

/** The parts of such a body; null where it is malformed. */
export function parseAddCheckpoint(body: string): AddCheckpoint | null {
  const blank = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, Math.max(0, blank)).split('\n');
  const match = /^old (0|[1-9][0-9]*)$/.exec(first);
  const oldSize = Number(match?.[1]);
  const proof = lines.map((each) => Buffer.from(each, 'base64'));
  const strict = proof.every((each, i) => each.length === HASH_BYTES && each.toString('base64') === lines[i]);
  if (!Number.isSafeInteger(oldSize) || !strict || proof.length > PROOF_HASHES_MAX) return null;
  return { oldSize, proof, checkpoint: body.slice(blank + 2) };
}
