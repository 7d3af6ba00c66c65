import { HeaderMap, type ApolloServer } from '@apollo/server';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { entryOf, type EvidenceEntry } from '../evidence/index.js';
import { CodedError, LIMITS, isCoded, newUuid, type Principal } from '../kernel/index.js';
import { EpochMoved, identityDigest, withReadSession } from '../store/index.js';
import { apolloFor } from './apollo.js';
import { HttpRefusal, NOT_ACCEPTABLE, readBody, refusalOf } from './body.js';
import type { ClassRuntime } from './class-runtime.js';
import { errorBody, tell } from './errors.js';
import { FHIR_PATH, outcomeBody, serveFhirAudit, type FhirAuditOptions } from './fhir-audit.js';
import { auditEventSource, siteAt } from './fhir-audit-source.js';
import { FILES_PATH, serveFile } from './files.js';
import { credentialOf } from './identity-credentials.js';
import type { Identity } from './identity.js';
import { assertWithinLimits } from './limits.js';
import { Lru } from './lru.js';
import type { Mesh } from './mesh.js';
import { persistedFor } from './persisted.js';
import { MeshRequest } from './request.js';
import { sdlOf } from './schema.js';

export interface GatewayOptions {
  readonly mesh: Mesh;
  readonly identity: Identity;
  readonly host: string;
  readonly port: number;
  /** False while the database or the audit writer is away. */
  readonly ready: () => Promise<boolean>;
  /** Address under which callers know the gateway, where it is another than it listens at; without a path. */
  readonly publicUrl?: string | undefined;
}

export interface Gateway {
  readonly url: string;
  /** Takes no new requests, lets those in flight finish for 10 s, and makes every waiting record durable. */
  stop(): Promise<void>;
}

const DRAIN_MS_MAX = 10_000;
/** A request is decided anew as often as this where policy changes under it; then it is refused. */
const EPOCH_TRIES_MAX = 4;
type Apollo = ApolloServer<{ request: MeshRequest }>;

/** The HTTP entrance. Limits and identity come first; the answer leaves only with its audit record made. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const servers = new Lru<Promise<Apollo>>(LIMITS.class_cache_entries_max, (gone) => void gone.then((server) => server.stop()));
  const handler = new Handler(options, servers);
  const server = createServer({ maxHeaderSize: 2 * LIMITS.token_bytes_max }, (request, response) => {
    void handler.handle(request, response);
  });
  server.headersTimeout = 15_000;
  server.requestTimeout = 30_000;
  await listen(server, options);
  const { address, port, family } = server.address() as AddressInfo;
  const own = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  handler.servedAt(options.publicUrl ?? own);
  return {
    url: `${own}/graphql`,
    async stop() {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        server.closeAllConnections();
      }, DRAIN_MS_MAX);
      await closed;
      clearTimeout(timer);
      await options.mesh.audit.drain();
      for (const each of servers.values()) await (await each).stop();
    },
  };
}

function listen(server: Server, { host, port }: GatewayOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new CodedError('PORT_TAKEN', `Port ${port} on ${host} is taken by another process.`));
      else reject(new CodedError('CONFIG_INVALID', `The address ${host}:${port} cannot be used (${error.code ?? 'unknown'}).`));
    });
    server.listen(port, host, () => {
      resolve();
    });
  });
}

class Handler {
  /** Digests of documents that are within the limits. */
  private readonly measured = new Lru<true>(LIMITS.plan_cache_entries_max);
  private fhir: FhirAuditOptions | undefined;

  constructor(
    private readonly options: GatewayOptions,
    private readonly servers: Lru<Promise<Apollo>>,
  ) {}

  /** Tells the handler its own address, which events and links name. */
  servedAt(url: string): void {
    const { evidence } = this.options.mesh.parts;
    this.fhir = { source: auditEventSource(evidence, siteAt(url)), base: `${url}${FHIR_PATH}` };
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    try {
      if (path === '/livez') {
        send(response, 200, '{"live":true}');
        return;
      }
      if (path === '/readyz') {
        await this.readiness(response);
        return;
      }
      await this.options.mesh.breakGlass.endOverdue();
      if (path === '/graphql') {
        await this.graphql(request, response);
        return;
      }
      if (path?.startsWith(FILES_PATH)) {
        await this.decided(request, response, (question) => serveFile(question, request, response));
        return;
      }
      if (path?.startsWith(FHIR_PATH)) {
        await this.audit(request, response);
        return;
      }
      if (path === '/schema.graphql') {
        await this.schema(request, response);
        return;
      }
      send(response, 404, errorBody(new CodedError('NOT_FOUND', 'There is nothing at this path.'), ''));
    } catch (error) {
      await this.refuse(response, error, undefined, path?.startsWith(FHIR_PATH) === true ? FHIR : GRAPHQL);
    }
  }

  private async readiness(response: ServerResponse): Promise<void> {
    const ready = await this.options.ready();
    send(response, ready ? 200 : 503, JSON.stringify({ ready }));
  }

  private async graphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body: { readonly value: unknown } | undefined;
    await this.decided(request, response, async (question) => {
      body ??= { value: await readBody(request) };
      await this.answer(request, response, question, body.value);
    });
  }

  /** The audit log as FHIR resources. */
  private async audit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const work = async (question: MeshRequest): Promise<void> => {
      if (!this.fhir) throw new CodedError('UNAVAILABLE', 'The gateway has no address yet.');
      // Evidence stands outside of the wall; whether rights have changed is asked at it all the same.
      await withReadSession(this.options.mesh.parts.pools.reader, question.wall, () => Promise.resolve());
      await serveFhirAudit(question, this.fhir, request, response);
    };
    await this.decided(request, response, work, FHIR);
  }

  /** Answers a request by what its caller may do now; where rights change under it, it is decided anew. */
  private async decided(
    request: IncomingMessage,
    response: ServerResponse,
    work: (question: MeshRequest) => Promise<void>,
    form = GRAPHQL,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      // Who asks is known before anything of the body is read.
      const question = await this.admit(request);
      try {
        await work(question);
        return;
      } catch (error) {
        const fault = error instanceof EpochMoved ? await this.takeUp(error, tries) : error;
        if (fault === null) continue;
        await this.refuse(response, fault, question, form);
        return;
      }
    }
  }

  /** Takes up what has changed, so that the request can be decided anew; else says why it cannot. */
  private async takeUp({ present }: EpochMoved, tries: number): Promise<unknown> {
    if (tries >= EPOCH_TRIES_MAX) return new CodedError('UNAVAILABLE', 'Rights change faster than the request can be decided.');
    try {
      await Promise.all([this.options.mesh.refresh(), this.options.identity.upTo(present.revocation)]);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Who asks, and what is compiled for him. Nobody is refused by a policy that is no longer in force. */
  private async admit(request: IncomingMessage): Promise<MeshRequest> {
    try {
      return await this.questionBy(request);
    } catch (error) {
      if (!isCoded(error) || error.code !== 'FORBIDDEN' || !(await this.options.mesh.refresh())) throw error;
      return this.questionBy(request);
    }
  }

  private async questionBy(request: IncomingMessage): Promise<MeshRequest> {
    const { mesh, identity } = this.options;
    const principal = await identity.principal(credentialOf(request));
    // The router says who it is beside the user for whom it asks; no other header tells anything about a caller.
    const router = mesh.federated ? await identity.router(request.headers['x-thalamus-router']) : null;
    const question = questionOf(mesh, principal, mesh.runtimeFor(principal, router !== null));
    if (router !== null) question.facts['router'] = router;
    return question;
  }

  private async answer(request: IncomingMessage, response: ServerResponse, question: MeshRequest, body: unknown): Promise<void> {
    const apollo = await this.apolloOf(question.runtime, question.facts['router'] !== undefined);
    const headers = new HeaderMap();
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const url = request.url ?? '/';
    const search = url.includes('?') ? url.slice(url.indexOf('?')) : '';
    this.measure(body, search);
    const contextValue = { request: question };
    const reply = await persistedFor(question.principal.sub, body, search, () =>
      apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: (request.method ?? 'GET').toUpperCase(), headers, search, body },
        context: () => Promise.resolve(contextValue),
      }),
    );
    if (reply.body.kind !== 'complete') throw new CodedError('INTERNAL', 'An answer came in parts.');
    if (question.fault) throw question.fault;
    if (question.moved) throw question.moved;
    // What never became an operation has no record yet, and nothing leaves without one.
    if (!question.receipt || reply.status === NOT_ACCEPTABLE) throw refusalOf(reply.status ?? 500, reply.body.string);
    for (const [name, value] of reply.headers) response.setHeader(name, value);
    response.statusCode = reply.status ?? 200;
    response.end(reply.body.string);
  }

  /** Limits of a document before Apollo sees it: the rules of graphql-js take quadratic time over one that is far too large. */
  private measure(body: unknown, search: string): void {
    const source = body !== null && typeof body === 'object' && 'query' in body ? body.query : new URLSearchParams(search).get('query');
    if (typeof source !== 'string') return;
    const digest = createHash('sha256').update(source).digest('base64');
    if (this.measured.get(digest)) return;
    assertWithinLimits(source);
    this.measured.set(digest, true);
  }

  /** The schema that the caller may see, as SDL. */
  private async schema(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { mesh, identity } = this.options;
    const principal = await identity.principal(credentialOf(request));
    await mesh.refresh();
    const runtime = mesh.runtimeFor(principal);
    const { key, goodUntil } = runtime.policyClass;
    const etag = `"${createHash('sha256').update(`${key} ${goodUntil}`).digest('base64url')}"`;
    const known = request.headers['if-none-match'] === etag;
    const sdl = known ? '' : sdlOf(runtime.schema);
    // What a caller may see is an answer too: it is recorded as introspection is.
    const question = questionOf(mesh, principal, runtime);
    await question.record({ kind: 'query', plan: null, data: sdl });
    response.setHeader('etag', etag);
    response.setHeader('x-lineage-id', question.runId);
    if (!known) response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.statusCode = known ? 304 : 200;
    response.setHeader('cache-control', 'private, no-cache');
    response.end(sdl);
  }

  private apolloOf(runtime: ClassRuntime, router: boolean): Promise<Apollo> {
    // A class is made anew when a grant begins or ends, and its server with it.
    const { key: name, goodUntil } = runtime.policyClass;
    const key = `${name} ${goodUntil}${router ? ' router' : ''}`;
    const known = this.servers.get(key);
    if (known) return known;
    const { mesh } = this.options;
    const made = (async () => {
      const server = apolloFor(mesh, runtime);
      await server.start();
      return server;
    })();
    this.servers.set(key, made);
    // One that could not be made is tried anew at the next request.
    made.catch(() => this.servers.delete(key));
    return made;
  }

  /** Refusals before GraphQL are audited too; they tell nothing but their code. */
  private async refuse(response: ServerResponse, error: unknown, question?: MeshRequest, form = GRAPHQL): Promise<void> {
    const { mesh } = this.options;
    const coded = isCoded(error)
      ? error
      : new CodedError('INTERNAL', 'The request could not be answered.', { detail: error instanceof Error ? (error.stack ?? '') : '' });
    const runId = question?.runId ?? newUuid(mesh.parts.clock());
    if (coded.detail) tell(mesh.parts.log, `${runId} ${coded.code} ${coded.detail}`);
    let final = coded;
    try {
      // An answer that cannot be sent in a form that the caller takes has its record already.
      if (question && !question.receipt && !question.fault)
        await question.record({ kind: 'refused', plan: null, data: null, code: coded.code });
      if (!question) await mesh.audit.append(refusedEntry(mesh, runId, coded.code));
    } catch (fault) {
      // A refusal holds no data; the caller still learns that the log is away.
      if (isCoded(fault)) final = fault;
    }
    if (response.headersSent) response.destroy();
    else send(response, final instanceof HttpRefusal ? final.httpStatus : final.status, form.body(final, runId), form.type);
  }
}

/** A request with what its record says of the log-in: the session by its digest, and who acted for whom. */
function questionOf(mesh: Mesh, principal: Principal, runtime: ClassRuntime): MeshRequest {
  const question = new MeshRequest(mesh, principal, runtime);
  const { session, tokenId, actors } = principal;
  if (session !== undefined && session !== tokenId) question.facts['session'] = identityDigest('session', session);
  if (actors) question.facts['actors'] = actors.map((actor) => actor.sub);
  return question;
}

/** The record of a request whose sender is not known. */
function refusedEntry(mesh: Mesh, runId: string, code: string): EvidenceEntry {
  return entryOf({
    runId,
    kind: 'refused',
    at: mesh.parts.clock(),
    principal: 'unknown',
    roles: [],
    purpose: 'unknown',
    policyVersion: mesh.policy.version,
    code,
  });
}

/** How a refusal is said to callers of a kind. */
interface Form {
  readonly type: string;
  readonly body: (error: CodedError, runId: string) => string;
}

const GRAPHQL: Form = { type: 'application/json; charset=utf-8', body: errorBody };
const FHIR: Form = { type: 'application/fhir+json; charset=utf-8', body: outcomeBody };

function send(response: ServerResponse, status: number, body: string, type = GRAPHQL.type): void {
  response.statusCode = status;
  if (!response.hasHeader('content-type')) response.setHeader('content-type', type);
  response.setHeader('cache-control', 'no-store');
  response.end(body);
}
