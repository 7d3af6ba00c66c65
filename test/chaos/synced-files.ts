import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

/** What a process made durable, or tried to: fsync of a file or folder, and a new name. */
export interface FileEvent {
  readonly kind: 'synced' | 'renamed';
  readonly path: string;
  readonly from?: string;
}

/** Tells every fsync and rename made through node:fs/promises from here on. */
export function journalFiles(tell: (event: FileEvent) => void): void {
  const { open, rename } = fs;
  fs.open = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    const handle = await open(...args);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      tell({ kind: 'synced', path: String(args[0]) });
    };
    return handle;
  };
  fs.rename = async (from, to) => {
    await rename(from, to);
    tell({ kind: 'renamed', path: String(to), from: String(from) });
  };
}

/**
 * Files below a folder that a power cut would leave, by POSIX: those whose bytes were synced and whose folder was synced after they got their name.
 * Folders count as durable, since the file systems in use make a new folder durable with the first sync in it.
 */
export class SyncedFiles {
  private readonly bytes = new Set<string>();
  private readonly unsettled = new Set<string>();

  constructor(private readonly folder: string) {}

  note({ kind, path: name, from }: FileEvent): void {
    if (kind === 'renamed' && from !== undefined) {
      if (this.bytes.delete(from)) this.bytes.add(name);
      this.unsettled.add(name);
      return;
    }
    this.bytes.add(name);
    for (const each of this.unsettled) if (path.dirname(each) === name) this.unsettled.delete(each);
  }

  /** Removes what would be gone; `before` holds what was durable at the start. Returns how many files went. */
  cut(before: string): number {
    if (!existsSync(this.folder)) return 0;
    let gone = 0;
    for (const entry of readdirSync(this.folder, { recursive: true, withFileTypes: true })) {
      const name = path.join(entry.parentPath, entry.name);
      const old = path.join(before, path.relative(this.folder, name));
      if (!entry.isFile()) continue;
      if (this.bytes.has(name) && !this.unsettled.has(name)) continue;
      if (existsSync(old)) cpSync(old, name);
      else {
        rmSync(name);
        gone += 1;
      }
    }
    return gone;
  }
}
