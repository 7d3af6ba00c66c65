import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConfig } from 'pg';
import { Client, Pool, escapeIdentifier, escapeLiteral } from 'pg';
import { CodedError, isCoded } from '../kernel/error.js';
import type { Engine } from './engines/engine.js';
import { codeOf } from './engines/engine.js';

export const READER_ROLE = 'thalamus_reader';
export const WRITER_ROLE = 'thalamus_writer';

/** Connections by what they may do. `owner` is for migrations only; requests use `reader` and `writer`, which own nothing. */
export interface Pools {
  readonly owner: Pool;
  readonly reader: Pool;
  readonly writer: Pool;
  /** Waits for running queries and closes every connection. May be called twice. */
  end(): Promise<void>;
}

const OWNER_CONNECTIONS_MAX = 2;
const READER_CONNECTIONS_MAX = 8;
const WRITER_CONNECTIONS_MAX = 10;
const CONNECT_MS_MAX = 10_000;
const IDLE_MS_MAX = 30_000;
const ATTEMPTS_MAX = 8;
const RETRY_MS = 25;
const SCRAM_ROUNDS = 4_096;

/** Already there; changed by another start at the same moment; an internal conflict of two changes to one catalogue row. */
const RACES = new Set(['42710', '23505', 'XX000', '40001']);

/**
 * Opens the pools and makes the two roles when they are absent or differ. Several gateways and several databases of one
 * server may do so at once. A lost connection is told to `log` and replaced at the next use.
 * Throws DATABASE_UNAVAILABLE, or CONFIG_INVALID when a role has rights that would bypass row level security.
 */
export async function openPools(engine: Engine, log: (line: string) => void = () => undefined): Promise<Pools> {
  const base = engine.ownerUrl();
  let ending: Promise<void> | undefined;
  const open = (config: PoolConfig, name: string, max: number): Pool => {
    const pool = new Pool({ ...config, max, connectionTimeoutMillis: CONNECT_MS_MAX, idleTimeoutMillis: IDLE_MS_MAX });
    const lost = (error: Error): void => {
      // A server that stops with us ends what is still closing; nobody has to know.
      if (ending) return;
      log(`A database connection of the ${name} was lost (${codeOf(error) ?? 'closed'}).`);
    };
    pool.on('error', lost);
    // While a client is lent out the pool does not listen to it, and an unheard error would end the process.
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  };
  const owner = open(base, 'owner', OWNER_CONNECTIONS_MAX);
  try {
    const reader = await ensureRole(owner, base, READER_ROLE);
    const writer = await ensureRole(owner, base, WRITER_ROLE);
    const pools = [owner, open(reader, 'reader', READER_CONNECTIONS_MAX), open(inUtc(writer), 'writer', WRITER_CONNECTIONS_MAX)] as const;
    const end = async (): Promise<void> => {
      await Promise.all(pools.map((pool) => pool.end()));
    };
    return { owner, reader: pools[1], writer: pools[2], end: () => (ending ??= end()) };
  } catch (error) {
    await owner.end();
    if (isCoded(error)) throw error;
    if (codeOf(error) === '42501') {
      throw new CodedError(
        'DATABASE_UNAVAILABLE',
        `The user of DATABASE_URL may not make the roles ${READER_ROLE} and ${WRITER_ROLE}; it needs CREATEROLE.`,
        {
          cause: error,
        },
      );
    }
    throw new CodedError('DATABASE_UNAVAILABLE', 'The database roles could not be prepared.', { detail: String(error), cause: error });
  }
}

/** Instants and days read back as ISO text in UTC, whatever the server is set to. */
const inUtc = (config: PoolConfig): PoolConfig => ({
  ...config,
  options: `${config.options ?? ''} -c TimeZone=UTC -c DateStyle=ISO`.trim(),
});

/** The same server and database as another role. */
export function configAs(base: PoolConfig, user: string, password: string): PoolConfig {
  if (base.connectionString === undefined) return { ...base, user, password };
  const url = new URL(base.connectionString);
  url.username = user;
  url.password = password;
  url.searchParams.delete('user');
  url.searchParams.delete('password');
  return { ...base, connectionString: url.href, user, password };
}

/** Attributes that the roles must not have; each is off by default and would widen what a stolen connection can do. */
const ATTRIBUTES = {
  rolsuper: 'nosuperuser',
  rolbypassrls: 'nobypassrls',
  rolinherit: 'noinherit',
  rolcreaterole: 'nocreaterole',
  rolcreatedb: 'nocreatedb',
  rolreplication: 'noreplication',
} as const;

type RoleRow = Record<keyof typeof ATTRIBUTES | 'rolcanlogin' | 'flushes' | 'owns' | 'member', boolean>;

async function ensureRole(owner: Pool, base: PoolConfig, role: string): Promise<PoolConfig> {
  const password = derivePassword(base, role);
  const config = configAs(base, role, password);
  for (let attempt = 1; ; attempt++) {
    try {
      await alignRole(owner, role, password);
      if (await logsIn(config)) return config;
      await owner.query(`alter role ${escapeIdentifier(role)} password ${escapeLiteral(scramVerifier(password))}`);
      if (await logsIn(config)) return config;
      throw new CodedError('DATABASE_UNAVAILABLE', `The role ${role} may not log in to the database; see the server's pg_hba.conf.`);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !RACES.has(codeOf(error) ?? '')) throw error;
      // Different processes wait differently long, so that they do not meet again.
      await sleep(RETRY_MS * attempt * (1 + (process.pid % 7)));
    }
  }
}

async function alignRole(owner: Pool, role: string, password: string): Promise<void> {
  const found = await owner.query<RoleRow>(
    `select rolsuper, rolbypassrls, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin,
            exists (select from pg_catalog.pg_db_role_setting s
                     where s.setrole = r.oid and s.setdatabase = 0 and 'synchronous_commit=on' = any (s.setconfig)) as flushes,
            exists (select from pg_catalog.pg_shdepend d
                     where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'o') as owns,
            exists (select from pg_catalog.pg_auth_members m where m.member = r.oid) as member
       from pg_catalog.pg_roles r where rolname = $1`,
    [role],
  );
  const row = found.rows[0];
  const name = escapeIdentifier(role);
  if (row === undefined) {
    await owner.query(
      `create role ${name} login ${Object.values(ATTRIBUTES).join(' ')} password ${escapeLiteral(scramVerifier(password))}`,
    );
  } else {
    if (row.owns) throw new CodedError('CONFIG_INVALID', `The database role ${role} owns objects; it must own nothing.`);
    if (row.member)
      throw new CodedError('CONFIG_INVALID', `The database role ${role} is a member of another role; it must be a member of none.`);
    // Only what differs: a user without superuser rights may not even repeat some attributes.
    const wrong: string[] = Object.entries(ATTRIBUTES).flatMap(([column, word]) => (row[column as keyof typeof ATTRIBUTES] ? [word] : []));
    if (!row.rolcanlogin) wrong.push('login');
    if (wrong.length > 0) await owner.query(`alter role ${name} ${wrong.join(' ')}`);
  }
  // A setting of the database could turn it off for everyone; one of the role wins over that.
  if (row?.flushes !== true) await owner.query(`alter role ${name} set synchronous_commit = on`);
}

/** True when the role logs in; false when its password is another one. */
async function logsIn(config: PoolConfig): Promise<boolean> {
  const client = new Client({ ...config, connectionTimeoutMillis: CONNECT_MS_MAX });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (codeOf(error) === '28P01') return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Every gateway that knows the owner's password comes to the same one, and none has to be stored. */
function derivePassword(base: PoolConfig, role: string): string {
  if (typeof base.password !== 'string' || base.password === '') {
    throw new CodedError('CONFIG_INVALID', 'The owner connects without a password, so none can be derived for the roles.');
  }
  return createHmac('sha256', base.password).update(`thalamus role ${role} v1`).digest('base64url');
}

/** What Postgres stores instead of a password (RFC 5803); sent in its place, so that no statement log holds the password. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ROUNDS, 32, 'sha256');
  const key = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${String(SCRAM_ROUNDS)}:${salt.toString('base64')}$${stored}:${key('Server Key').toString('base64')}`;
}
