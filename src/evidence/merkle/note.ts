import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { CodedError } from '../../kernel/index.js';
import { HASH_BYTES } from './tree.js';

/** Signature types of C2SP signed-note: Ed25519 over the text, and the timestamped cosignature of a witness (tlog-cosignature, v1). */
export type SignatureType = 'ed25519' | 'cosignature';
const TYPE_BYTE: Readonly<Record<SignatureType, number>> = { ed25519: 0x01, cosignature: 0x04 };

/** A key that notes are verified with. `id` are the first four bytes of SHA-256(name ‖ "\n" ‖ type ‖ key), in hexadecimal. */
export interface VerifierKey {
  readonly name: string;
  readonly id: string;
  readonly type: SignatureType;
  readonly key: KeyObject;
}

export interface NoteSignature {
  readonly name: string;
  /** Key id, 8 hexadecimal digits. */
  readonly id: string;
  readonly signature: Buffer;
  /** The line as it stands, without its line end. */
  readonly line: string;
}

export interface Note {
  /** What is signed, with its final line end. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970 of a cosignature; null for a plain signature. */
  readonly at: number | null;
  readonly line: string;
}

const NOTE_BYTES_MAX = 64 * 1024;
const SIGNATURES_MAX = 64;
const ED25519_BYTES = 64;
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_NAME = /^[^\s+]+$/u;
// A text with one has no UTF-8 form.
const LONE_SURROGATE = /\p{Surrogate}/u;
// Everything below U+0020 but the line end is refused by the format.
const CONTROL = new RegExp('[\\u0000-\\u0009\\u000b-\\u001f]', 'u');

/** Bytes of strict standard base64, or null: Node's decoder takes nearly everything, a format must not. */
function base64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : null;
}

/** Raw bytes of keys seen: a log signs with one key at each commit, and exporting it takes longer than signing. */
const RAW = new WeakMap<KeyObject, Buffer>();

function rawKey(key: KeyObject): Buffer {
  const known = RAW.get(key);
  if (known) return known;
  if (key.asymmetricKeyType !== 'ed25519') throw new CodedError('CONFIG_INVALID', 'Checkpoints are signed with an Ed25519 key.');
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
  const raw = spki.subarray(SPKI_PREFIX.length);
  RAW.set(key, raw);
  return raw;
}

function keyId(name: string, type: SignatureType, raw: Uint8Array): string {
  const text = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(TYPE_BYTE[type]), raw]);
  return hash('sha256', text, 'hex').slice(0, 8);
}

function checkedName(name: string): string {
  if (!KEY_NAME.test(name) || CONTROL.test(name))
    throw new CodedError('CONFIG_INVALID', 'The name of a key has no space and no plus sign.');
  return name;
}

/** The verifier key of a name and a public (or private) Ed25519 key. Throws CONFIG_INVALID for another kind of key. */
export function verifierKey(name: string, key: KeyObject, type: SignatureType = 'ed25519'): VerifierKey {
  const raw = rawKey(key);
  return { name: checkedName(name), id: keyId(name, type, raw), type, key: publicKeyOf(raw) };
}

/** Text of a verifier key, `<name>+<id>+<base64(type ‖ key)>` (C2SP signed-note). */
export function vkeyOf(name: string, key: KeyObject, type: SignatureType = 'ed25519'): string {
  const raw = rawKey(key);
  const encoded = Buffer.concat([Buffer.of(TYPE_BYTE[type]), raw]).toString('base64');
  return `${checkedName(name)}+${keyId(name, type, raw)}+${encoded}`;
}

/** Ed25519 public key of its 32 bytes. */
export function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** The key of a verifier key text; null where it is malformed, of an unknown type, or its id is not that of its key. */
export function parseVkey(text: string): VerifierKey | null {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim());
  const bytes = base64(match?.[3] ?? '');
  const name = match?.[1] ?? '';
  if (!bytes || bytes.length !== 33 || !KEY_NAME.test(name)) return null;
  const type = bytes[0] === TYPE_BYTE.ed25519 ? 'ed25519' : bytes[0] === TYPE_BYTE.cosignature ? 'cosignature' : null;
  const raw = bytes.subarray(1);
  if (!type || keyId(name, type, raw) !== match?.[2]) return null;
  return { name, id: match[2], type, key: publicKeyOf(raw) };
}

function parseSignature(line: string): NoteSignature | null {
  const match = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line);
  const bytes = base64(match?.[2] ?? '');
  if (!match?.[1] || !bytes || bytes.length < 5) return null;
  return { name: match[1], id: bytes.toString('hex', 0, 4), signature: bytes.subarray(4), line };
}

/** Text and signatures of a signed note; null where it is malformed. Nothing in it is to be believed before `verifyNote`. */
export function parseNote(note: string): Note | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 1 || !note.endsWith('\n') || note.length > NOTE_BYTES_MAX || CONTROL.test(note) || LONE_SURROGATE.test(note)) return null;
  const lines = note.slice(end + 2, -1).split('\n');
  const signatures = lines.map(parseSignature).filter((each) => each !== null);
  if (signatures.length !== lines.length || lines.length > SIGNATURES_MAX) return null;
  return { text: note.slice(0, end + 1), signatures };
}

/** Text of a checkpoint: origin, size, root (C2SP tlog-checkpoint). Throws AUDIT_BROKEN for what could not be read back. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  if (!parseCheckpoint(text))
    throw new CodedError('AUDIT_BROKEN', 'A checkpoint has an origin of one line, a size and a root of 32 bytes.');
  return text;
}

/** Checkpoint of a note's text, or of a whole note; null where it is malformed: empty origin, leading zeros, a root that is not 32 bytes. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const blank = text.lastIndexOf('\n\n');
  const body = blank < 0 ? text : text.slice(0, blank + 1);
  if (!body.endsWith('\n') || CONTROL.test(body)) return null;
  const [origin = '', sizeText = '', rootText = '', ...extensions] = body.slice(0, -1).split('\n');
  const size = Number(sizeText);
  const root = base64(rootText);
  if (origin === '' || !/^(0|[1-9][0-9]*)$/.test(sizeText) || !Number.isSafeInteger(size)) return null;
  if (root?.length !== HASH_BYTES || extensions.includes('')) return null;
  return { origin, size, root };
}

const line = (name: string, id: string, signature: Uint8Array): string =>
  `\u2014 ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`;

/** A signed checkpoint; the name of the key is the origin. The log signs only what is consistent with all it signed before: its caller's duty. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject): string {
  const text = formatCheckpoint(checkpoint);
  const name = checkedName(checkpoint.origin);
  return `${text}\n${line(name, keyId(name, 'ed25519', rawKey(privateKey)), sign(null, Buffer.from(text), privateKey))}`;
}

/** What a cosignature signs (C2SP tlog-cosignature): seconds since 1970, then the text of the checkpoint. */
const cosigned = (at: bigint, text: string): Buffer => Buffer.from(`cosignature/v1\ntime ${at}\n${text}`);

/** Signature line of a witness over the text of a checkpoint at a time in seconds since 1970, with its line end. */
export function cosign(text: string, at: number, name: string, privateKey: KeyObject): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(at));
  const signature = sign(null, cosigned(BigInt(at), text), privateKey);
  return line(checkedName(name), keyId(name, 'cosignature', rawKey(privateKey)), Buffer.concat([time, signature]));
}

function verified(text: string, signature: Buffer, key: VerifierKey): { readonly at: number | null } | null {
  if (key.type === 'ed25519') {
    const holds = signature.length === ED25519_BYTES && verify(null, Buffer.from(text), key.key, signature);
    return holds ? { at: null } : null;
  }
  if (signature.length !== 8 + ED25519_BYTES) return null;
  const at = signature.readBigUInt64BE(0);
  const holds = at <= BigInt(Number.MAX_SAFE_INTEGER) && verify(null, cosigned(at, text), key.key, signature.subarray(8));
  return holds ? { at: Number(at) } : null;
}

/**
 * The signatures of a note by the keys given. Null where the note is malformed, where no key given signed it, and where a signature under the
 * name and id of a key given does not verify (signed-note: such a note is rejected whole). Signatures of unknown keys are passed over.
 */
export function verifyNote(
  note: string,
  keys: readonly VerifierKey[],
): { readonly text: string; readonly signatures: readonly VerifiedSignature[] } | null {
  const parsed = parseNote(note);
  if (!parsed) return null;
  const signatures: VerifiedSignature[] = [];
  for (const each of parsed.signatures) {
    const key = keys.find((candidate) => candidate.name === each.name && candidate.id === each.id);
    if (!key) continue;
    const result = verified(parsed.text, each.signature, key);
    if (!result) return null;
    signatures.push({ key, at: result.at, line: each.line });
  }
  return signatures.length > 0 ? { text: parsed.text, signatures } : null;
}
