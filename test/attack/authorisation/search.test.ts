/** Search over the text of notes. There is no search over embeddings. */
import { byBothPaths, column, like, openWorld, pageOf, type World } from './support.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 180_000);
afterAll(() => world.close(), 20_000);

const QUERY =
  'query($text: String, $first: Int, $after: String) { notes(text: $text, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } } }';
const analyst = like('analyst');

/** What both paths answer, which must be the same. */
async function found(
  text: string | undefined,
  more: Record<string, unknown> = {},
): Promise<{ page: ReturnType<typeof pageOf>; text: string }> {
  const [one, other] = await byBothPaths(world, analyst, {
    query: QUERY,
    variables: { ...(text === undefined ? {} : { text }), first: 500, ...more },
  });
  expect([one?.errors, one?.data]).toEqual([[], other?.data]);
  return { page: pageOf(one?.data, 'notes'), text: JSON.stringify(one?.data) };
}
const idsIn = (page: ReturnType<typeof pageOf>): string[] => page.edges.map(({ node }) => String(node['id']));

/** Adds words to the text of notes and to its redacted twin, by id; the indexes follow. */
const write = (ids: readonly string[], raw: string, redacted = raw): Promise<unknown> =>
  world.running.pools.owner.query(
    `update note set body = concat(body, ' ', $2::text), masked_body = concat(masked_body, ' ', $3::text) where note_id = any($1::uuid[])`,
    [ids, raw, redacted],
  );

describe('ATK-61 search', () => {
  let permitted: string[];
  let hidden: string[];
  beforeAll(async () => {
    permitted = idsIn((await found(undefined)).page);
    hidden = await column<string>(world, 'select note_id::text as value from note where note_id <> all($1::uuid[]) order by 1', [
      permitted,
    ]);
    expect([permitted.length > 20, hidden.length > 20]).toEqual([true, true]);
  });

  it('finds permitted notes only, whatever is searched for', async () => {
    const words = await column<string>(
      world,
      `select word as value from ts_stat('select tsv_raw from note') where length(word) > 3 order by ndoc desc, word limit 40`,
    );
    const allowed = new Set(permitted);
    let hits = 0;
    for (const word of words) {
      const ids = idsIn((await found(word)).page);
      hits += ids.length;
      expect(ids.filter((id) => !allowed.has(id))).toEqual([]);
    }
    expect(hits).toBeGreaterThan(100);
  });

  it('a word in hidden notes only is a word in no note: same page, count and cursors', async () => {
    await write(hidden, 'xylograph');
    const [there, nowhere] = [await found('xylograph'), await found('xylogrbph')];
    expect(there.text).toBe(nowhere.text);
    expect(idsIn(there.page)).toEqual([]);
  });

  it('ranks, counts and pages of a word are the same with and without hidden notes that hold it', async () => {
    await write(permitted.slice(0, 15), 'theorbo');
    const without = [await found('theorbo'), await found('theorbo', { first: 4 })];
    await write(hidden, 'theorbo theorbo theorbo');
    expect([await found('theorbo'), await found('theorbo', { first: 4 })]).toEqual(without);
    expect(new Set(idsIn(without[0]!.page))).toEqual(new Set(permitted.slice(0, 15)));
    const end = without[1]?.page.pageInfo.endCursor;
    expect(idsIn((await found('theorbo', { first: 4, after: end })).page)).toEqual(idsIn(without[0]!.page).slice(4, 8));
  });

  it('fewer than 11 permitted persons are not counted, and hidden ones do not make up the number', async () => {
    await write(permitted.slice(0, 2), 'crumhorn');
    await write(hidden, 'crumhorn');
    expect((await found('crumhorn')).page.totalCount ?? null).toBeNull();
  });

  it('words that are redacted for the caller find nothing, also beside, without or in place of others', async () => {
    await write(permitted, 'psaltery', '');
    for (const text of ['psaltery', '"psaltery"', 'psaltery psaltery', 'xylogrbph or psaltery', 'psaltery -xylogrbph'])
      expect(idsIn((await found(text)).page)).toEqual([]);
    expect(idsIn((await found('-psaltery')).page)).toEqual(permitted);
    const clinician = await byBothPaths(world, like('clinician'), { query: QUERY, variables: { text: 'psaltery', first: 500 } });
    expect(pageOf(clinician[0]?.data, 'notes').edges.length).toBeGreaterThan(0);
  });

  it('has no way around the rule by the syntax of a search', async () => {
    const allowed = new Set(permitted);
    for (const text of ['-zzz', 'a or b', '"', '" or "', "' or true --", ':*', 'a:*', '!a', '&|!()', '*', '%', '', ' ', '\\', 'or', '-'])
      expect(idsIn((await found(text)).page).filter((id) => !allowed.has(id))).toEqual([]);
  });
});
