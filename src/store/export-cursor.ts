import type { Pool } from 'pg';

/** How far each log was told to whoever receives evidence, by the name of the export. One row a log. */
export function exportCursor(writer: Pool) {
  return {
    /** Next sequence number to tell, by log. */
    async cursorOf(name: string): Promise<ReadonlyMap<string, number>> {
      const { rows } = await writer.query<{ log_id: string; next: string }>('select log_id, next from export_cursor where name = $1', [
        name,
      ]);
      return new Map(rows.map((row) => [row.log_id, Number(row.next)]));
    },

    /** Moves on, never back: of two processes that tell at once the slower one does not undo the faster. */
    async advance(name: string, logId: string, next: number): Promise<void> {
      await writer.query(
        `insert into export_cursor (name, log_id, next) values ($1, $2, $3)
          on conflict (name, log_id) do update set next = greatest(export_cursor.next, excluded.next)`,
        [name, logId, next],
      );
    },
  };
}
