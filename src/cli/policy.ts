import type { Command } from 'commander';
import { ask } from '../gateway/index.js';
import { catalogueOf, importRanger } from '../governance/index.js';
import { CodedError, PURPOSES, type Purpose } from '../kernel/index.js';
import { policyImport } from './policy-import.js';
import { EXIT, put, say } from './output.js';
import { documentAt, jsonOf } from './text.js';
import { principalOf } from './who.js';
import type { Running } from './wire.js';

const VERSION = 'version status digest proposedBy proposedAt reason decidedBy decidedAt';
const LIST = `{ policyVersions { ${VERSION} } }`;
const TRY = 'query Try($document: JSON!) { tryPolicy(document: $document) { coordinate role purpose from to } }';
const PROPOSE = `mutation Propose($document: JSON!, $reason: String!) { proposePolicy(document: $document, reason: $reason) { ${VERSION} impact } }`;
const DECIDE = `mutation Decide($version: Int!, $approve: Boolean!, $reason: String!) { decidePolicy(version: $version, approve: $approve, reason: $reason) { ${VERSION} } }`;

type Act = (work: (running: Running) => Promise<number>) => Promise<void>;

/** `policy list | try | propose | approve | reject`: what the API does, as a demo identity that governs; `policy import` reads those of others. */
export function policyVerb(verb: (name: string, description: string) => Command, act: Act): void {
  const policy = verb('policy', 'the policy of this installation: its versions, what a document would change, and the change itself');
  const asked = (who: string, query: string, variables: Record<string, unknown> = {}): Promise<void> =>
    act(async (running) => {
      const answer = await ask(running.mesh, principalOf(who), { query, variables });
      put(JSON.stringify(answer.data));
      for (const error of answer.errors) say(`${error.code}: ${error.message}`);
      return answer.errors.length === 0 ? EXIT.fine : answer.errors.some((error) => error.code === 'FORBIDDEN') ? EXIT.denied : EXIT.fault;
    });
  policy
    .command('list')
    .description('versions, the newest first')
    .option('--as <who>', 'demo identity', 'officer')
    .action((options: { as: string }) => asked(options.as, LIST));
  policy
    .command('try')
    .description('the cells that a document would change; nothing changes')
    .argument('<file>')
    .option('--as <who>', 'demo identity', 'officer')
    .action(async (file: string, options: { as: string }) => asked(options.as, TRY, { document: jsonOf(await documentAt(file)) }));
  policy
    .command('propose')
    .description('proposes a document; a second person approves it')
    .argument('<file>')
    .requiredOption('--as <who>', 'demo identity')
    .requiredOption('--reason <text>', 'why')
    .action(async (file: string, options: { as: string; reason: string }) =>
      asked(options.as, PROPOSE, { document: jsonOf(await documentAt(file)), reason: options.reason }),
    );
  policy
    .command('import')
    .description('prints the document that policies of Apache Ranger come to; it is proposed like any other')
    .requiredOption('--ranger <file>', 'service policies as JSON')
    .option('--tags <file>', 'tags of the resources as JSON')
    .requiredOption('--purpose <code>', 'purpose that they allow: Ranger knows none')
    .requiredOption('--everyone <role>', "role that stands for Ranger's group public")
    .option('--partial', 'accept what gives less than Ranger did')
    .action((options: RangerOptions) => act((running) => importPolicies(running, options)));
  for (const [name, approve] of [['approve', true] as const, ['reject', false] as const]) {
    policy
      .command(name)
      .description(`${name}s a proposed version`)
      .argument('<version>')
      .requiredOption('--as <who>', 'demo identity')
      .requiredOption('--reason <text>', 'why')
      .action((version: string, options: { as: string; reason: string }) =>
        asked(options.as, DECIDE, { version: Number(version), approve, reason: options.reason }),
      );
  }
}

interface RangerOptions {
  readonly ranger: string;
  readonly tags?: string;
  readonly purpose: string;
  readonly everyone: string;
  readonly partial?: boolean;
}

async function importPolicies({ mesh }: Running, options: RangerOptions): Promise<number> {
  if (!Object.hasOwn(PURPOSES, options.purpose))
    throw new CodedError('BAD_INPUT', `The purpose is one of ${Object.keys(PURPOSES).join(', ')}.`);
  const columns = catalogueOf(mesh.parts.products, mesh.classification, mesh.policy.document).filter((asset) => asset.kind === 'column');
  const tags = options.tags === undefined ? undefined : jsonOf(await documentAt(options.tags));
  const { text, notes } = policyImport(
    options.ranger,
    (document) => importRanger(document, columns, { purposes: [options.purpose as Purpose], everyone: options.everyone, tags }),
    options.partial === true,
  );
  for (const note of notes) say(note);
  say('Every column carries a tag of the import then: grants that the products declare reach none until they name it.');
  put(text.trimEnd());
  return EXIT.fine;
}
