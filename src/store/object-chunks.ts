import { createHash, type Hash } from 'node:crypto';

export const CHUNK_BYTES = 1024 * 1024;
export const DIGEST_BYTES = 32;
/** Files up to this size have no list of chunks: they are held and hashed whole in a moment. */
export const UNCHUNKED_BYTES_MAX = 8 * CHUNK_BYTES;

/** SHA-256 of each chunk of a file in their order, 32 bytes a chunk; the last chunk may be shorter. */
export class ChunkHasher {
  private readonly digests: Buffer[] = [];
  private current: Hash = createHash('sha256');
  private filled = 0;

  update(part: Uint8Array): void {
    for (let at = 0; at < part.length;) {
      const take = Math.min(CHUNK_BYTES - this.filled, part.length - at);
      this.current.update(part.subarray(at, at + take));
      this.filled += take;
      at += take;
      if (this.filled === CHUNK_BYTES) this.close();
    }
  }

  done(): Buffer {
    if (this.filled > 0) this.close();
    return Buffer.concat(this.digests);
  }

  private close(): void {
    this.digests.push(this.current.digest());
    this.current = createHash('sha256');
    this.filled = 0;
  }
}
