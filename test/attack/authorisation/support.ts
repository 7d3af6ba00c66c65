import { SignJWT, importJWK } from 'jose';
import { principalOf } from '../../../src/cli/who.js';
import { AUDIENCE, DEMO_ISSUER, ask as askInProcess, type Answer, type Question } from '../../../src/gateway/index.js';
import { newUuid, type Principal } from '../../../src/kernel/index.js';
import { ask, codesOf, column, send, type Reply, type World } from '../../gateway/support.js';

export { ask, codesOf, column, openWorld, send, withoutRun, type Reply, type World } from '../../gateway/support.js';

/** A test here asks a real gateway many times, on machines that do other work too. */
jest.setTimeout(60_000);

/** A demo identity that differs in some of its claims. */
export const like = (name: string, more: Partial<Principal> = {}): Principal => ({ ...principalOf(name), ...more });

/** A token of this principal, with further claims; undefined takes one out. */
export async function tokenOf(world: World, principal: Principal, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { sub, roles, purpose, sites, scopes, patient } = principal;
  const seconds = Math.floor(world.now / 1000);
  const all = {
    iss: DEMO_ISSUER,
    aud: AUDIENCE,
    jti: newUuid(world.now),
    iat: seconds,
    exp: seconds + 900,
    ...{ sub, roles, purpose, sites, patient, scope: scopes?.join(' ') },
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(all)) as Record<string, unknown>)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt' })
    .sign(await importJWK(world.running.key.privateKey, 'EdDSA'));
}

/** Sends a body, or a document with its variables, as this principal. */
export async function askAs(
  world: World,
  principal: Principal,
  body: string | Readonly<Record<string, unknown>>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(world, principal)}`, ...headers },
    body: JSON.stringify(typeof body === 'string' ? { query: body } : body),
  });
}

/** The same question by the compiled path and by the reference path, in this process. */
export async function byBothPaths(world: World, principal: Principal, question: Question): Promise<readonly Answer[]> {
  const { mesh } = world.running;
  return [await askInProcess(mesh, principal, question), await askInProcess(mesh, principal, question, 'reference')];
}

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: Readonly<Record<string, unknown>> }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number | null;
}

/** A list of an answer. */
export const pageOf = (data: unknown, name: string): Page => (data as Record<string, Page>)[name] as Page;

/** Values of one field in a list of an answer. */
export const fieldOf = (data: unknown, name: string, field = 'id'): unknown[] => pageOf(data, name).edges.map(({ node }) => node[field]);

/** The record of a request, from the audit log. */
export async function recordOf(world: World, reply: Reply): Promise<Record<string, unknown>> {
  const { logId, logIndex: seq } = reply.body.extensions?.receipt ?? {};
  const [record] = await column<string>(world, 'select record as value from audit_log where log_id = $1 and seq = $2', [logId, seq]);
  return JSON.parse(record ?? '{}') as Record<string, unknown>;
}

/** Persons of a site who permit treatment with everything about them. */
export const treatedAt = (world: World, site: string, count: number): Promise<string[]> =>
  column<string>(
    world,
    `select patient_id::text as value from patient p where site_id = $1 and exists (select 1 from consent_effect c where c.patient_id = p.patient_id
      and c.purpose = 'TREAT' and c.categories & 31 = 31 and c.sensitivity_max >= p.sensitivity and c.valid_from <= now() and c.valid_to > now())
     order by 1 limit $2`,
    [site, count],
  );

/** Puts a policy document in force: proposed by the steward, approved by the officer. */
export async function inForce(world: World, document: unknown): Promise<void> {
  const proposed = await ask(
    world,
    'steward',
    'mutation P($document: JSON!) { proposePolicy(document: $document, reason: "a reason that is long enough") { version } }',
    { document },
  );
  expect(codesOf(proposed)).toEqual([]);
  const { version } = proposed.body.data?.['proposePolicy'] as { version: number };
  const decided = await ask(
    world,
    'officer',
    'mutation D($version: Int!) { decidePolicy(version: $version, approve: true, reason: "looked at it closely") { status } }',
    { version },
  );
  expect(codesOf(decided)).toEqual([]);
}

interface Statement {
  readonly text: string;
  readonly values: unknown;
}

/** Statements that the pools of the reader and the writer ran while `work` ran. */
export async function statementsDuring<T>(world: World, work: () => Promise<T>): Promise<{ statements: readonly Statement[]; result: T }> {
  const statements: Statement[] = [];
  const { reader, writer } = world.running.pools;
  const spies = [reader, writer].map((pool) => {
    const connect = pool.connect.bind(pool) as unknown as (...args: unknown[]) => Promise<object>;
    return jest.spyOn(pool, 'connect').mockImplementation((async (...args: unknown[]) => {
      const [given] = args;
      // A pool that runs one statement by itself takes its connection by a callback.
      if (typeof given === 'function')
        return connect((error: unknown, client: object | undefined, done: unknown) =>
          (given as (...more: unknown[]) => unknown)(error, client && listened(client, statements), done),
        );
      return listened(await connect(), statements);
    }) as never);
  });
  try {
    return { statements, result: await work() };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function listened(client: object, into: Statement[]): object {
  return new Proxy(client, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      if (name !== 'query') return found.bind(target) as unknown;
      return (...args: unknown[]) => {
        const [first, second] = args as [string | { text: string; values?: unknown }, unknown];
        into.push(typeof first === 'string' ? { text: first, values: second } : { text: first.text, values: first.values });
        return found.apply(target, args) as unknown;
      };
    },
  });
}
