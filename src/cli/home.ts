import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Keyring, newStoredKey, type StoredKeys } from '../evidence/index.js';
import { makeSigningKey, type SigningKey } from '../gateway/index.js';

/** The folder of this installation: database, raw files, keys. */
export const homeFolder = (): string => resolve(process.env['THALAMUS_HOME'] ?? join(__dirname, '..', '..', '..', '.thalamus'));

function keep<T>(file: string, make: () => T): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = make();
  mkdirSync(resolve(file, '..'), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(made), { mode: 0o600 });
  try {
    // The name appears with the whole content behind it, and only once.
    linkSync(draft, file);
    return made;
  } catch (error) {
    // Another start made it at the same moment.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The secret from which the keys of masks are derived: made once, readable by the owner only. */
export function installationSecret(home: string): Buffer {
  return Buffer.from(
    keep(join(home, 'secret.json'), () => randomBytes(32).toString('base64')),
    'base64',
  );
}

/** The key that signs tokens of demo identities. */
export async function demoKey(home: string): Promise<SigningKey> {
  const fresh = await makeSigningKey();
  return keep(join(home, 'demo-signing-key.json'), () => fresh);
}

const AUDIT_KEYS = 'audit-keys.json';

/** Keys that sign the checkpoints of the audit log, oldest first; one is made where there is none. */
export const auditKeys = (home: string): Keyring => Keyring.of(keep<StoredKeys>(join(home, AUDIT_KEYS), () => [newStoredKey()]));

/** Adds a key that signs from the next start on; base64 of its public half. */
export function rotateAuditKey(home: string): string {
  const file = join(home, AUDIT_KEYS);
  auditKeys(home);
  const keys = [...(JSON.parse(readFileSync(file, 'utf8')) as StoredKeys), newStoredKey()];
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(keys), { mode: 0o600 });
  renameSync(draft, file);
  return Keyring.of(keys).current.publicKey;
}
