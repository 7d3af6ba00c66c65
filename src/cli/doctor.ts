import { mkdir, statfs } from 'node:fs/promises';
import { isCoded } from '../kernel/index.js';
import { homeFolder } from './home.js';
import { verifyStored } from '../store/index.js';
import { EXIT, put, say } from './output.js';
import { openMesh } from './wire.js';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly cure?: string;
}

const FREE_BYTES_MIN = 500_000_000;

/** Checks Node, disk, database and schema, and with `withData` every stored file and packed row; each finding that is not well names its cure. */
export async function doctor(json: boolean, withData = false): Promise<number> {
  const findings: Finding[] = [{ check: 'node', ok: true, found: process.versions.node }, await disk(), await database()];
  if (withData) findings.push(await data());
  const ok = findings.every((finding) => finding.ok);
  if (json) put(JSON.stringify({ ok, findings }));
  else
    for (const finding of findings)
      put(`${finding.ok ? 'ok ' : 'BAD'} ${finding.check}: ${finding.found}${finding.cure === undefined ? '' : ` -> ${finding.cure}`}`);
  return ok ? EXIT.fine : EXIT.fault;
}

async function disk(): Promise<Finding> {
  const home = homeFolder();
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  const found = `${Math.floor(free / 1_000_000)} MB free`;
  return free >= FREE_BYTES_MIN
    ? { check: 'disk', ok: true, found }
    : { check: 'disk', ok: false, found, cure: 'Free some space, or move the data folder with THALAMUS_HOME.' };
}

async function database(): Promise<Finding> {
  try {
    const running = await openMesh({ log: say });
    const { rows } = await running.pools.reader.query<{ version: string }>('show server_version');
    const products = running.mesh.parts.products.length;
    await running.close();
    return { check: 'database', ok: true, found: `Postgres ${rows[0]?.version ?? 'unknown'}, schema and policy of ${products} products` };
  } catch (error) {
    if (isCoded(error)) return { check: 'database', ok: false, found: `${error.code}: ${error.message}`, cure: error.hint };
    return { check: 'database', ok: false, found: error instanceof Error ? error.message : 'unknown fault' };
  }
}

/** Reads everything that has a digest, and names what is no longer what was written. */
async function data(): Promise<Finding> {
  const running = await openMesh({ log: say });
  try {
    const { products, objects } = running.mesh.parts;
    const digests = products.flatMap((product) => product.pipeline?.assets ?? []).flatMap((asset) => asset.digests ?? []);
    const seen = await verifyStored({
      pool: running.pools.writer,
      objects,
      digests,
      found: ({ place }) => {
        say(`CORRUPT ${place}`);
      },
    });
    const found = `${seen.objects} files and ${seen.rows} packed rows read, ${seen.damaged} damaged`;
    return seen.damaged === 0
      ? { check: 'data', ok: true, found }
      : { check: 'data', ok: false, found, cure: 'Restore what is named from a backup, or bring the file in again.' };
  } finally {
    await running.close();
  }
}
