/**
 * Verifies exported audit logs without code of the product: its own Merkle tree (RFC 6962), tiles and signed notes (C2SP).
 *   node audit-verify.mjs DIR --key FILE.. [--witness FILE ..] [--checkpoints FILE ..] [--receipts FILE ..] [--strict] [--json]
 * --key: verifier keys of the logs, `name+id+base64`, one a line; each is good for every log. Of a log whose key was changed the first is enough.
 * --witness: verifier keys of witnesses. --checkpoints: signed heads kept elsewhere, an empty line between two. --receipts: one JSON a line.
 * --strict: a signature by a key not given is a finding. Answers OK, or the first bad index with its class; exit 0 good, 1 bad, 2 unreadable.
 * Where a head alone contradicts, the index is the size of the last head that agrees: the first record that may be bad.
 */
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';

/** Every class of finding: fifteen kinds of tampering, then broken form and files that belong to no record. */
export const CLASSES = [
  ...['edited', 'deleted', 'reordered', 'inserted', 'truncated', 'rolled-back', 'unsigned', 'foreign-key', 're-signed', 'forked'],
  ...['renumbered', 'run-repeated', 'clock-back', 'tail', 'never-written', 'malformed', 'stray'],
];
/** What may stand behind the last head that a witness signed: above it, whoever holds the key can make records anew. */
const TAIL = { records: 256, ms: 1000 };
const [LEAF, NODE] = [Buffer.of(0), Buffer.of(1)];
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
/** Appends a leaf to a Merkle tree of `size` leaves, kept as the roots of its perfect subtrees; `onNode` gets each subtree that it completes. */
function append(peaks, size, leaf, onNode) {
  let node = leaf;
  onNode(0, node);
  for (let at = size, height = 1; at % 2; at = (at - 1) / 2, height++) onNode(height, (node = sha256(NODE, peaks.pop(), node)));
  peaks.push(node);
}
const rootOf = (peaks) => (peaks.length ? peaks.reduceRight((right, left) => sha256(NODE, left, right)) : sha256());

const fromBase64 = (text) => (Buffer.from(text, 'base64').toString('base64') === text ? Buffer.from(text, 'base64') : null);
const keyId = (name, type, raw) => sha256(`${name}\n`, Buffer.of(type), raw).toString('hex', 0, 4);
const vkey = (name, { type, raw }) => `${name}+${keyId(name, type, raw)}+${Buffer.concat([Buffer.of(type), raw]).toString('base64')}`;
/** A key of its raw 32 bytes; type 1 signs notes, type 4 cosigns them. */
function keyOf(name, type, raw) {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return { name, type, raw, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}
/** Keys of a file, one a line. Throws for a line that is none. */
function readKeys(text) {
  const lines = text.split('\n').filter((line) => line.trim());
  return lines.map((line) => {
    const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line.trim()) ?? [];
    const bytes = fromBase64(encoded ?? '');
    if (bytes?.length !== 33 || keyId(name, bytes[0], bytes.subarray(1)) !== id) throw new Error('a verifier key is malformed');
    return keyOf(name, bytes[0], bytes.subarray(1));
  });
}
/** Signature line of a note; null where it is malformed. */
function readSignature(line) {
  const [, name, signed] = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line) ?? [];
  const bytes = fromBase64(signed ?? '');
  return bytes?.length > 4 ? { name, id: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) } : null;
}
/** Checkpoint of a signed note, its signatures not yet verified; null where it is malformed. */
function readCheckpoint(note) {
  const [text, lines, ...rest] = note.split('\n\n');
  if (lines === undefined || rest.length || !lines.endsWith('\n') || /[\0-\x09\x0b-\x1f]/.test(note)) return null;
  const [origin, size, encoded, ...extensions] = text.split('\n');
  const root = fromBase64(encoded ?? '');
  if (!origin || !/^(0|[1-9]\d{0,15})$/.test(size) || root?.length !== 32 || extensions.includes('')) return null;
  const signatures = lines.slice(0, -1).split('\n').map(readSignature);
  if (signatures.includes(null)) return null;
  return { note, text: `${text}\n`, origin, log: origin.slice(origin.lastIndexOf('/') + 1), size: +size, root, signatures };
}
/** Checkpoints one behind the other, an empty line between two; null for each that is malformed. */
function readCheckpoints(text) {
  const blocks = text === '' ? [] : text.slice(0, -1).split('\n\n');
  const notes = Array.from({ length: Math.ceil(blocks.length / 2) }, (_, i) => `${blocks[2 * i]}\n\n${blocks[2 * i + 1]}\n`);
  return notes.join('\n') === text ? notes.map(readCheckpoint) : [null];
}
/** How many signatures of a checkpoint are good and wrong under the keys given, and how many are by others. A key of the log signs as the origin. */
function signatures(checkpoint, keys) {
  const count = { good: 0, wrong: 0, other: 0 };
  for (const { name, id, bytes } of checkpoint.signatures) {
    const known = keys.find((key) => (key.type === 1 ? checkpoint.origin : key.name) === name && keyId(name, key.type, key.raw) === id);
    const time = bytes.length === 72 ? `cosignature/v1\ntime ${bytes.readBigUInt64BE(0)}\n` : '';
    const sized = known && bytes.length === (known.type === 1 ? 64 : 72);
    const good = sized && verifySignature(null, Buffer.from(time + checkpoint.text), known.key, bytes.subarray(-64));
    count[!known ? 'other' : good ? 'good' : 'wrong']++;
  }
  return count;
}
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const [INSTANT, UUID] = [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];
/** Whether keys ascend everywhere: a text that JSON prints the same again is canonical (RFC 8785) with it. */
function ascending(value) {
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(ascending);
  const keys = Object.keys(value);
  return keys.every((key, i) => (i === 0 || keys[i - 1] < key) && ascending(value[key]));
}
/** The record of an entry; null where the bytes are not canonical JSON with the members that are checked. */
function readRecord(bytes) {
  try {
    const text = UTF8.decode(bytes);
    const record = JSON.parse(text);
    if (JSON.stringify(record) !== text || !ascending(record)) return null;
    const numbers = Number.isSafeInteger(record.seq) && Number.isSafeInteger(record.mono);
    return numbers && INSTANT.test(record.at) && UUID.test(record.run) && record.writer?.length ? record : null;
  } catch {
    return null;
  }
}
/** Entries of a bundle as far as they are whole, and how many bytes they fill. */
function readBundle(bytes) {
  const entries = [];
  let at = 0;
  while (at + 2 <= bytes.length && at + 2 + bytes.readUInt16BE(at) <= bytes.length)
    entries.push(bytes.subarray(at + 2, (at += 2 + bytes.readUInt16BE(at))));
  return { entries, filled: at };
}
/** Path of a tile or bundle: index in groups of three digits, all but the last with an x; behind it the width of a partial one. */
function tilePath(level, index, width) {
  const padded = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  return `tile/${level}/${padded.replace(/\d{3}(?=\d)/g, 'x$&/')}${width === 256 ? '' : `.p/${width}`}`;
}
const readOrNull = (file) => (existsSync(file) && statSync(file).isFile() ? readFileSync(file) : null);
/** Where the leaves of a bundle differ from those of its tile, and what happened there. */
function compare(hashes, tile, last) {
  const leaves = hashes.map((hash) => hash.toString('latin1'));
  const at = leaves.findIndex((leaf, i) => leaf !== tile[i]);
  if (at < 0 && leaves.length < tile.length) return [leaves.length, last ? 'truncated' : 'deleted'];
  if (at < 0 || at >= tile.length) return [tile.length, 'inserted'];
  if (leaves.length === tile.length && leaves.every((leaf) => tile.includes(leaf))) return [at, 'reordered'];
  return [at, leaves[at] === tile[at + 1] ? 'deleted' : leaves[at + 1] === tile[at] ? 'inserted' : 'edited'];
}
/** Reads a log up to its last record, or to the first that its tiles contradict: then null. Gives the roots at the sizes asked, and its files. */
function scan(dir, size, sizes, report, onRecord) {
  const [peaks, tiles] = [[], []];
  const roots = new Map([[0, rootOf(peaks)]]);
  const names = new Set(['checkpoint', 'checkpoints', 'vkey']);
  const read = (...tile) => {
    names.add(tilePath(...tile));
    return readOrNull(`${dir}/${tilePath(...tile)}`);
  };
  // In `tiles` the one that grows at each level; every eighth height of the tree is a level.
  const onNode = (height, node) => height % 8 === 0 && (tiles[height / 8] ??= { index: 0, hashes: [] }).hashes.push(node);
  /** Whether the file of a grown tile is as the records make it; the next tile begins. */
  const closes = ({ index, hashes }, level) => {
    const found = read(level, index, hashes.length);
    tiles[level] = { index: index + 1, hashes: [] };
    return found?.equals(Buffer.concat(hashes)) || report(index * 256 ** (level + 1), found ? 'edited' : 'deleted', `tile level ${level}`);
  };
  for (let index = 0; index * 256 < size; index++) {
    const width = Math.min(256, size - index * 256);
    const last = (index + 1) * 256 >= size;
    const bundle = read('entries', index, width);
    if (!bundle) {
      const next = read('entries', index + 1, Math.min(256, size - (index + 1) * 256));
      // A shorter bundle tells how far the records go.
      let cut = width - 1;
      while (cut > 0 && !existsSync(`${dir}/${tilePath('entries', index, cut)}`)) cut--;
      return report(index * 256 + cut, next ? 'deleted' : 'truncated', 'records are missing');
    }
    const { entries, filled } = readBundle(bundle);
    const leaves = entries.map((entry) => sha256(LEAF, entry));
    const tile = read(0, index, width);
    const hashes = Array.from({ length: width }, (_, i) => tile?.toString('latin1', 32 * i, 32 * i + 32));
    const [at, kind] = tile?.equals(Buffer.concat(leaves)) && leaves.length === width ? [width] : compare(leaves, hashes, last);
    for (let i = 0; i < Math.min(at, entries.length); i++) {
      onRecord(entries[i], index * 256 + i);
      append(peaks, index * 256 + i, leaves[i], onNode);
      if (sizes.has(index * 256 + i + 1)) roots.set(index * 256 + i + 1, rootOf(peaks));
    }
    if (kind) return report(index * 256 + at, tile ? kind : 'deleted', 'records and tile of level 0');
    if (filled !== bundle.length) return report(index * 256 + width, 'malformed', 'bytes behind the records');
    tiles[0].hashes = [];
    if (!tiles.every((each, level) => each.hashes.length < 256 || closes(each, level))) return null;
  }
  return tiles.every((each, level) => each.hashes.length === 0 || closes(each, level)) ? { roots, names } : null;
}
/** Check of the records of a log one by one: form, seq, clocks, run ids. Changes of the key go to `rotations`, the last instants to `instants`. */
function recordCheck(log, { ids, places }, report, rotations, instants) {
  const clocks = new Map();
  return (bytes, index) => {
    const record = readRecord(bytes);
    if (!record) return report(index, 'malformed', 'record');
    const { seq, at, mono, writer, kind, run, facts } = record;
    if (seq !== index) report(index, seq > index ? 'deleted' : 'inserted', 'seq');
    if (at < instants.at(-1) || mono < clocks.get(writer)) report(index, 'clock-back', 'at or mono');
    const id = Buffer.from(run.replaceAll('-', ''), 'hex').toString('latin1');
    if (ids.has(id)) report(index, 'run-repeated', 'run');
    ids.add(id);
    if (places.has(run)) places.set(run, { log, index });
    const raw = kind === 'log.key' && fromBase64(String(facts?.key));
    if (raw?.length === 32) rotations.push({ index, raw });
    else if (kind === 'log.key') report(index, 'malformed', 'log.key');
    clocks.set(writer, mono);
    if (instants.push(at) > TAIL.records) instants.shift();
  };
}

/** Checks one log against its tiles, its own heads, and `heads` that were kept elsewhere. Gives its size and what no witness has signed. */
function verifyLog(dir, log, { keys, witnesses, heads, strict, tail }, runs, add) {
  const report = (index, kind, detail, bound = false) => add(log, index, kind, detail, bound);
  const head = readCheckpoint(String(readOrNull(`${dir}/checkpoint`)));
  if (!head || head.log !== log) return report(0, head ? 'malformed' : 'unsigned', 'checkpoint', true);
  const older = readCheckpoints(String(readOrNull(`${dir}/checkpoints`)));
  if (!older.every((each) => each?.origin === head.origin)) return report(0, 'malformed', 'older checkpoints', true);
  const own = [...older, head].sort((a, b) => a.size - b.size);
  const all = [...new Map([...heads, ...own].map((each) => [each.note, each])).values()];
  const [rotations, instants] = [[], []];
  const onRecord = recordCheck(log, runs, report, rotations, instants);
  const scanned = scan(dir, head.size, new Set(all.map((each) => each.size)), report, onRecord);
  if (!scanned) return;
  for (const name of readdirSync(dir, { recursive: true }))
    if (!scanned.names.has(name) && statSync(`${dir}/${name}`).isFile()) report(head.size, 'stray', name, true);
  // Each head is a root at a size, and the records of today have to give it again, whoever kept it.
  const agrees = (each) => scanned.roots.get(each.size)?.equals(each.root) === true;
  const largest = (from) => from.reduce((most, each) => Math.max(most, each.size), 0);
  const agreeing = all.filter(agrees);
  const before = (size) => largest(agreeing.filter((each) => each.size < size));
  const witnessed = largest(agreeing.filter((each) => signatures(each, witnesses).good > 0));
  if (!agrees(head)) return report(before(head.size), 'unsigned', 'checkpoint', true);
  // A record log.key under a head that the key of its time signed makes the next key good and ends the old one.
  let live = keys;
  const trusted = [...keys];
  for (const each of own) {
    const { good, wrong } = signatures(each, live);
    if (wrong || !good) report(before(each.size), wrong ? 'unsigned' : 'foreign-key', `head of size ${each.size}`, true);
    else if (rotations[0]?.index < each.size) trusted.push(...(live = [keyOf(null, 1, rotations.shift().raw)]));
  }
  const named = String(readOrNull(`${dir}/vkey`));
  if (!trusted.some((key) => named === `${vkey(head.origin, key)}\n`)) report(head.size, 'foreign-key', 'vkey', true);
  for (const each of all) {
    const { good, wrong, other } = signatures(each, [...trusted, ...witnesses]);
    const kept = own.includes(each);
    const size = `head of size ${each.size}`;
    if (wrong || !good || (strict && kept && other)) report(before(each.size), wrong ? 'unsigned' : 'foreign-key', size, true);
    if (each.size > head.size) report(head.size, 'rolled-back', size, true);
    else if (!agrees(each)) {
      const open = witnessed > 0 && !signatures(each, witnesses).good && each.size - witnessed <= tail.records;
      report(before(each.size), open ? 'tail' : kept ? 're-signed' : 'forked', size, true);
    }
  }
  const open = head.size - witnessed;
  const waited = open > 0 && open <= instants.length ? Date.parse(instants.at(-1)) - Date.parse(instants.at(-open)) : 0;
  if (witnesses.length && (open > tail.records || waited > tail.ms)) report(witnessed, 'tail', `${open} records without a witness`, true);
  return { size: head.size, root: head.root.toString('base64'), open };
}

/** Verifies the logs of a directory; what is given are texts of files, and receipts `{id, logId, logIndex, checkpoint}`. Throws what cannot be read. */
export function verify(dir, { keys, witnesses = [], checkpoints = [], receipts = [], strict = false, tail = TAIL }) {
  const keysOf = (texts, type) => texts.flatMap(readKeys).filter((each) => each.type === type);
  const given = { keys: keysOf(keys, 1), witnesses: keysOf(witnesses, 4), strict, tail };
  const claims = receipts.map((each) => ({ ...each, head: readCheckpoint(String(each.checkpoint)) }));
  const notes = new Map([...checkpoints.flatMap(readCheckpoints), ...claims.map((each) => each.head)].map((each) => [each?.note, each]));
  const heads = [...notes.values()];
  const logs = readdirSync(dir, { withFileTypes: true }).filter((each) => each.isDirectory());
  if (heads.includes(null) || !logs.length) throw new Error(logs.length ? 'a checkpoint given is malformed' : 'there is no log');
  const findings = [];
  const add = (log, index, kind, detail, bound) => findings.push({ log, index, class: kind, detail, bound }) && null;
  const runs = { ids: new Set(), places: new Map(claims.map((each) => [each.id, null])) };
  const checked = logs.map(({ name }) => {
    const mine = heads.filter((each) => each.log === name);
    return { log: name, ...verifyLog(`${dir}/${name}`, name, { ...given, heads: mine }, runs, add) };
  });
  for (const log of new Set([...heads.map((each) => each.log), ...claims.map((each) => each.logId)]))
    if (!checked.some((each) => each.log === log)) add(log, 0, 'rolled-back', 'no such log', true);
  const broken = new Set(findings.map((each) => each.log));
  for (const { id, logId, logIndex, head } of claims) {
    const place = runs.places.get(id);
    if (place?.log === logId && place.index === logIndex && head.log === logId && head.size > logIndex) continue;
    // In a log that was not read to its end a missing record is no finding of its own.
    if (place || !broken.has(logId)) add(logId, logIndex, place ? 'renumbered' : 'never-written', 'receipt', false);
  }
  // What is wrong with a record comes before what a head contradicts, which only bounds the place.
  findings.sort((a, b) => a.bound - b.bound || a.index - b.index);
  return { ok: !findings.length, records: checked.reduce((sum, each) => sum + (each.size ?? 0), 0), logs: checked, findings };
}
/** Command line; gives the exit code. */
function main([dir, ...options]) {
  const given = { '--key': [], '--witness': [], '--checkpoints': [], '--receipts': [], '--strict': [], '--json': [] };
  let files = null;
  for (const each of options) {
    if (each.startsWith('--')) files = given[each];
    else files?.push(readFileSync(each, 'utf8'));
    if (!files) throw new Error(`there is no option ${each}`);
  }
  if (!dir || !given['--key'].length) throw new Error('usage: audit-verify.mjs DIR --key FILE..');
  const receipts = given['--receipts'].flatMap((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
  const kept = { keys: given['--key'], witnesses: given['--witness'], checkpoints: given['--checkpoints'], receipts };
  const result = verify(dir, { ...kept, strict: options.includes('--strict') });
  const good = `OK ${result.logs.length} logs, ${result.records} records`;
  const bad = result.findings.slice(0, 1).map((each) => `BAD ${each.log} ${each.index} ${each.class}: ${each.detail}`);
  process.stdout.write(`${options.includes('--json') ? JSON.stringify(result) : (bad[0] ?? good)}\n`);
  return result.ok ? 0 : 1;
}
if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(new URL(import.meta.url)))
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
