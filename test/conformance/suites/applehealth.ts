import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { appleHealthFormat } from '../../../src/domains/wearables/formats/apple-health.js';
import { filesBelow, outcomeOf, ratio, readWith, type Case, type Suite } from '../suite.js';

const ELEMENT = /<Record[\s/>]/g;

/** Record elements of the text, counted without a parser; those of a comment or a correlation are among them. */
async function elementsOf(file: string): Promise<number> {
  let found = 0;
  let rest = '';
  for await (const part of createReadStream(file, 'latin1') as AsyncIterable<string>) {
    const text = rest + part;
    found += text.match(ELEMENT)?.length ?? 0;
    // An opening tag that the border cuts is counted with the next part.
    rest = text.slice(Math.max(0, text.length - '<Record'.length));
  }
  return found;
}

/**
 * Apple Health exports. `records` are Record elements that gave a sample, `elements` all of them: sleep stages in bed, records inside a
 * correlation and types without a metric give none. A file passes when it is read, or refused with a code, and gives no sample twice.
 */
export const suite: Suite = {
  about: 'Apple Health export.xml',
  async run(folder) {
    const cases: Case[] = [];
    const count = { files: 0, records: 0, elements: 0, refused: 0, crashed: 0 };
    let bytes = 0;
    let ms = 0;
    for (const file of filesBelow(folder, /\.xml$/i)) {
      const full = path.join(folder, file);
      let samples = 0;
      const started = performance.now();
      const read = await readWith(appleHealthFormat, full, (batch) => {
        samples += batch.t.length;
        return false;
      });
      ms += performance.now() - started;
      bytes += statSync(full).size;
      const elements = await elementsOf(full);
      count.files += 1;
      count.records += samples;
      count.elements += elements;
      if (read.crash !== null) count.crashed += 1;
      if (read.thrown !== null) count.refused += 1;
      const right = read.crash === null && samples <= elements;
      const got = `${outcomeOf(read)}; ${samples} samples of ${elements} records`;
      cases.push({ id: file, verdict: right ? 'passed' : 'failed', expected: 'read, or refused with a code', got });
    }
    const peak = process.resourceUsage().maxRSS / 1024;
    return { cases, figures: { ...count, peak_rss_mb: peak, mb_per_s: ratio(bytes / 1e6, ms / 1000) } };
  },
};
