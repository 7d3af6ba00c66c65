import { SignJWT, importJWK } from 'jose';
import { AUDIENCE, DEMO_ISSUER } from '../../src/gateway/index.js';
import { newUuid } from '../../src/kernel/index.js';
import { column, send, type Reply, type World } from '../gateway/support.js';

/** Who asks: claims of a token that the installation signs. */
export type Claims = Readonly<Record<string, unknown>>;

export const DOCTOR: Claims = { sub: 'dr-ada', roles: ['clinician'], purpose: 'TREAT', sites: ['north'], kind: 'person' };
export const COLLEAGUE: Claims = { ...DOCTOR, sub: 'dr-bea' };
export const OFFICER: Claims = { sub: 'officer-cai', roles: ['privacy_officer'], purpose: 'HOPERAT', sites: '*', kind: 'person' };

export async function tokenOf(world: World, claims: Claims): Promise<string> {
  const { privateKey } = world.running.key;
  const seconds = Math.floor(world.now / 1000);
  return new SignJWT({ iss: DEMO_ISSUER, aud: AUDIENCE, jti: newUuid(world.now), iat: seconds, exp: seconds + 900, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'demo', typ: 'at+jwt' })
    .sign(await importJWK(privateKey, 'EdDSA'));
}

/** A question of somebody at the HTTP entrance. */
export async function asks(world: World, who: Claims, query: string, variables: Record<string, unknown> = {}): Promise<Reply> {
  return send(world.gateway.url, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(world, who)}` },
    body: JSON.stringify({ query, variables }),
  });
}

export const BREAK = `mutation Break($id: ID!, $reason: String!, $minutes: Int!) {
  breakGlass(patientId: $id, reason: $reason, minutes: $minutes) { id startedAt endsAt endedAt reviewedAt } }`;
export const REASON = 'Unconscious in the emergency room';

/** Breaks the glass and gives its id. */
export async function broken(world: World, who: Claims, patient: string, minutes = 30): Promise<string> {
  const reply = await asks(world, who, BREAK, { id: patient, reason: REASON, minutes });
  const made = reply.body.data?.['breakGlass'] as { id: string } | null | undefined;
  if (!made) throw new Error(reply.text);
  return made.id;
}

/** Persons of a site, by their record number; with rows in a table where one is named. */
export const personsAt = (world: World, site: string, table = 'patient'): Promise<string[]> =>
  column<string>(
    world,
    `select p.patient_id as value from patient p where p.site_id = $1 and exists (select 1 from ${table} t where t.patient_id = p.patient_id) order by p.mrn`,
    [site],
  );

/** Records of the audit log whose facts have a member, oldest first. */
export async function recordsWith(world: World, member: string): Promise<{ facts: Record<string, unknown>; [name: string]: unknown }[]> {
  const texts = await column<string>(world, 'select record as value from audit_log order by log_id, seq');
  return texts
    .map((text) => JSON.parse(text) as { facts?: Record<string, unknown> })
    .filter((each): each is { facts: Record<string, unknown> } => each.facts?.[member] !== undefined);
}
