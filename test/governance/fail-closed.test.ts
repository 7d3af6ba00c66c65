import { column, openWorld, type World } from '../gateway/support.js';
import { CALLER, GATEWAY, POLICY } from './fail-closed-policy.js';
import { AUDIT, DATABASE, STORE } from './fail-closed-store.js';
import { ROWS, failing, parts, records, rejecting, replaced, tell, throwing } from './fail-closed-support.js';

const FAULTS = [...STORE, ...DATABASE, ...AUDIT, ...POLICY, ...CALLER, ...GATEWAY];

let world: World;
let names: readonly string[];
beforeAll(async () => {
  world = await openWorld();
  names = await column<string>(world, 'select distinct family_name as value from patient where length(family_name) > 3');
}, 60_000);
afterAll(() => world.close(), 20_000);

const holdsNames = (text: string): boolean => names.some((name) => text.includes(name));

describe(`at ${FAULTS.length} points of injection nothing leaves`, () => {
  it('has as many as it should', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(FAULTS.map((fault) => fault.name)).size).toBe(FAULTS.length);
  });

  it.each(FAULTS.map((fault, i) => ({ ...fault, alias: `f${i}` })))('$name', async ({ alias, ...fault }) => {
    const { door } = fault;
    const control = await tell(world, { ...(door ? { door } : {}) }, 'a');
    expect([control.codes, holdsNames(control.text)]).toEqual([[], true]);
    const before = await records(world, fault.code);
    const heal = await fault.inject(world);
    let told;
    try {
      told = await tell(world, fault, alias);
    } finally {
      await heal();
    }
    expect([told.codes, holdsNames(told.text)]).toEqual([fault.code === null ? [] : [fault.code], false]);
    if (fault.code === null) expect(JSON.stringify(told.data)).toMatch(/"edges":\[\]/);
    else expect(told.data).toBeNull();
    expect(told.text).not.toMatch(/planted|hunter2|10\.1\.2\.3|relation|permission denied|column|select |timeout|terminat|undefined|JSON/i);
    if (fault.recorded !== false) expect(await records(world, fault.code)).toBe(before + 1);
    const after = await tell(world, { ...(door ? { door } : {}) }, 'a');
    expect([after.codes, after.data]).toEqual([[], control.data]);
    if (fault.again) expect((await tell(world, fault, alias)).codes).toEqual([]);
  });
});

const settled = async (work: Promise<unknown>, ms: number): Promise<boolean> =>
  Promise.race([work.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, ms, false))]);

it('a slow log holds the answer back until its record is durable', async () => {
  const { evidence } = world.running.mesh.parts;
  const write = evidence.write.bind(evidence);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const spy = jest.spyOn(evidence, 'write').mockImplementation(async (batch) => {
    await gate;
    await write(batch);
  });
  try {
    const answer = tell(world, {}, 'slow');
    expect(await settled(answer, 400)).toBe(false);
    go();
    const told = await answer;
    expect([told.codes, holdsNames(told.text)]).toEqual([[], true]);
  } finally {
    spy.mockRestore();
  }
});

it('a mutation whose pipeline fails tells a code, writes no row and is recorded', async () => {
  const query = (): string => 'mutation { releaseQuarantine(ids: ["00000000-0000-7000-8000-000000000000"], reason: "x") { released } }';
  const steward = { roles: ['steward'], purpose: 'HOPERAT', sites: ['north'], query };
  const states = () => column<string>(world, `select quarantine_id || state as value from quarantine order by 1`);
  expect((await tell(world, steward, 'm')).data).toEqual({ releaseQuarantine: { released: 0 } });
  const [before, recorded] = [await states(), await records(world, 'INTERNAL')];
  const heal = await replaced((w: World) => parts(w).ingestion, 'release', rejecting('ENOSPC'))(world);
  const told = await tell(world, steward, 'm');
  await heal();
  expect([told.data, told.codes, told.text.includes('planted')]).toEqual([null, ['INTERNAL'], false]);
  expect([await states(), await records(world, 'INTERNAL')]).toEqual([before, recorded + 1]);
});

it('an operator line that cannot be written takes no data and no text of the fault along', async () => {
  const spy = jest.spyOn(parts(world), 'log').mockImplementation(throwing);
  const heal = await failing('reader', ROWS)(world);
  const told = await tell(world, {}, 'l');
  await heal();
  spy.mockRestore();
  expect([told.data, holdsNames(told.text), /planted|hunter2/.test(told.text), told.codes.length]).toEqual([null, false, false, 1]);
  expect((await tell(world, {}, 'a')).codes).toEqual([]);
});
