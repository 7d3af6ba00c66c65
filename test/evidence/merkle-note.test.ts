import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import {
  cosign,
  formatAddCheckpoint,
  formatCheckpoint,
  leafHash,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVkey,
  signCheckpoint,
  verifierKey,
  verifyNote,
  vkeyOf,
} from '../../src/evidence/index.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519').privateKey;
const origin = 'audit.example/log';
const head = { origin, size: 5, root: leafHash('root') };
const key = verifierKey(origin, publicKey);
const raw = (from: KeyObject): Buffer => from.export({ format: 'der', type: 'spki' }).subarray(-32);

it('the checkpoint of the C2SP specification is read, and its Ed25519 lines are told apart', () => {
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  const note = `${text}\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n`;
  expect(parseCheckpoint(note)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
  expect(parseNote(note)).toMatchObject({
    text,
    signatures: [
      { name: 'example.com/behind-the-sofa', id: '033de0ae' },
      { name: 'witness.example.com/w1', id: '8d66cf3f' },
    ],
  });
});

it('a note signed by hand from the words of the specification verifies', () => {
  const text = formatCheckpoint(head);
  const id = createHash('sha256').update(`${origin}\n`).update(Buffer.of(1)).update(raw(publicKey)).digest().subarray(0, 4);
  const note = `${text}\n— ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`;
  expect(signCheckpoint(head, privateKey)).toBe(note);
  expect(verifyNote(note, [key])?.signatures).toHaveLength(1);
  expect(vkeyOf(origin, publicKey)).toBe(
    `${origin}+${id.toString('hex')}+${Buffer.concat([Buffer.of(1), raw(publicKey)]).toString('base64')}`,
  );
});

it('a cosignature carries the time of the witness, and holds for it alone', () => {
  const text = formatCheckpoint(head);
  const line = cosign(text, 1_679_315_147, 'witness.example/w1', other);
  const witness = verifierKey('witness.example/w1', other, 'cosignature');
  const note = signCheckpoint(head, privateKey) + line;
  expect(verifyNote(note, [key, witness])?.signatures.map((each) => each.at)).toEqual([null, 1_679_315_147]);
  const signature = Buffer.from(line.split(' ')[2]!, 'base64');
  signature[11]! ^= 1;
  const later = `${signCheckpoint(head, privateKey)}— witness.example/w1 ${signature.toString('base64')}\n`;
  expect(verifyNote(later, [key, witness])).toBeNull();
  // The witness is not known: its line is passed over.
  expect(verifyNote(later, [key])?.signatures).toHaveLength(1);
  // A log's signature is no cosignature, though the key be the same.
  expect(verifyNote(note, [verifierKey('witness.example/w1', other)])).toBeNull();
});

it('no other text, key or name verifies', () => {
  const note = signCheckpoint(head, privateKey);
  expect(verifyNote(note, [verifierKey(origin, other)])).toBeNull();
  expect(verifyNote(note, [verifierKey('audit.example/another', publicKey)])).toBeNull();
  expect(verifyNote(note.replace('\n5\n', '\n6\n'), [key])).toBeNull();
  expect(verifyNote(note, [])).toBeNull();
});

it('a changed byte anywhere in a signed checkpoint never verifies', () => {
  const note = Buffer.from(signCheckpoint(head, privateKey));
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const bytes = Buffer.from(note);
      bytes[at]! ^= mask;
      expect(verifyNote(bytes.toString('utf8'), [key])).toBeNull();
    }),
    { numRuns: 300 },
  );
});

const root = Buffer.from(head.root).toString('base64');
it.each([
  ['an empty origin', `\n5\n${root}\n`],
  ['a size with a leading zero', `${origin}\n05\n${root}\n`],
  ['a negative size', `${origin}\n-5\n${root}\n`],
  ['a size with a sign', `${origin}\n+5\n${root}\n`],
  ['an empty size', `${origin}\n\n${root}\n`],
  ['a size beyond whole numbers', `${origin}\n99999999999999999999\n${root}\n`],
  ['a root without padding', `${origin}\n5\n${root.replace('=', '')}\n`],
  ['a root in the alphabet for addresses', `${origin}\n5\n${Buffer.alloc(32, 255).toString('base64').replaceAll('/', '_')}\n`],
  ['a root of 31 bytes', `${origin}\n5\n${Buffer.alloc(31).toString('base64')}\n`],
  ['a root of 33 bytes', `${origin}\n5\n${Buffer.alloc(33).toString('base64')}\n`],
  ['a root with bits behind its end', `${origin}\n5\n${root.slice(0, -2)}${String.fromCharCode(root.charCodeAt(42) + 1)}=\n`],
  ['no root', `${origin}\n5\n`],
  ['no line end', `${origin}\n5\n${root}`],
  ['a carriage return', `${origin}\r\n5\r\n${root}\r\n`],
])('a checkpoint with %s is refused', (_what, text) => {
  expect(parseCheckpoint(text)).toBeNull();
});

it.each([
  ['no signature', `${formatCheckpoint(head)}\n`],
  ['no blank line', formatCheckpoint(head)],
  ['a hyphen before the name', signCheckpoint(head, privateKey).replace('—', '-')],
  ['a signature that is not base64', signCheckpoint(head, privateKey).replace(/.\n$/, '!\n')],
  ['no line end', signCheckpoint(head, privateKey).slice(0, -1)],
])('a note with %s is refused', (_what, note) => {
  expect(parseNote(note)).toBeNull();
});

it('a verifier key is read as written, and not with another id, type or length', () => {
  const text = vkeyOf('w', publicKey, 'cosignature');
  expect(parseVkey(text)).toMatchObject({ name: 'w', type: 'cosignature' });
  const [name, id, bytes] = [text.split('+')[0]!, text.split('+')[1]!, Buffer.from(text.split('+').slice(2).join('+'), 'base64')];
  expect(parseVkey(`${name}+00000000+${bytes.toString('base64')}`)).toBeNull();
  expect(parseVkey(`${name}+${id}+${Buffer.concat([Buffer.of(2), bytes.subarray(1)]).toString('base64')}`)).toBeNull();
  expect(parseVkey(`${name}+${id}+${bytes.subarray(0, 32).toString('base64')}`)).toBeNull();
  expect(parseVkey('')).toBeNull();
});

it('a head that could not be read back is never signed', () => {
  for (const bad of [
    { ...head, origin: '' },
    { ...head, origin: 'a\nb' },
    { ...head, size: -1 },
    { ...head, root: Buffer.alloc(31) },
  ])
    expect(() => signCheckpoint(bad, privateKey)).toThrow(expect.objectContaining({ code: 'AUDIT_BROKEN' }));
  expect(() => signCheckpoint({ ...head, origin: 'a b' }, privateKey)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  expect(() => signCheckpoint(head, rsa)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

it('a request to a witness is read as written', () => {
  const asked = { oldSize: 3, proof: [leafHash('a'), leafHash('b')], checkpoint: signCheckpoint(head, privateKey) };
  expect(parseAddCheckpoint(formatAddCheckpoint(asked))).toEqual(asked);
  expect(parseAddCheckpoint(formatAddCheckpoint({ ...asked, oldSize: 0, proof: [] }))).toEqual({ ...asked, oldSize: 0, proof: [] });
  expect(parseAddCheckpoint('old 03\n\nx')).toBeNull();
  expect(parseAddCheckpoint('new 3\n\nx')).toBeNull();
  expect(parseAddCheckpoint('old 3\nAAAA\n\nx')).toBeNull();
  expect(parseAddCheckpoint(`old 3\n${`${root}\n`.repeat(64)}\nx`)).toBeNull();
  expect(parseAddCheckpoint('old 3')).toBeNull();
});
