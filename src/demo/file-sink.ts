import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../kernel/error.js';

const WRITES_AT_ONCE = 24;

/** Writes files below one folder, some at a time, and counts them. */
export class FileSink {
  files = 0;
  bytes = 0;
  private readonly folders = new Set<string>();
  private waiting: Promise<void>[] = [];

  constructor(private readonly root: string) {}

  /**
   * Makes the folder ready. `stamp` names what will be written: a folder that holds anything else is refused, so that two cohorts never mix.
   * @throws CodedError CONFLICT when the folder holds other files, FILE_UNREADABLE when it cannot be made or read
   */
  async open(stampName: string, stamp: string): Promise<void> {
    let present: string[];
    try {
      await mkdir(this.root, { recursive: true });
      present = await readdir(this.root);
    } catch (cause) {
      throw new CodedError('FILE_UNREADABLE', 'The output folder of the demo cohort cannot be made or read.', { cause });
    }
    const known = present.includes(stampName) ? await readFile(path.join(this.root, stampName), 'utf8') : undefined;
    if (present.length > 0 && known !== stamp) throw new CodedError('CONFLICT', 'The output folder holds other files; name an empty one.');
    await this.write(stampName, stamp);
  }

  async write(name: string, content: string | Buffer): Promise<void> {
    const target = path.join(this.root, name);
    const folder = path.dirname(target);
    if (!this.folders.has(folder)) {
      await mkdir(folder, { recursive: true });
      this.folders.add(folder);
    }
    const data = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    this.files++;
    this.bytes += data.length;
    this.waiting.push(writeFile(target, data));
    if (this.waiting.length >= WRITES_AT_ONCE) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    await Promise.all(batch);
  }
}
