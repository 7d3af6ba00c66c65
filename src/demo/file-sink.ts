import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CodedError } from '../kernel/error.js';

const FILES_PER_TURN = 100;

function failure(cause: unknown): CodedError {
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
  return full
    ? new CodedError('DISK_FULL', 'The disk is full; the demo cohort is not complete.', { cause })
    : new CodedError('FILE_UNREADABLE', 'The output folder of the demo cohort cannot be read or written.', { cause });
}

/**
 * Writes files below one folder and counts them. Writes are synchronous, which takes a third of the time for thousands of small
 * files; the event loop gets its turn in between.
 */
export class FileSink {
  files = 0;
  bytes = 0;
  private readonly folders = new Set<string>();

  constructor(private readonly root: string) {}

  /**
   * Makes the folder ready. `stamp` names what will be written: a folder that holds anything else is refused, so that two cohorts never mix.
   * @throws CodedError CONFLICT when the folder holds other files; FILE_UNREADABLE, DISK_FULL
   */
  async open(stampName: string, stamp: string): Promise<void> {
    let present: string[];
    let known: string | undefined;
    try {
      mkdirSync(this.root, { recursive: true });
      present = readdirSync(this.root);
      if (present.includes(stampName)) known = readFileSync(path.join(this.root, stampName), 'utf8');
    } catch (cause) {
      throw failure(cause);
    }
    if (present.length > 0 && known !== stamp) throw new CodedError('CONFLICT', 'The output folder holds other files; name an empty one.');
    await this.write(stampName, stamp);
  }

  /** @throws CodedError FILE_UNREADABLE, DISK_FULL */
  async write(name: string, content: string | Buffer): Promise<void> {
    const target = path.join(this.root, name);
    const folder = path.dirname(target);
    const data = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    try {
      if (!this.folders.has(folder)) mkdirSync(folder, { recursive: true });
      writeFileSync(target, data);
    } catch (cause) {
      throw failure(cause);
    }
    this.folders.add(folder);
    this.files++;
    this.bytes += data.length;
    if (this.files % FILES_PER_TURN === 0) await setImmediate();
  }
}
