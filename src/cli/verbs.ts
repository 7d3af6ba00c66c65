import { writeFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { ask, explain, sdlOf, signRouterToken, signToken } from '../gateway/index.js';
import { CodedError, PRODUCT_NAMES, newUuid, systemClock, type ProductName } from '../kernel/index.js';
import { ingestPaths } from '../pipeline/index.js';
import { auditVerbs } from './audit.js';
import { eraseVerb } from './erase.js';
import { doctor } from './doctor.js';
import { exportLineage } from './export-evidence.js';
import { EXIT, fail, put, say } from './output.js';
import { policyVerb } from './policy.js';
import { revoke, type RevokeOptions } from './revoke.js';
import { serve } from './serve.js';
import { documentAt, jsonOf } from './text.js';
import { principalOf } from './who.js';
import { OPERATOR, openMesh, type Running } from './wire.js';

/** The verbs of the one command. Each wires rooms together and prints; none decides anything. */
export async function main(argv: readonly string[]): Promise<number> {
  let exit: number = EXIT.fine;
  const program = new Command('thalamus')
    .description('A governed GraphQL data mesh for multimodal health data.')
    .exitOverride()
    .showSuggestionAfterError();
  const verb = (name: string, description: string): Command =>
    program.command(name).description(description).option('--json', 'print one JSON object as the last line');
  const act = (work: () => Promise<number>) => async (): Promise<void> => {
    exit = await work();
  };
  const withMesh = async (work: (running: Running) => Promise<number>): Promise<number> => {
    const running = await openMesh({ log: say });
    try {
      return await work(running);
    } finally {
      await running.close();
    }
  };
  serveVerb(verb, (work) => act(work)());
  dataVerbs(verb, (work) => act(() => withMesh(work))());
  identityVerbs(verb, (work) => act(() => withMesh(work))());
  questionVerbs(verb, (work) => act(() => withMesh(work))());
  verb('doctor', 'checks what the mesh needs, with a cure for each finding')
    .option('--data', 'read every stored file and packed row and name what is damaged')
    .action(async (options: { json?: boolean; data?: boolean }) => {
      exit = await doctor(options.json === true, options.data === true);
    });
  try {
    await program.parseAsync([...argv]);
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    return fail(error);
  }
}

type Verb = (name: string, description: string) => Command;
type Act = (work: (running: Running) => Promise<number>) => Promise<void>;

function serveVerb(verb: Verb, act: (work: () => Promise<number>) => Promise<void>): void {
  verb('serve', 'serves the mesh, or one product of it as a subgraph')
    .option('--product <name>', 'serve this product only, as a Federation 2 subgraph')
    .option('--demo', 'load and show the demo cohort')
    .option('--patients <n>', 'persons of the demo cohort', '1000')
    .option('--once', 'answer once and stop')
    .action(async (options: { product?: string; demo?: boolean; patients: string; once?: boolean }) => {
      await act(async () => {
        const { product } = options;
        if (product !== undefined && !isProduct(product))
          throw new CodedError('BAD_INPUT', `A product is one of ${PRODUCT_NAMES.join(', ')}.`);
        await serve({
          demo: options.demo === true,
          patients: countOf(options.patients),
          once: options.once === true,
          ...(product === undefined ? {} : { products: [product] }),
        });
        return EXIT.fine;
      });
    });
}

function dataVerbs(verb: Verb, act: Act): void {
  verb('migrate', 'brings the database to the present schema').action(async (options: { json?: boolean }) => {
    await act(async (running) => {
      const { rows } = await running.pools.owner.query<{ name: string }>('select name from schema_migration order by timestamp');
      put(
        options.json === true
          ? JSON.stringify({ migrations: rows.map((row) => row.name) })
          : `The schema is at ${rows.at(-1)?.name ?? 'nothing'}.`,
      );
      return EXIT.fine;
    });
  });
  verb('ingest', 'loads files and folders through the pipelines of their products')
    .argument('<paths...>')
    .option('--assembly <name>', 'reference assembly of VCF files that do not state one: GRCh37 or GRCh38')
    .action(async (paths: string[], options: { json?: boolean; assembly?: string }) => {
      await act((running) => ingest(running, paths, options));
    });
  eraseVerb(verb, act);
}

async function ingest(running: Running, paths: readonly string[], options: { json?: boolean; assembly?: string }): Promise<number> {
  const deps = { ...running.pipeline(OPERATOR), nameReuse: 'accept' as const };
  let told = -1;
  const started = performance.now();
  const totals = await ingestPaths(
    paths,
    deps,
    ({ done, total, last }) => {
      const share = Math.floor((process.stderr.isTTY ? 100 : 10) * (done / total));
      if (share !== told) say(`${done}/${total} files; last: ${last.format ?? 'unknown'} ${last.status}`);
      told = share;
    },
    options.assembly === undefined ? {} : { assembly: options.assembly },
  );
  const seconds = (performance.now() - started) / 1000;
  if (options.json === true) put(JSON.stringify({ ...totals, files: totals.files.length, details: totals.files, seconds }));
  else {
    for (const file of totals.files) {
      put(
        `${file.status.padEnd(9)} ${(file.format ?? '-').padEnd(12)} ${String(file.records).padStart(7)} records ${String(file.quarantined).padStart(5)} quarantined  ${file.path}`,
      );
      for (const fault of file.faults) put(`          ${fault.code} at ${fault.place}: ${fault.reason} (${fault.count})`);
    }
    put(
      `${totals.files.length} files: ${totals.ingested} ingested, ${totals.partly} partly, ${totals.duplicate} known already, ${totals.refused} refused; ${totals.records} records, ${totals.quarantined} in quarantine, ${seconds.toFixed(1)} s`,
    );
  }
  return totals.refused + totals.partly > 0 ? EXIT.partly : EXIT.fine;
}

function questionVerbs(verb: Verb, act: Act): void {
  verb('query', 'asks a GraphQL question as a demo identity')
    .requiredOption('-f, --file <file>', 'file with the document')
    .requiredOption('--as <who>', 'demo identity')
    .option('--purpose <purpose>', 'purpose of use; it may not widen that of the identity')
    .option('--variables <json>', 'variables as JSON', '{}')
    .option('-o, --output <file>', 'write the data to this file as JSON')
    .action(async (options: { file: string; as: string; purpose?: string; variables: string; output?: string }) => {
      await act(async (running) => {
        const answer = await ask(running.mesh, principalOf(options.as, options.purpose), {
          query: await documentAt(options.file),
          variables: jsonOf(options.variables) as Record<string, unknown>,
        });
        if (options.output === undefined) put(JSON.stringify(answer));
        else await writeFile(options.output, JSON.stringify(answer.data));
        for (const error of answer.errors) say(`${error.code}: ${error.message}`);
        say(`lineage ${answer.lineageId}, audit record ${answer.receipt?.logIndex ?? 'none'}`);
        return answer.errors.length === 0
          ? EXIT.fine
          : answer.errors.some((error) => error.code === 'FORBIDDEN')
            ? EXIT.denied
            : EXIT.fault;
      });
    });
  verb('explain', 'shows what a question would do: verdicts, columns and the statement')
    .requiredOption('-f, --file <file>', 'file with the document')
    .requiredOption('--as <who>', 'demo identity')
    .option('--variables <json>', 'variables as JSON', '{}')
    .action(async (options: { file: string; as: string; variables: string }) => {
      await act(async (running) => {
        put(
          JSON.stringify(
            explain(running.mesh, principalOf(options.as), {
              query: await documentAt(options.file),
              variables: jsonOf(options.variables) as Record<string, unknown>,
            }),
          ),
        );
        return EXIT.fine;
      });
    });
  verb('fuse', 'scores persons with a fusion model')
    .requiredOption('--model <id>', 'model')
    .requiredOption('--as <who>', 'demo identity')
    .requiredOption('--patients <ids>', 'identifiers, with commas')
    .option('--modalities <names>', 'only these modalities, with commas')
    .action(async (options: { model: string; as: string; patients: string; modalities?: string }) => {
      await act(async (running) => {
        const input = {
          modelId: options.model,
          patientIds: options.patients.split(','),
          explain: true,
          ...(options.modalities === undefined ? {} : { modalities: options.modalities.split(',') }),
        };
        const answer = await ask(running.mesh, principalOf(options.as), { query: FUSE, variables: { input } });
        put(JSON.stringify(answer));
        return answer.errors.length === 0 ? EXIT.fine : EXIT.fault;
      });
    });
  evidenceVerbs(verb, act);
  policyVerb(verb, act);
}

const FUSE = `mutation Score($input: RunFusionInput!) { runFusion(input: $input) { modelId modelVersion lineageId results { patientId status probability labelSet mask missing { modality reason } contributions { modality contribution } abstainReason warnings } } }`;

function evidenceVerbs(verb: Verb, act: Act): void {
  verb('lineage', 'shows what stands behind an answer, or writes the lineage of all runs')
    .argument('[id]', 'lineage id of the answer')
    .option('--as <who>', 'demo identity', 'officer')
    .option('--export <format>', 'write all runs instead, as openlineage: one event a line')
    .option('-o, --output <file>', 'write them to this file')
    .action(async (id: string | undefined, options: { as: string; export?: string; output?: string }) => {
      await act(async (running) => {
        if (options.export !== undefined) return lineageExport(running, id, options.export, options.output ?? null);
        if (id === undefined) throw new CodedError('BAD_INPUT', 'Either a lineage id is named or --export.');
        const answer = await ask(running.mesh, principalOf(options.as), { query: LINEAGE, variables: { id } });
        const found = (answer.data as { lineage: unknown } | null)?.lineage ?? null;
        put(JSON.stringify(found, null, 2));
        return found === null ? EXIT.fault : EXIT.fine;
      });
    });
  auditVerbs(verb, act);
  verb('schema', 'prints the schema, whole or as a demo identity sees it')
    .option('--role <who>', 'demo identity')
    .action(async (options: { role?: string }) => {
      await act((running) => {
        put(sdlOf(options.role === undefined ? running.mesh.schema : running.mesh.runtimeFor(principalOf(options.role)).schema));
        return Promise.resolve(EXIT.fine);
      });
    });
}

async function lineageExport(running: Running, id: string | undefined, format: string, file: string | null): Promise<number> {
  if (id !== undefined || format !== 'openlineage')
    throw new CodedError('BAD_INPUT', 'The lineage of all runs is exported as openlineage, and no run is named with it.');
  const { events, records } = await exportLineage(running, file);
  say(`${events} events of ${records} records`);
  return EXIT.fine;
}

function identityVerbs(verb: Verb, act: Act): void {
  verb('token', 'makes an access token of 15 minutes for a demo identity')
    .requiredOption('--as <who>', 'demo identity, or router for the header x-thalamus-router of a federation router')
    .action(async (options: { as: string }) => {
      const { demoKey, homeFolder } = await import('./home.js');
      const now = systemClock();
      const key = await demoKey(homeFolder());
      put(
        options.as === 'router'
          ? await signRouterToken(key, now, newUuid(now))
          : await signToken(key, principalOf(options.as), now, newUuid(now)),
      );
    });
  verb('revoke', 'refuses a token, a log-in session or all tokens of a subject from now on')
    .option('--token <jti>', 'id of the token (claim jti)')
    .option('--session <sid>', 'log-in session (claim sid)')
    .option('--subject <sub>', 'subject (claim sub), for one hour')
    .requiredOption('--reason <text>', 'why; it is kept with the revocation')
    .action(async (options: RevokeOptions & { json?: boolean }) => {
      await act(async (running) => {
        const revoked = await revoke(running, options);
        put(options.json === true ? JSON.stringify(revoked) : `Revoked: ${revoked.kind}, ${revoked.until ?? 'for good'}.`);
        return EXIT.fine;
      });
    });
}

const LINEAGE = `query Lineage($id: ID!) { lineage(id: $id) { id at kind principal roles purpose policyVersion patientCount resultDigest versions facts logId logSeq plan { id document columns decisions } } }`;

const isProduct = (name: string): name is ProductName => (PRODUCT_NAMES as readonly string[]).includes(name);

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new CodedError('BAD_INPUT', 'A count is a whole number from 1.');
  return count;
}
