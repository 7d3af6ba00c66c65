import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { BULK_RULE, entryOf, exceeded } from '../evidence/index.js';
import {
  AUDIENCE,
  Identity,
  LoginSessions,
  Mesh,
  Revocations,
  type Ingestion,
  type SigningKey,
  reapplyErasures,
} from '../gateway/index.js';
import { rolesOf } from '../governance/index.js';
import { newUuid, systemClock, type Principal, type ProductName } from '../kernel/index.js';
import { ingestFile, planPipelines, releaseQuarantine, type PipelineDeps } from '../pipeline/index.js';
import { allProducts, loadPolicies, loadProducts } from '../products.js';
import {
  bulkMeter,
  columnTypes,
  disclosureStore,
  EvidenceStore,
  exportCursor,
  identityStore,
  localObjects,
  migrate,
  openPools,
  policyStore,
  recordStore,
  startEngine,
  writeStore,
  type Engine,
  type IdentityStore,
  type Pools,
} from '../store/index.js';
import { Feeds, runSource } from './feeds.js';
import type { Environment } from './feeds-settings.js';
import { auditKeys, demoKey, homeFolder, installationSecret } from './home.js';
import { issuersOf } from './issuers.js';
import { clearinghouseOf } from './visas.js';

export interface WireOptions {
  readonly products?: readonly ProductName[];
  readonly home?: string;
  readonly databaseUrl?: string | undefined;
  /** An engine that runs already; it is not stopped with the mesh. */
  readonly engine?: Engine;
  readonly log?: (line: string) => void;
  readonly clock?: () => number;
  /** Settings of what leaves for outside; those of the process where none are given. */
  readonly env?: Environment;
}

/** All rooms joined: what every verb works with. */
export interface Running {
  readonly mesh: Mesh;
  readonly pools: Pools;
  readonly identity: Identity;
  readonly identities: IdentityStore;
  readonly revocations: Revocations;
  readonly key: SigningKey;
  readonly home: string;
  readonly evidence: EvidenceStore;
  /** What carries evidence outside. */
  readonly feeds: Feeds;
  pipeline(by: Principal): PipelineDeps;
  close(): Promise<void>;
}

/** Who acts where nobody signed in: the person at the command line of this machine. */
export const OPERATOR: Principal = {
  sub: 'local-operator',
  roles: ['steward'],
  purpose: 'HOPERAT',
  sites: '*',
  kind: 'person',
  tokenId: 'local',
};

/** Starts the engine, migrates, and joins store, governance, pipeline and gateway. */
export async function openMesh(options: WireOptions = {}): Promise<Running> {
  const home = options.home ?? homeFolder();
  const log = options.log ?? (() => undefined);
  const clock = options.clock ?? systemClock;
  const url = options.databaseUrl ?? process.env['DATABASE_URL'];
  const engine =
    options.engine ??
    (await startEngine({
      kind: url === undefined ? 'embedded' : 'postgres',
      dataDir: join(home, 'database'),
      ...(url === undefined ? {} : { url }),
      log,
    }));
  const undo: (() => Promise<void>)[] = options.engine ? [] : [() => engine.stop()];
  try {
    const pools = await openPools(engine, log);
    undo.unshift(() => pools.end());
    await migrate(engine);
    // The pool hides its password from enumeration, so it is named.
    const source = new DataSource({
      type: 'postgres',
      synchronize: false,
      logging: false,
      installExtensions: false,
      extra: { ...pools.writer.options, password: pools.writer.options.password, max: 2 },
    });
    await source.initialize();
    undo.unshift(() => source.destroy());
    const products = await loadProducts(options.products ?? allProducts);
    const secret = installationSecret(home);
    const evidence = new EvidenceStore(pools.writer, secret, bulkMeter({ windowMonths: BULK_RULE.windowMonths, exceeded }));
    const feeds = new Feeds(options.env ?? process.env, {
      evidence,
      cursor: exportCursor(pools.writer),
      source: runSource(evidence),
      clock,
      log,
    });
    const plan = planPipelines(products);
    const objects = localObjects(join(home, 'files'));
    const store = writeStore(pools.writer, objects);
    const pipeline = (by: Principal): PipelineDeps => ({
      plan,
      store,
      now: clock,
      actor: by.sub,
      evidence: { ingested: (load) => recordLoad(mesh, by, load) },
    });
    const mesh: Mesh = new Mesh({
      products,
      subgraph: options.products?.length === 1,
      policies: await loadPolicies(),
      pools,
      types: await columnTypes(pools.owner),
      evidence,
      records: recordStore(source),
      ingestion: ingestion(pipeline),
      governance: policyStore(pools.writer),
      disclosure: disclosureStore(pools.writer),
      objects,
      secret,
      keyring: () => auditKeys(home),
      kept: feeds.kept,
      clock,
      log,
    });
    // The schema is built by now, so what else is loaded does not enter it.
    if (!products.some((product) => product.features) && products.some((product) => product.name === 'fusion'))
      mesh.readFrom(await loadProducts(allProducts));
    await mesh.refresh();
    // A restored backup brings back whom the log says to be erased; a process of one product leaves it to one of all.
    if (options.products === undefined) await reapplyErasures(mesh, OPERATOR);
    const key = await demoKey(home);
    const identities = identityStore(pools.writer);
    const revocations = new Revocations(identities, clock, () => performance.now());
    const clearinghouse = clearinghouseOf(process.env, process.env['OIDC_AUDIENCE'] ?? AUDIENCE, log);
    const identity = new Identity({
      issuers: issuersOf(process.env, key, log),
      roles: () => mesh.roles,
      rolesOf: (roles, groups) => rolesOf(mesh.policy, roles, groups),
      purposes: () => new Set(Object.keys(mesh.policy.document.studies ?? {}).map((code) => `study:${code}`)),
      revocations,
      sessions: new LoginSessions(identities, clock),
      ...(clearinghouse ? { clearinghouse } : {}),
      revocationEpoch: () => mesh.epoch.revocation,
      clock,
    });
    const close = async (): Promise<void> => {
      await feeds.stop();
      await mesh.audit.close();
      await feeds.drain();
      for (const each of undo) await each();
    };
    return { mesh, pools, identity, identities, revocations, key, home, evidence, feeds, pipeline, close };
  } catch (error) {
    for (const each of undo) await each().catch(() => undefined);
    throw error;
  }
}

function ingestion(pipeline: (by: Principal) => PipelineDeps): Ingestion {
  return {
    ingest: (file, by) =>
      ingestFile(
        {
          name: file.name,
          product: file.product,
          open: () => once(file.bytes),
          ...(file.assembly === undefined ? {} : { assembly: file.assembly }),
        },
        pipeline(by),
      ),
    async release(ids, reason, by) {
      const { released, held } = await releaseQuarantine(ids, by.sub, reason, pipeline(by));
      return { released: released.length, held: held.length };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

type Load = Parameters<PipelineDeps['evidence']['ingested']>[0];

/** The lineage and audit record of a file that was loaded. */
async function recordLoad(mesh: Mesh, by: Principal, load: Load): Promise<string> {
  const now = mesh.parts.clock();
  const runId = newUuid(now);
  const { report } = load;
  await mesh.audit.append(
    entryOf({
      runId,
      kind: 'ingest',
      at: now,
      principal: by.sub,
      roles: by.roles,
      purpose: by.purpose,
      policyVersion: mesh.policy.version,
      rows: Object.values(report.rows).reduce((sum, count) => sum + count, 0),
      resultDigest: report.digest,
      bytes: report.bytes,
      versions: load.versions,
      code: report.status === 'refused' ? (report.faults[0]?.code ?? null) : null,
      facts: {
        product: report.product,
        format: report.format,
        status: report.status,
        rows: report.rows,
        quarantined: report.quarantined,
        datasets: load.datasets,
      },
    }),
  );
  return runId;
}
