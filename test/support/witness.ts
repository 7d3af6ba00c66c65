import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  cosign,
  parseAddCheckpoint,
  parseCheckpoint,
  verifyConsistency,
  verifyNote,
  verifierKey,
  vkeyOf,
  type Checkpoint,
  type VerifierKey,
} from '../../src/evidence/index.js';

export interface WitnessReply {
  readonly status: number;
  readonly body: string;
}

/** A witness that keeps the rules of C2SP tlog-witness, in memory: for each origin it knows the latest checkpoint that it signed. */
export class Witness {
  readonly name = 'witness.example/w1';
  private readonly privateKey: KeyObject = generateKeyPairSync('ed25519').privateKey;
  private readonly latest = new Map<string, Checkpoint>();
  /** All that it signed, as whole notes: what an auditor gets from it. */
  readonly signed: string[] = [];

  constructor(
    private readonly logKeys: () => readonly VerifierKey[],
    private readonly now: () => number,
  ) {}

  get vkey(): string {
    return vkeyOf(this.name, this.privateKey, 'cosignature');
  }

  get key(): VerifierKey {
    return verifierKey(this.name, this.privateKey, 'cosignature');
  }

  addCheckpoint(body: string): WitnessReply {
    const asked = parseAddCheckpoint(body);
    const head = parseCheckpoint(asked?.checkpoint ?? '');
    if (!asked || !head || asked.oldSize > head.size) return { status: 400, body: '' };
    const keys = this.logKeys().filter((each) => each.name === head.origin);
    if (keys.length === 0) return { status: 404, body: '' };
    const note = verifyNote(asked.checkpoint, keys);
    if (!note) return { status: 403, body: '' };
    const known = this.latest.get(head.origin);
    if (asked.oldSize !== (known?.size ?? 0)) return { status: 409, body: `${known?.size ?? 0}\n` };
    if (known && known.size === head.size && Buffer.compare(known.root, head.root) !== 0) return { status: 409, body: '' };
    if (known ? !verifyConsistency(known, head, asked.proof) : asked.proof.length > 0) return { status: 422, body: '' };
    this.latest.set(head.origin, head);
    const line = cosign(note.text, this.now(), this.name, this.privateKey);
    this.signed.push(`${asked.checkpoint}${line}`);
    return { status: 200, body: line };
  }
}

/** Serves a reply to each `add-checkpoint` over loopback HTTP. */
export async function serveWitness(
  reply: (body: string) => WitnessReply | Promise<WitnessReply>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void (async () => {
        const known = request.method === 'POST' && request.url === '/add-checkpoint';
        const { status, body } = known ? await reply(Buffer.concat(chunks).toString('utf8')) : { status: 404, body: '' };
        response.writeHead(status, { 'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain; charset=utf-8' });
        response.end(body);
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}
