import { readFile } from 'node:fs/promises';
import { CodedError } from '../kernel/index.js';

/** The text of a file that is named on the command line. */
export async function documentAt(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new CodedError('FILE_UNREADABLE', `The file ${file} cannot be read.`);
  }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodedError('BAD_INPUT', 'What was given is not JSON.');
  }
}
