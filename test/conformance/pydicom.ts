import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** What pydicom says of one file. */
export interface OracleRow {
  readonly file: string;
  readonly read: boolean;
  readonly studyUid: string | null;
  readonly seriesUid: string | null;
  readonly sopUid: string | null;
  readonly modality: string | null;
  readonly rows: number | null;
  readonly columns: number | null;
}

/** Reads names from the standard input and prints one JSON object a line. */
const PROGRAM = `
import json, os, sys, warnings
warnings.simplefilter('ignore')
import logging
logging.disable(logging.CRITICAL)
import pydicom
TAGS = {'studyUid': 'StudyInstanceUID', 'seriesUid': 'SeriesInstanceUID', 'sopUid': 'SOPInstanceUID', 'modality': 'Modality', 'rows': 'Rows', 'columns': 'Columns'}
for line in sys.stdin:
    name = line.rstrip('\\n')
    row = {'file': name, 'read': True, **{key: None for key in TAGS}}
    try:
        data = pydicom.dcmread(os.path.join(sys.argv[1], name), force=True, stop_before_pixels=True)
        for key, tag in TAGS.items():
            value = getattr(data, tag, None)
            if value is not None and value != '':
                row[key] = int(value) if key in ('rows', 'columns') else str(value)
    except Exception:
        row['read'] = False
    print(json.dumps(row))
`;

/** Answers of pydicom for files below the folder, or null where Python has no pydicom. */
export function oracle(folder: string, files: readonly string[], log: (line: string) => void): OracleRow[] | null {
  const { status, stdout } = spawnSync('python3', ['-c', PROGRAM, path.resolve(folder)], {
    input: files.map((file) => `${file}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) {
    log('pydicom does not answer, so nothing is compared; install it with: apt-get install python3-pydicom');
    return null;
  }
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OracleRow);
}
