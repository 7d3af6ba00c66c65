import type { Pool } from 'pg';

/** For so long after its last commit a log belongs to its writer alone. */
const LEASE = `interval '15 seconds'`;

export interface Head {
  readonly logId: string;
  readonly size: number;
  readonly frontier: Buffer;
  readonly checkpoint: string;
  readonly publicKey: string;
  readonly fence: number;
}

export interface ClaimRequest {
  readonly newLogId: string;
  readonly writer: string;
  readonly publicKeys: readonly string[];
  readonly held: { readonly logId: string; readonly fence: number } | null;
}

interface HeadRow {
  readonly log_id: string;
  readonly size: string;
  readonly frontier: Buffer;
  readonly checkpoint: string;
  readonly public_key: string;
  readonly fence: string;
}

const COLUMNS = 'log_id, size, frontier, checkpoint, public_key, fence';

/** Takes the log that the caller had, or one that nobody writes, or begins a new one; the fence shuts out whoever had it before. */
export async function claimHead(writer: Pool, request: ClaimRequest): Promise<Head> {
  const { newLogId, writer: by, publicKeys, held } = request;
  const taken = await writer.query<HeadRow>(
    `update audit_head set fence = fence + 1, writer = $1, lease_until = now() + ${LEASE}
      where log_id = (
        select log_id from audit_head
         where (public_key = any($2::text[]) or public_key = '') and (lease_until < now() or (log_id = $3 and fence = $4))
         order by log_id = $3 desc nulls last, log_id limit 1 for update skip locked)
     returning ${COLUMNS}`,
    [by, publicKeys, held?.logId ?? null, held?.fence ?? null],
  );
  const [row] = taken.rows;
  if (row) return headOf(row);
  const made = await writer.query<HeadRow>(
    `insert into audit_head (log_id, size, frontier, checkpoint, public_key, fence, writer, lease_until)
     values ($1, 0, '', '', '', 1, $2, now() + ${LEASE}) returning ${COLUMNS}`,
    [newLogId, by],
  );
  const [head] = made.rows;
  if (!head) throw new Error('a log could not be begun');
  return headOf(head);
}

export async function releaseHead(writer: Pool, logId: string, fence: number): Promise<void> {
  await writer.query(`update audit_head set lease_until = now() where log_id = $1 and fence = $2`, [logId, fence]);
}

/** Every log with where it stands. */
export async function allHeads(writer: Pool): Promise<readonly Head[]> {
  const { rows } = await writer.query<HeadRow>(`select ${COLUMNS} from audit_head order by log_id`);
  return rows.map(headOf);
}

function headOf(row: HeadRow): Head {
  return {
    logId: row.log_id,
    size: Number(row.size),
    frontier: row.frontier,
    checkpoint: row.checkpoint,
    publicKey: row.public_key,
    fence: Number(row.fence),
  };
}

export const leaseSql = LEASE;
