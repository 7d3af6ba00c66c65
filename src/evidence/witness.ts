import { consistencyProof, type HashReader } from './merkle/proof.js';
import { parseCheckpoint, parseNote, verifyNote, type VerifierKey } from './merkle/note.js';
import { formatAddCheckpoint } from './merkle/proof-request.js';

/** The part of `fetch` that is used. */
export type PostText = (
  url: string,
  init: { readonly method: 'POST'; readonly body: string; readonly signal: AbortSignal },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

/**
 * Why there is no cosignature:
 * `unreachable` no answer, `timeout` none in time, `unknown-log` 404, `key-refused` 403, `inconsistent` 422 or a 409 with the size at hand: the witness
 * holds another tree, `ahead` the witness has signed a larger tree than this one, `bad-answer` anything else that the protocol does not allow,
 * `bad-cosignature` no valid signature of this witness in a good answer.
 */
export type WitnessFault =
  'unreachable' | 'timeout' | 'unknown-log' | 'key-refused' | 'inconsistent' | 'ahead' | 'bad-answer' | 'bad-cosignature';

export type WitnessAnswer =
  | {
      readonly ok: true;
      /** The checkpoint with the signatures of the witness behind those that it had. */
      readonly checkpoint: string;
      /** Seconds since 1970, by the clock of the witness. */
      readonly at: number;
    }
  | { readonly ok: false; readonly fault: WitnessFault };

export interface WitnessOptions {
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  /** Key of the witness, of type `cosignature`. */
  readonly key: VerifierKey;
  readonly post: PostText;
  readonly timeoutMs: number;
}

const SIZES_TRIED_MAX = 3;
const SIZE = /^(0|[1-9][0-9]{0,15})\n$/;
const failed = (fault: WitnessFault): WitnessAnswer => ({ ok: false, fault });

/**
 * Client of one witness (C2SP tlog-witness, `add-checkpoint`). It remembers the size that the witness signed last and begins the proof there; after a
 * restart the witness names it. Nothing is thrown for what the witness does: the log goes on, and the fault is its operator's to see.
 */
export class WitnessClient {
  private cosigned = 0;

  constructor(private readonly options: WitnessOptions) {}

  /** Asks for a cosignature over a signed checkpoint; `read` gives hashes of its tree. */
  async cosign(checkpoint: string, read: HashReader): Promise<WitnessAnswer> {
    const head = parseCheckpoint(checkpoint);
    if (!head) return failed('bad-answer');
    for (let tried = 0; tried < SIZES_TRIED_MAX; tried += 1) {
      const oldSize = this.cosigned;
      if (oldSize > head.size) return failed('ahead');
      const proof = await consistencyProof(oldSize, head.size, read);
      const answer = await this.post(formatAddCheckpoint({ oldSize, proof, checkpoint }));
      if (typeof answer === 'string') return failed(answer);
      if (answer.status === 200) {
        const result = this.verified(checkpoint, answer.body);
        if (result.ok) this.cosigned = head.size;
        return result;
      }
      if (answer.status !== 409) return failed(faultOf(answer.status));
      const said = SIZE.exec(answer.body)?.[1];
      // A conflict without another size: the same size with another root.
      if (said === undefined || Number(said) === oldSize) return failed('inconsistent');
      this.cosigned = Number(said);
    }
    return failed('bad-answer');
  }

  private async post(body: string): Promise<{ readonly status: number; readonly body: string } | 'timeout' | 'unreachable'> {
    const { url, post, timeoutMs } = this.options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await post(`${url}/add-checkpoint`, { method: 'POST', body, signal });
      return { status: answer.status, body: await answer.text() };
    } catch {
      return signal.aborted ? 'timeout' : 'unreachable';
    }
  }

  /** Only lines of this witness that verify are taken over. */
  private verified(checkpoint: string, lines: string): WitnessAnswer {
    const note = parseNote(`${checkpoint}${lines}`);
    const text = parseNote(checkpoint)?.text;
    const found = text === undefined || note?.text !== text ? null : verifyNote(`${text}\n${lines}`, [this.options.key]);
    const [latest] = found?.signatures ?? [];
    if (!found || latest === undefined || latest.at === null) return failed('bad-cosignature');
    return { ok: true, checkpoint: `${checkpoint}${found.signatures.map((each) => `${each.line}\n`).join('')}`, at: latest.at };
  }
}

function faultOf(status: number): WitnessFault {
  if (status === 404) return 'unknown-log';
  if (status === 403) return 'key-refused';
  return status === 422 ? 'inconsistent' : 'bad-answer';
}
