import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CodedError } from '../kernel/index.js';

/** An Ed25519 key that signs checkpoints; `publicKey` is base64 of its 32 bytes. */
export interface LogKey {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Keys of this installation as they are kept: PKCS#8 in base64, oldest first; the last one signs. */
export type StoredKeys = readonly string[];

const SPKI_PREFIX_BYTES = 12;

export const newStoredKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');

/** Keys that sign checkpoints: the present one, and older ones so that their logs can be handed over by a signed record. */
export class Keyring {
  private constructor(private readonly keys: readonly LogKey[]) {}

  /** Throws CONFIG_INVALID where there is no key or one is malformed. */
  static of(stored: StoredKeys): Keyring {
    try {
      const keys = stored.map((text) => {
        const privateKey = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
        const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
        return { publicKey: spki.subarray(SPKI_PREFIX_BYTES).toString('base64'), privateKey };
      });
      if (keys.length > 0) return new Keyring(keys);
    } catch {
      // Said below, without anything of the key.
    }
    throw new CodedError('CONFIG_INVALID', 'The keys of the audit log cannot be read.');
  }

  get current(): LogKey {
    const key = this.keys.at(-1);
    if (!key) throw new CodedError('CONFIG_INVALID', 'The audit log has no key.');
    return key;
  }

  get publicKeys(): readonly string[] {
    return this.keys.map((key) => key.publicKey);
  }

  byPublicKey(publicKey: string): LogKey | undefined {
    return this.keys.find((key) => key.publicKey === publicKey);
  }
}
