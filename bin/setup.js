'use strict';
/**
 * What a fresh clone needs before anything else can run: the packages and the build. No dependency, plain CommonJS,
 * syntax that old versions of Node can read, so that they can say what is missing.
 *   node bin/setup.js start [options]   install, build, serve the demo
 *   node bin/setup.js test [arguments]  install, run the tests
 */
const OLDEST_NODE = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(`Thalamus needs Node.js ${OLDEST_NODE.join('.')} or later; this is ${process.versions.node}.\n`);
  process.exit(1);
}

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const SOURCES = ['src', 'migrations'];
const LOCK_AGE_MS_MAX = 15 * 60_000;

const say = (line) => process.stderr.write(`${line}\n`);

function stop(line) {
  say(line);
  process.exit(1);
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs `work` while no other start does. The holder's number is in the lock, so a dead holder's lock is taken over. */
function locked(work) {
  const folder = path.join(root, '.thalamus');
  const lock = path.join(folder, 'setup.lock');
  fs.mkdirSync(folder, { recursive: true });
  for (let waited = false; ;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (lockIsStale(lock)) {
      fs.rmSync(lock, { force: true });
      continue;
    }
    if (!waited) say('Another start prepares this checkout; waiting for it.');
    waited = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function lockIsStale(lock) {
  try {
    const holder = Number(fs.readFileSync(lock, 'utf8'));
    const age = Date.now() - fs.statSync(lock).mtimeMs;
    if (age > LOCK_AGE_MS_MAX) return true;
    // Between making and filling it the lock is empty for a moment.
    if (!(holder > 0)) return age > 2_000;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

const stampFile = () => path.join(root, 'node_modules', '.thalamus-install');

function wantedStamp() {
  const digest = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  return `${digest} ${process.platform}-${process.arch}`;
}

/** True when an `npm ci` by hand left exactly what the lock file asks for; what npm itself wrote is compared. */
function installedByHand() {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  const found = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || found === undefined) return false;
  const complete = Object.entries(wanted).every(
    ([name, entry]) => name === '' || entry.optional || entry.devOptional || found[name]?.version === entry.version,
  );
  const nativeHere = fs.existsSync(path.join(root, 'node_modules', '@swc', 'core'));
  return complete && nativeHere && Object.entries(found).every(([name, entry]) => wanted[name]?.version === entry.version);
}

function isInstalled() {
  try {
    return fs.readFileSync(stampFile(), 'utf8') === wantedStamp();
  } catch {
    return false;
  }
}

/** Installs the packages when they are absent or the lock file changed. In an installed package there is nothing to do. */
function ensureInstalled() {
  if (!fs.existsSync(path.join(root, 'package-lock.json')) || isInstalled()) return;
  locked(() => {
    if (isInstalled()) return;
    if (!fs.existsSync(stampFile()) && installedByHand()) {
      fs.writeFileSync(stampFile(), wantedStamp());
      return;
    }
    say('Installing the packages (npm ci).');
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const npm = process.env.npm_execpath;
    const options = { cwd: root, stdio: ['ignore', 2, 2] };
    const result =
      npm !== undefined && /npm-cli\.c?js$/.test(npm)
        ? spawnSync(process.execPath, [npm, ...args], options)
        : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
    if (result.error) stop(`npm could not be run: ${result.error.code}.`);
    if (result.status !== 0) stop('The packages could not be installed; npm says why above.');
    fs.writeFileSync(stampFile(), wantedStamp());
  });
}

function listSources() {
  const found = [];
  for (const folder of SOURCES) {
    if (!fs.existsSync(path.join(root, folder))) continue;
    for (const name of fs.readdirSync(path.join(root, folder), { recursive: true })) {
      const file = path.join(folder, name);
      if (/\.(ts|json|sql)$/.test(file) && !file.endsWith('.d.ts')) found.push(file);
    }
  }
  return found;
}

const outputOf = (file) => path.join(root, 'dist', file.replace(/\.ts$/, '.js'));

function write(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.draft`;
  fs.writeFileSync(draft, text);
  fs.renameSync(draft, file);
}

/** Compiles the sources that changed since the last build, and removes what has no source any more. */
function ensureBuilt() {
  if (!fs.existsSync(path.join(root, 'src'))) return;
  const stateFile = path.join(root, 'dist', '.build.json');
  const settings = fs.readFileSync(path.join(root, '.swcrc'), 'utf8');
  const compiler = readJson(path.join(root, 'node_modules', '@swc', 'core', 'package.json'))?.version;
  const kind = createHash('sha256').update(`${settings} ${compiler}`).digest('hex');
  const before = readJson(stateFile);
  const known = before?.kind === kind ? before.files : {};
  const now = {};
  const changed = [];
  for (const file of listSources()) {
    const { mtimeMs, size } = fs.statSync(path.join(root, file));
    now[file] = `${mtimeMs} ${size}`;
    if (known[file] !== now[file] || !fs.existsSync(outputOf(file))) changed.push(file);
  }
  const gone = Object.keys(before?.files ?? {}).filter((file) => now[file] === undefined);
  if (changed.length === 0 && gone.length === 0) return;
  locked(() => {
    for (const file of changed) compile(file, JSON.parse(settings));
    for (const file of gone) for (const end of ['', '.map']) fs.rmSync(outputOf(file) + end, { force: true });
    write(stateFile, JSON.stringify({ kind, files: now }));
  });
}

function compile(file, settings) {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const output = outputOf(file);
  if (!file.endsWith('.ts')) return write(output, text);
  const swc = require('@swc/core');
  const sourceFileName = path.relative(path.dirname(output), path.join(root, file));
  try {
    const { code, map } = swc.transformSync(text, {
      ...settings,
      filename: path.join(root, file),
      sourceFileName,
      sourceMaps: true,
      inlineSourcesContent: false,
      swcrc: false,
      configFile: false,
    });
    write(`${output}.map`, map);
    return write(output, `${code}//# sourceMappingURL=${path.basename(output)}.map\n`);
  } catch (error) {
    return stop(`${file} cannot be compiled: ${error.message}`);
  }
}

function main([verb, ...rest]) {
  ensureInstalled();
  if (verb === 'start') {
    process.argv.splice(1, process.argv.length, path.join(__dirname, 'thalamus.js'), 'serve', '--demo', ...rest);
    require('./thalamus.js');
  } else if (verb === 'test') {
    const jest = require.resolve('jest/bin/jest');
    process.argv.splice(1, process.argv.length, jest, ...rest);
    process.chdir(root);
    require(jest);
  } else if (verb === 'build') {
    ensureBuilt();
  } else {
    stop('Usage: node bin/setup.js start|test|build');
  }
}

module.exports = { ensureInstalled, ensureBuilt };
if (require.main === module) main(process.argv.slice(2));
