import { createHash } from 'node:crypto';
import { SignJWT, importJWK, type JWTPayload } from 'jose';
import { AUDIENCE, DEMO_ISSUER } from '../../src/gateway/index.js';
import type { PolicyDocument } from '../../src/governance/index.js';
import { newUuid, canonical } from '../../src/kernel/index.js';
import { send, type Reply, type World } from './support.js';

/** Asks with a token of these claims, beside those that every token has. */
export async function askAs(
  world: World,
  claims: JWTPayload,
  query: string,
  variables: Record<string, unknown> = {},
  url = world.gateway.url,
): Promise<Reply> {
  return send(url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(world, claims)}` },
    body: JSON.stringify({ query, variables }),
  });
}

export async function tokenOf(world: World, claims: JWTPayload): Promise<string> {
  const now = Math.floor(world.now / 1000);
  const all: JWTPayload = { iss: DEMO_ISSUER, aud: AUDIENCE, jti: newUuid(world.now), iat: now, exp: now + 900, kind: 'person', ...claims };
  return new SignJWT(all)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt' })
    .sign(await importJWK(world.running.key.privateKey, 'EdDSA'));
}

/** Puts a policy in force: one proposes, another approves. Nothing tells the process that serves. */
export async function enforce(world: World, document: PolicyDocument): Promise<void> {
  const store = world.running.mesh.parts.governance;
  const digest = createHash('sha256').update(canonical(document)).digest('hex');
  const about = { reason: 'a reason that is long enough', now: world.now };
  const { version } = await store.propose({ document, digest, impact: [], actor: 'proposer', ...about });
  await store.decide({ version, approve: true, actor: 'approver', ...about });
}

/** What the record of an answer says beside who and what. */
export async function factsOf(world: World, reply: Reply): Promise<Record<string, unknown>> {
  const { rows } = await world.running.pools.owner.query<{ facts: Record<string, unknown> }>(
    'select facts from lineage_run where run_id = $1',
    [reply.body.extensions?.lineageId],
  );
  return rows[0]?.facts ?? {};
}

/** Nodes of a connection; none where the field does not exist for the caller. */
export function nodesOf(connection: unknown): Record<string, unknown>[] {
  const { edges = [] } = (connection ?? {}) as { edges?: { node: Record<string, unknown> }[] };
  return edges.map((edge) => edge.node);
}
