import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { DocumentNode, FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { LIMITS } from '../kernel/index.js';
import { EpochMoved } from '../store/index.js';
import type { ClassRuntime } from './class-runtime.js';
import { codedCause, maskError, tell, withoutText } from './errors.js';
import { runOperation } from './executor.js';
import { limitRules } from './limits.js';
import type { Mesh } from './mesh.js';
import { PersistedDocuments } from './persisted.js';
import type { MeshRequest } from './request.js';

/** Text that is JSON already: it passes to the socket as it is. */
class JsonText {
  constructor(readonly text: string) {}
}

interface Context {
  readonly request: MeshRequest;
}

/** What Apollo passes through its gateway hook; there the context of the request is called `context`. */
interface GatewayContext {
  readonly context: Context;
  readonly document: DocumentNode | undefined;
  readonly operationName: string | null | undefined;
  readonly request: { readonly variables?: Readonly<Record<string, unknown>> };
}

/**
 * One ApolloServer for a policy class: it parses, validates and caches documents against what the class may see, so that hidden names, persisted documents and
 * suggestions of another class do not exist in it. Execution is ours, through the gateway hook.
 */
export function apolloFor(mesh: Mesh, runtime: ClassRuntime): ApolloServer<Context> {
  return new ApolloServer<Context>({
    gateway: {
      load: () => Promise.resolve({ executor: (context) => execute(context as unknown as GatewayContext) }),
      onSchemaLoadOrUpdate: (callback) => {
        callback({ apiSchema: runtime.schema, coreSupergraphSdl: '' });
        return () => undefined;
      },
      stop: () => Promise.resolve(),
    },
    // The default plug-in wraps every field of the schema for good and doubles the time of a request.
    plugins: [ApolloServerPluginCacheControlDisabled(), ApolloServerPluginLandingPageDisabled(), recorder(mesh)],
    validationRules: [...limitRules],
    parseOptions: { maxLexicalTokens: LIMITS.document_tokens_max },
    hideSchemaDetailsFromClientErrors: true,
    includeStacktraceInErrorResponses: false,
    introspection: true,
    csrfPrevention: true,
    persistedQueries: { cache: new PersistedDocuments() },
    allowBatchedHttpRequests: false,
    stopOnTerminationSignals: false,
    logger: operatorLog(mesh),
    formatError: withoutText,
    stringifyResult: (value) => stringify(value),
  });
}

async function execute(context: GatewayContext) {
  const { request } = context.context;
  const { document, operationName } = context;
  if (!document) throw new Error('execution without a document');
  const answer = await runOperation(request, document, operationName ?? undefined, context.request.variables ?? {}).catch(
    (error: unknown) => {
      if (error instanceof EpochMoved) request.moved = error;
      throw error;
    },
  );
  return {
    // Apollo passes data through to stringifyResult without a look at it.
    ...(answer.data === null ? { data: null } : { data: new JsonText(answer.data) as never }),
    ...(answer.errors.length > 0 ? { errors: [...answer.errors] } : {}),
  };
}

/** Completes each reply: masked errors, the receipt, and an audit record where none was made because nothing was executed. */
function recorder(mesh: Mesh): ApolloServerPlugin<Context> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse: async ({ contextValue, response, errors }) => {
          const { request } = contextValue;
          if (response.body.kind !== 'single') return;
          const result = response.body.singleResult;
          if (!request.moved && !request.receipt && !request.fault) {
            // What a document may name is policy too: before it is refused, the policy must be the present one.
            if (await mesh.refresh()) request.moved = new EpochMoved(mesh.epoch);
            else await request.record({ kind: 'refused', plan: null, data: null, code: 'BAD_INPUT' });
          }
          if (request.moved) return;
          if (result.errors) {
            result.errors = result.errors.slice(0, ERRORS_MAX).map((formatted, i) => {
              const masked = maskError(formatted, errors?.[i], request.runId);
              if (masked.detail) tell(mesh.parts.log, `${request.runId} ${String(masked.error.extensions?.['code'])} ${masked.detail}`);
              return masked.error;
            });
          }
          // An answer without data has the status of its error.
          const whole = result.data === null || result.data === undefined ? codedCause(errors?.[0]) : undefined;
          if (whole) response.http.status = whole.status;
          const { receipt } = request;
          result.extensions = {
            ...result.extensions,
            lineageId: request.runId,
            ...(receipt ? { receipt } : {}),
            ...(request.verdicts?.governance ? { governance: request.verdicts.governance } : {}),
            ...(request.verdicts?.notices ? { notices: request.verdicts.notices } : {}),
          };
          response.http.headers.set('cache-control', 'no-store');
          response.http.headers.set('x-lineage-id', request.runId);
        },
      }),
  };
}

const ERRORS_MAX = 10;

/** Apollo's own lines are for the operator too; by default they would go to the console. */
function operatorLog({ parts }: Mesh) {
  const quiet = (): void => undefined;
  const say = (line: string): void => {
    tell(parts.log, line);
  };
  return { debug: quiet, info: quiet, warn: say, error: say };
}

function stringify(value: FormattedExecutionResult): string {
  const parts: string[] = [];
  if (value.errors) parts.push(`"errors":${JSON.stringify(value.errors satisfies readonly GraphQLFormattedError[])}`);
  if (value.data !== undefined) {
    const data: unknown = value.data;
    parts.push(`"data":${data instanceof JsonText ? data.text : JSON.stringify(data)}`);
  }
  if (value.extensions) parts.push(`"extensions":${JSON.stringify(value.extensions)}`);
  return `{${parts.join(',')}}\n`;
}
