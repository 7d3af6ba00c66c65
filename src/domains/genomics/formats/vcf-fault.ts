import type { ErrorCode } from '../../../kernel/error.js';

/** A fault of one record. `column` counts tab-separated fields from 1; 0 when the fault is of the whole line. */
export class LineFault {
  constructor(
    readonly reason: string,
    readonly column: number,
    readonly code: ErrorCode = 'VCF_LINE',
  ) {}
}
