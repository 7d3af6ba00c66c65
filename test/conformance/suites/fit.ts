import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fitFormat, readFit } from '../../../src/domains/wearables/formats/fit.js';
import { isCoded } from '../../../src/kernel/error.js';
import { beside, filesBelow, outcomeOf, readWith, type Case, type Suite } from '../suite.js';

/** Global number of the message 'record' in the FIT profile. */
const RECORD = 20;
const DAMAGE = new Set(['FIT_CRC', 'FIT_TRUNCATED', 'FIT_MESSAGE', 'FIT_HEADER']);

/** Rows of `<stem>-records.csv` beside the file, where a decoder of reference wrote one. */
function expectedRecords(file: string): number | null {
  const table = beside(file, `${path.basename(file, '.fit')}-records.csv`);
  if (table === null) return null;
  return (
    readFileSync(table, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '').length - 1
  );
}

/**
 * Garmin FIT files (spec wearables W55). `records` are messages of kind 'record', `messages` all data messages. A damaged file whose
 * complete messages were kept counts as salvaged; one that gives nothing, as refused. A file passes when it is read, salvaged or refused with
 * a code, and has as many records as the table beside it says.
 */
export const suite: Suite = {
  about: 'FIT files: segments, records, damage',
  async run(folder) {
    const cases: Case[] = [];
    const count = { files: 0, segments: 0, messages: 0, records: 0, samples: 0, salvaged: 0, refused: 0, crashed: 0 };
    for (const file of filesBelow(folder, /\.fit$/i)) {
      const full = path.join(folder, file);
      const wanted = expectedRecords(full);
      let samples = 0;
      const read = await readWith(fitFormat, full, (batch) => {
        samples += batch.t.length;
        return false;
      });
      const report = reportOf(full);
      const messages = report === null ? 0 : [...report.messages.values()].reduce((sum, each) => sum + each, 0);
      const records = report?.messages.get(RECORD) ?? 0;
      const damaged = report?.faults.some((fault) => DAMAGE.has(fault.code)) ?? false;
      count.files += 1;
      count.segments += report?.segments ?? 0;
      count.messages += messages;
      count.records += records;
      count.samples += samples;
      if (read.crash !== null) count.crashed += 1;
      else if (read.thrown !== null || (damaged && messages === 0)) count.refused += 1;
      else if (damaged) count.salvaged += 1;
      const right = read.crash === null && (wanted === null || wanted === records);
      const expected = wanted === null ? 'read, or damage named' : `${wanted} records`;
      const got = `${outcomeOf(read)}; ${report?.segments ?? 0} segments, ${messages} messages, ${records} records, ${samples} samples`;
      cases.push({ id: file, verdict: right ? 'passed' : 'failed', expected, got });
    }
    return { cases, figures: { ...count, peer_records: null } };
  },
};

function reportOf(file: string): ReturnType<typeof readFit> | null {
  try {
    return readFit(readFileSync(file));
  } catch (error) {
    if (isCoded(error)) return null;
    throw error;
  }
}
