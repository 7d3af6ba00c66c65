/** Identifiers of rows that the caller may not see, against identifiers of nothing. */
import { ask as askInProcess } from '../../../src/gateway/index.js';
import { askAs, byBothPaths, column, like, openWorld, treatedAt, withoutRun, type Reply, type World } from './support.js';
import { mannWhitney } from './two-samples.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

/** An identifier of the same form and length that nobody has. */
const absent = (id: string): string => id.replace(/^.{8}/, (head) => (head === 'ffffffff' ? 'eeeeeeee' : 'ffffffff'));

const KINDS = [
  ['patient', 'patient', 'patient_id', 'id familyName observations(first: 1) { totalCount }'],
  ['note', 'note', 'note_id', 'id body patient { id }'],
  ['imagingStudy', 'imaging_study', 'id', 'id patient { id }'],
] as const;

describe('ATK-45 a foreign id is an unknown id', () => {
  /** What a caller can tell of a reply, the ids of the run and its place in the log apart; the size of the rest goes with the text. */
  const told = (reply: Reply): unknown => {
    const headers = [...reply.headers].filter(([name]) => !['date', 'x-lineage-id', 'content-length'].includes(name));
    return [reply.status, headers, withoutRun(reply)];
  };

  it.each(KINDS)('%s: same text, codes, headers and size', async (root, table, key, fields) => {
    const [foreign = ''] = await column<string>(
      world,
      `select ${key}::text as value from ${table} where site_id = 'south' order by 1 limit 1`,
    );
    const about = (id: string): Promise<Reply> =>
      askAs(world, like('clinician'), { query: `query($id: ID!) { ${root}(id: $id) { ${fields} } }`, variables: { id } });
    const [hidden, unknown] = [await about(foreign), await about(absent(foreign))];
    expect(told(hidden)).toEqual(told(unknown));
    expect(hidden.body.data).toEqual({ [root]: null });
    // The number of the record may have a digit more.
    expect(Math.abs(hidden.text.length - unknown.text.length)).toBeLessThanOrEqual(1);
    expect(
      await column<number>(world, 'select patients as value from lineage_run where run_id = $1', [hidden.body.extensions?.lineageId]),
    ).toEqual([0]);
  });

  it('is one on both paths, in a list of arguments and beside what exists', async () => {
    const [foreign = ''] = await treatedAt(world, 'south', 1);
    const [own = ''] = await treatedAt(world, 'north', 1);
    const query =
      'query($x: ID!, $own: ID!) { a: patient(id: $own) { id } b: patient(id: $x) { id noteCount } c: patient(id: $x) { notes(first: 1) { totalCount } } }';
    const about = (x: string) => byBothPaths(world, like('clinician'), { query, variables: { x, own } });
    const [one, other] = [await about(foreign), await about(absent(foreign))];
    expect(one.map(({ data, errors }) => [data, errors])).toEqual(other.map(({ data, errors }) => [data, errors]));
    expect(one[0]?.data).toEqual({ a: { id: own }, b: null, c: null });
  });

  it('takes the same time: 1,000 interleaved pairs in process, two samples by rank', async () => {
    const { mesh } = world.running;
    const foreign = await column<string>(world, `select patient_id::text as value from patient where site_id = 'south' order by 1`);
    const query = 'query($id: ID!) { patient(id: $id) { id familyName birthDate } }';
    const principal = like('clinician');
    const timed = async (id: string): Promise<number> => {
      const started = performance.now();
      const { data } = await askInProcess(mesh, principal, { query, variables: { id } });
      const ms = performance.now() - started;
      expect(data).toEqual({ patient: null });
      return ms;
    };
    const measure = async (): Promise<number> => {
      const [hidden, unknown]: [number[], number[]] = [[], []];
      for (let i = -50; i < 1_000; i += 1) {
        const id = foreign[(i + 50) % foreign.length] ?? '';
        // Whichever comes second finds everything warm, so that they take turns.
        const order = i % 2 === 0 ? [id, absent(id)] : [absent(id), id];
        for (const each of order) {
          const ms = await timed(each);
          if (i >= 0) (each === id ? hidden : unknown).push(ms);
        }
      }
      return mannWhitney(hidden, unknown);
    };
    // One run in a hundred is unequal by chance; two in a row are not.
    const first = await measure();
    expect(first > 0.01 ? first : await measure()).toBeGreaterThan(0.01);
  }, 120_000);

  it('the comparison of times sees a difference of a tenth', () => {
    const wave = (i: number): number => 2 + Math.sin(i * 12.9898) * 0.5;
    const one = Array.from({ length: 1_000 }, (_, i) => wave(i));
    const other = Array.from({ length: 1_000 }, (_, i) => wave(i + 7_919));
    expect(mannWhitney(one, other)).toBeGreaterThan(0.01);
    expect(
      mannWhitney(
        one.map((each) => each * 1.1),
        other,
      ),
    ).toBeLessThan(0.01);
  });
});

describe('ATK-46 from a patient to a note to a patient of another site', () => {
  it('ends at the note: the row of the other site is null on both paths', async () => {
    const [foreign = ''] = await treatedAt(world, 'south', 1);
    const [note = ''] = await column<string>(
      world,
      `update note set site_id = 'north', sensitivity = 0 where note_id = (select note_id from note where patient_id = $1 order by 1 limit 1) returning note_id::text as value`,
      [foreign],
    );
    expect(note).not.toBe('');
    const query =
      'query($n: ID!) { note(id: $n) { id patient { id familyName notes(first: 2) { edges { node { patient { id } } } } } } patients(first: 500) { edges { node { id notes(first: 50) { edges { node { id patient { id site } } } } } } } }';
    for (const { data, errors } of await byBothPaths(world, like('clinician'), { query, variables: { n: note } })) {
      expect([errors, (data as { note: unknown }).note]).toEqual([[], { id: note, patient: null }]);
      expect(JSON.stringify(data)).not.toContain(foreign);
      expect(JSON.stringify(data)).not.toContain('"south"');
    }
  });

  it('starts at no note: one that another site wrote about an own patient is not among the notes', async () => {
    const [own = ''] = await column<string>(
      world,
      `select p.value as value from (select unnest($1::text[]) as value) p where exists (select 1 from note where patient_id = p.value::uuid) limit 1`,
      [await treatedAt(world, 'north', 50)],
    );
    const [note = ''] = await column<string>(
      world,
      `update note set site_id = 'south' where note_id = (select note_id from note where patient_id = $1 order by 1 limit 1) returning note_id::text as value`,
      [own],
    );
    const query =
      'query($p: ID!, $n: ID!) { patient(id: $p) { id noteCount notes(first: 50) { edges { node { id patient { id } } } } } note(id: $n) { id } }';
    const [n = -1] = await column<number>(world, 'select count(*)::int as value from note where patient_id = $1', [own]);
    for (const { data } of await byBothPaths(world, like('clinician'), { query, variables: { p: own, n: note } })) {
      expect(data).toMatchObject({ patient: { id: own }, note: null });
      expect(JSON.stringify(data)).not.toContain(note);
      expect((data as { patient: { noteCount: number } }).patient.noteCount).toBeLessThan(n);
    }
    // A clinician of both sites sees both.
    const both = like('clinician', { sites: ['north', 'south'] });
    for (const { data } of await byBothPaths(world, both, { query, variables: { p: own, n: note } }))
      expect(data).toMatchObject({ note: { id: note } });
  });
});
