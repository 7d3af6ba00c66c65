import { existsSync } from 'node:fs';
import path from 'node:path';
import { inPlantedTree, ROOT, runTool, type Ran } from './support.js';

const DATA = path.resolve(ROOT, '../shared/data');

const conformance = (...args: string[]): Ran => runTool('bin/ts.js', ['test/conformance/cli.ts', ...args], ROOT);

/** The last line of standard output, which machines read. */
const lastLine = ({ stdout }: Ran): Record<string, unknown> =>
  JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

/** Kinds of the values, one level deep. */
const kinds = (object: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value]),
  );

const TOTALS = { suite: 'string', cases: 'number', passed: 'number', failed: 'number', skipped: 'number', ms: 'number' };

const SOUND = '##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t10\t.\tA\tC\t.\tPASS\t.\n';
const BROKEN = SOUND.replace('\t10\t', '\tten\t');

function describeWithData(name: string, body: () => void): void {
  if (existsSync(DATA)) return describe(name, body);
  if (process.env['CI'] !== undefined)
    return test(name, () => {
      throw new Error('../shared/data is absent');
    });
  process.stderr.write(`skipped: ${name}: ../shared/data is absent\n`);
  return describe.skip(name, body);
}

describe('npm run conformance', () => {
  test.each([
    ['an unknown suite', ['nothing', '--data', '.', '--json']],
    ['a missing folder', ['vcf', '--data', 'test/no-such-folder', '--json']],
    ['no folder at all', ['vcf', '--json']],
    ['a folder without a case', ['vcf', '--data', 'bin', '--json']],
    ['an unknown option', ['vcf', '--data', '.', '--fast']],
  ])('%s ends with 2, says why and prints nothing', (_what, args) => {
    const { status, stdout, stderr } = conformance(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/\S/);
  });

  test('a verdict against the folder is counted as failed, and the command still ends with 0', () => {
    const files = {
      'a/passed/sound.vcf': SOUND,
      'a/passed/broken.vcf': BROKEN,
      'b/failed_body/broken.vcf': BROKEN,
      'b/failed_body/sound.vcf': SOUND,
    };
    inPlantedTree(files, (folder) => {
      const ran = conformance('vcf', '--data', folder, '--json', '--brief');
      expect(ran.status).toBe(0);
      const counts = { good: 2, good_refused: 1, bad: 2, bad_refused: 1, bad_refused_ratio: 0.5, without_rule_id: 2 };
      expect(lastLine(ran)).toMatchObject({ suite: 'vcf', cases: 4, passed: 2, failed: 2, skipped: 0, ...counts });
      expect(lastLine(ran)).not.toHaveProperty('details');
    });
  });
});

describeWithData('npm run conformance over the public data', () => {
  test('hl7v2 has the keys of the contract and one detail for each case', () => {
    const ran = conformance('hl7v2', '--data', path.join(DATA, 'notes/hl7v2'), '--json');
    const answer = lastLine(ran);
    expect(ran.status).toBe(0);
    expect(kinds(answer)).toMatchObject({ ...TOTALS, agreed: 'number', crashed: 'number', details: 'list' });
    expect(answer['details']).toHaveLength(Number(answer['cases']));
    expect(answer).toMatchObject({ cases: 5, agreed: 5, crashed: 0 });
  });

  test('fit has the keys of the contract, and null where no peer was measured', () => {
    const answer = lastLine(conformance('fit', '--data', path.join(DATA, 'wearables/fit'), '--json', '--brief'));
    const numbers = ['files', 'records', 'salvaged', 'refused', 'crashed'].map((key) => [key, 'number']);
    expect(kinds(answer)).toMatchObject({ ...TOTALS, ...Object.fromEntries(numbers), peer_records: 'null' });
    expect(answer).toMatchObject({ files: 29, crashed: 0 });
  });
});

test('npm run bench ends with 2 for a name that is no benchmark', () => {
  const { status, stdout } = runTool('bin/ts.js', ['test/bench/cli.ts', 'nothing', '--json'], ROOT);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});
