import { packRecords } from './audit.js';
import { startGateway, type Gateway } from '../gateway/index.js';
import type { ProductName } from '../kernel/index.js';
import { DEMO_IDENTITIES } from '../demo/index.js';
import { demoAnswers, loadDemo, trainDemo } from './demo.js';
import { addressOf } from './issuers.js';
import { put, say } from './output.js';
import { httpsUrl, type Environment } from './feeds-settings.js';
import { openMesh, type Running } from './wire.js';

export interface ServeOptions {
  readonly demo: boolean;
  readonly patients: number;
  readonly products?: readonly ProductName[];
  /** Serves, answers once and stops: for smoke tests and benchmarks. */
  readonly once: boolean;
}

/** Runs the mesh until it is told to stop. */
export async function serve(options: ServeOptions): Promise<void> {
  const { host, port } = addressOf(process.env, options.demo);
  const running = await openMesh({ log: say, ...(options.products ? { products: options.products } : {}) });
  let gateway: Gateway | undefined;
  let trained = false;
  try {
    if (options.demo) {
      const totals = await loadDemo(running, options.patients);
      if (totals) say(`Loaded ${totals.records} records; ${totals.quarantined} are in quarantine with their reasons.`);
      trained = await trainDemo(running);
    }
    gateway = await startGateway({
      mesh: running.mesh,
      identity: running.identity,
      host,
      port,
      ready: () => isReady(running),
      publicUrl: publicUrlOf(process.env),
    });
    await running.feeds.start();
    if (options.demo) await introduce(running, gateway, trained);
    else put(`Thalamus serves at ${gateway.url}`);
    if (!options.once) {
      const stopPacking = packDaily(running);
      await untilStopped();
      stopPacking();
    }
  } finally {
    await gateway?.stop();
    await running.close();
  }
}

const DAY_MS = 86_400_000;

/** Old records are packed at the start and once a day; what fails is tried again the next day. */
function packDaily(running: Running): () => void {
  const pack = (): void => {
    packRecords(running).catch(() => {
      say('ALERT old audit records could not be packed; they stay as rows.');
    });
  };
  pack();
  const timer = setInterval(pack, DAY_MS).unref();
  return () => {
    clearInterval(timer);
  };
}

/** Where callers reach the gateway when something stands in front of it: `PUBLIC_URL`. */
function publicUrlOf(env: Environment): string | undefined {
  const { PUBLIC_URL: url } = env;
  return url ? httpsUrl('PUBLIC_URL', url).replace(/\/+$/, '') : undefined;
}

async function isReady(running: Running): Promise<boolean> {
  try {
    await running.pools.reader.query('select 1');
    await running.pools.writer.query('select 1');
    return true;
  } catch {
    return false;
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve();
      });
  });
}

/** What the start of the demo prints: one governed answer for two identities, a score, and how to sign in. */
async function introduce(running: Running, gateway: Gateway, trained: boolean): Promise<void> {
  const { clinician, analyst, fusion } = await demoAnswers(running, trained);
  const position = (answer: typeof clinician): string =>
    `lineage ${answer.lineageId} · audit record ${answer.receipt?.logIndex ?? 'none'} of log ${answer.receipt?.logId ?? 'none'}`;
  put(`Thalamus serves at ${gateway.url}. Everybody in it is invented (synthetic).`);
  put('');
  put("One patient, four modalities, as the clinician of the patient's own site sees them (purpose TREAT):");
  put(JSON.stringify(clinician.data, null, 2));
  put(position(clinician));
  put('');
  put('The same patient as a research analyst sees them (purpose HRESCH):');
  put(JSON.stringify(analyst.data, null, 2));
  put(position(analyst));
  put('');
  if (fusion) {
    put('A fusion model over whatever exists and may be used (runFusion, clinician):');
    put(JSON.stringify(fusion.data, null, 2));
    put(position(fusion));
    put('');
  }
  for (const answer of [clinician, analyst, fusion]) for (const error of answer?.errors ?? []) say(`${error.code}: ${error.message}`);
  put('Sign in as one of the demo identities; a token lasts 15 minutes:');
  for (const identity of DEMO_IDENTITIES) put(`  npx thalamus token --as ${identity.name.padEnd(10)} ${identity.description}`);
  put('');
  put('  curl -s ' + gateway.url + ' -H "authorization: Bearer $(npx thalamus token --as analyst)" -H "content-type: application/json" \\');
  put(`       -d '{"query":"{ patientCount variantCount }"}'`);
}
