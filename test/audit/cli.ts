import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Draw } from '../fuzz/random.js';
import { ATTACKS } from './attacks.js';
import { mutate } from './mutations.js';
import { loadVerifier, runVerifier, verifierLines, type Given } from './verifier.js';
import { anyPlan, publish, vkeyText, writeWorld, type LogPlan, type World } from './world.js';

const { verify, CLASSES } = loadVerifier();

/** Each class is played so often, at other places of other logs. */
const SCENES_PER_CLASS = 20;
/** One in so many verdicts is asked of the verifier as a process of its own too. */
const CHILD_EVERY = 250;
const SIZES = [0, 1, 2, 3, 63, 64, 65, 255, 256, 257, 511, 512, 513, 700, 1_000];
const SIZES_LARGE = [65_535, 65_536, 65_537, 65_536 + 700, 70_003];

/** All that an honest auditor holds: first keys, the key of the witness, its heads, receipts. */
const givenOf = (world: World): Given => ({
  keys: world.logs.map((log) => vkeyText(log, log.keys[0])),
  witnesses: [world.witness.vkey],
  checkpoints: world.witness.signed,
  receipts: world.logs.flatMap((log) => log.receipts),
  strict: true,
});

async function inWorld<T>(random: Draw, plans: readonly LogPlan[], act: (world: World, dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'audit-'));
  try {
    const world = await writeWorld(random, plans);
    for (const log of world.logs) await publish(dir, log);
    return await act(world, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Tally {
  readonly failures: string[];
  readonly verdicts: { asked: number; children: number };
}

/** The verdict in this process; now and then that of the process of its own has to be the same. */
async function judged(tally: Tally, dir: string, given: Given): Promise<ReturnType<typeof verify>> {
  const verdict = verify(dir, given);
  tally.verdicts.asked += 1;
  if (tally.verdicts.asked % CHILD_EVERY === 1) {
    const { code, out } = await runVerifier(dir, given);
    const [first] = verdict.findings;
    const expected = first ? `BAD ${first.log} ${first.index} ${first.class}: ${first.detail}\n` : '';
    tally.verdicts.children += 1;
    if (code !== (verdict.ok ? 0 : 1) || !out.startsWith(first ? expected : 'OK '))
      tally.failures.push(`the process says otherwise: ${code} ${out}`);
  }
  return verdict;
}

/** Plays the classes of tampering; gives those found, by their own name, each time. */
async function classes(random: Draw, tally: Tally): Promise<string[]> {
  const found: string[] = [];
  for (const attack of ATTACKS) {
    let each = 0;
    for (; each < SCENES_PER_CLASS; each += 1) {
      const plans = [anyPlan(random, random.pick(SIZES)), anyPlan(random, random.int(600, 1_500))];
      const named = await inWorld(random, plans, async (world, dir) => {
        const log = world.logs.at(-1)!;
        const clean = givenOf(world);
        const receipts = await attack.act({ dir, world, log, random });
        // Receipts tell most of all: where a class is to be found without them, nobody holds any.
        const held = attack.class === 'renumbered' ? clean.receipts : (receipts ?? []);
        const [first] = (await judged(tally, dir, { ...clean, receipts: held })).findings;
        if (first?.class !== attack.class) tally.failures.push(`${attack.class} ${each}: ${JSON.stringify(first ?? 'OK')}`);
        return first?.class === attack.class;
      });
      if (!named) break;
    }
    if (each === SCENES_PER_CLASS) found.push(attack.class);
  }
  return found;
}

/** Changes at random, each found or not. */
async function mutations(
  random: Draw,
  tally: Tally,
  count: number,
): Promise<{ readonly missed: number; readonly byClass: Record<string, number> }> {
  const byClass: Record<string, number> = {};
  let missed = 0;
  for (let done = 0; done < count;) {
    const plans = [anyPlan(random, random.int(258, 330)), anyPlan(random, random.pick([0, 1, 5, 40])), anyPlan(random, random.int(1, 130))];
    await inWorld(random, plans, async (world, dir) => {
      const given = givenOf(world);
      const some = { ...given, receipts: given.receipts.filter(() => random.chance(0.005)) };
      for (let i = 0; i < 500 && done < count; i += 1, done += 1) {
        const mutation = mutate(dir, random);
        const verdict = await judged(tally, dir, some);
        mutation.undo();
        const kind = verdict.findings[0]?.class ?? 'missed';
        byClass[kind] = (byClass[kind] ?? 0) + 1;
        if (!verdict.ok) continue;
        missed += 1;
        tally.failures.push(`missed: ${mutation.what} in ${path.relative(dir, mutation.file)}`);
      }
      const after = verify(dir, some);
      if (!after.ok) throw new Error('a change was not undone');
    });
  }
  return { missed, byClass };
}

/** Logs that nobody touched; gives how many were called bad. */
async function cleanLogs(random: Draw, tally: Tally, count: number): Promise<number> {
  let alarms = 0;
  for (let done = 0; done < count;) {
    const large = done < SIZES_LARGE.length ? [SIZES_LARGE[done]!] : [];
    const sizes = [...large, ...Array.from({ length: 10 - large.length }, () => random.pick([...SIZES, random.int(0, 600)]))].slice(
      0,
      count - done,
    );
    await inWorld(
      random,
      sizes.map((size) => anyPlan(random, size)),
      async (world, dir) => {
        const verdict = await judged(tally, dir, givenOf(world));
        const bad = new Set(verdict.findings.map((each) => each.log));
        alarms += bad.size;
        if (!verdict.ok) tally.failures.push(`false alarm: ${JSON.stringify(verdict.findings[0])} of sizes ${sizes.join()}`);
      },
    );
    done += sizes.length;
  }
  return alarms;
}

const option = (args: readonly string[], name: string, otherwise: number): number => {
  const at = args.indexOf(name);
  const given = at < 0 ? otherwise : Number(args[at + 1]);
  if (!Number.isSafeInteger(given) || given < 0) throw new Error(`${name} takes a number`);
  return given;
};

/** npm run verify:audit -- [--fuzz N] [--clean N] [--json]: the stand-alone verifier against tampering, changes at random and logs that nobody touched. */
async function main(args: readonly string[]): Promise<void> {
  const count = option(args, '--fuzz', 1_000);
  const clean = option(args, '--clean', 1_000);
  const seed = Number(process.env['SEED'] ?? 1);
  const began = process.hrtime.bigint();
  const random = new Draw(seed);
  const tally: Tally = { failures: [], verdicts: { asked: 0, children: 0 } };
  const detected = await classes(random, tally);
  const { missed, byClass } = await mutations(random, tally, count);
  const alarms = await cleanLogs(random, tally, clean);
  const lines = await verifierLines();
  for (const each of tally.failures.slice(0, 20)) process.stderr.write(`SEED=${seed} ${each}\n`);
  const report = {
    classes: ATTACKS.length,
    classes_detected: detected.length,
    mutations: count,
    mutations_missed: missed,
    false_alarms: alarms,
    verifier_lines: lines,
    clean_logs: clean,
    scenes_per_class: SCENES_PER_CLASS,
    child_processes: tally.verdicts.children,
    first_findings: byClass,
    seed,
    ms: Math.round(Number(process.hrtime.bigint() - began) / 1e6),
  };
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
  if (ATTACKS.some((each) => !CLASSES.includes(each.class)) || tally.failures.length > 0 || lines > 300) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`);
  process.exitCode = 1;
});
