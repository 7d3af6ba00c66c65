import { entryOf } from '../evidence/index.js';
import { CodedError, LIMITS, newUuid } from '../kernel/index.js';
import { identityDigest, type RevocationKind } from '../store/index.js';
import { OPERATOR, type Running } from './wire.js';

export interface RevokeOptions {
  readonly token?: string;
  readonly session?: string;
  readonly subject?: string;
  readonly reason: string;
}

const KINDS = ['token', 'session', 'subject'] as const;
const CHARACTERS_MAX = 255;
/** The tolerance of clocks when a token is judged, twice. */
const CLOCKS_APART_SECONDS_MAX = 10;

/**
 * Revokes a token, a log-in session or everything of a subject, with an audit record. A session stays revoked; a token and a subject for
 * an hour, which no token outlives: whoever may never come back is shut out at the identity provider.
 * Throws BAD_INPUT, AUDIT_UNAVAILABLE.
 */
export async function revoke(running: Running, options: RevokeOptions): Promise<{ kind: RevocationKind; until: string | null }> {
  const [kind, ...others] = KINDS.filter((each) => options[each] !== undefined);
  const value = kind === undefined ? undefined : options[kind];
  if (kind === undefined || value === undefined || others.length > 0)
    throw new CodedError('BAD_INPUT', 'Exactly one of --token, --session and --subject is named.');
  const reason = options.reason.trim();
  for (const text of [value, reason])
    if (text === '' || text.length > CHARACTERS_MAX)
      throw new CodedError('BAD_INPUT', `What is revoked and the reason have 1 to ${CHARACTERS_MAX} characters.`);
  const { mesh, identities } = running;
  const at = mesh.parts.clock();
  const until = kind === 'session' ? null : at + (LIMITS.token_age_seconds_max + CLOCKS_APART_SECONDS_MAX) * 1000;
  const epoch = await identities.revoke({ kind, value, at, until, reason, by: OPERATOR.sub });
  await mesh.audit.append(
    entryOf({
      runId: newUuid(at),
      kind: 'admin',
      at,
      principal: OPERATOR.sub,
      roles: OPERATOR.roles,
      purpose: OPERATOR.purpose,
      policyVersion: mesh.policy.version,
      rows: 1,
      facts: { revoked: kind, digest: identityDigest(kind, value), epoch },
    }),
  );
  return { kind, until: until === null ? null : new Date(until).toISOString() };
}
