import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type CodedError, ERRORS, isCoded, type ErrorCode } from '../kernel/index.js';

/** Apollo's own codes, in the words of the closed table. */
const APOLLO_CODES: Readonly<Record<string, ErrorCode>> = {
  GRAPHQL_PARSE_FAILED: 'BAD_INPUT',
  GRAPHQL_VALIDATION_FAILED: 'BAD_INPUT',
  BAD_USER_INPUT: 'BAD_INPUT',
  BAD_REQUEST: 'BAD_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_INPUT',
  PERSISTED_QUERY_NOT_FOUND: 'BAD_INPUT',
  PERSISTED_QUERY_NOT_SUPPORTED: 'BAD_INPUT',
};

/** The coded error at the root of whatever was thrown, if there is one. */
export function codedCause(error: unknown): CodedError | undefined {
  if (isCoded(error)) return error;
  if (error instanceof GraphQLError && error.originalError) return codedCause(error.originalError);
  return undefined;
}

export interface MaskedError {
  readonly error: GraphQLFormattedError;
  /** What the operator may know; never sent. */
  readonly detail: string | undefined;
}

/**
 * The one place where errors are masked. A coded error keeps its sentence; documents that do not parse or validate keep the sentence of
 * graphql-js, which speaks of the caller's own document and schema; everything else becomes INTERNAL.
 */
export function maskError(formatted: GraphQLFormattedError, thrown: unknown, lineageId: string): MaskedError {
  const coded = codedCause(thrown);
  const apollo = typeof formatted.extensions?.['code'] === 'string' ? formatted.extensions['code'] : '';
  const code: ErrorCode = coded?.code ?? APOLLO_CODES[apollo] ?? (isOfCaller(thrown) ? 'BAD_INPUT' : 'INTERNAL');
  const message = bounded(coded?.message ?? (code === 'INTERNAL' ? 'The request could not be answered.' : formatted.message));
  const place = coded?.place;
  return {
    error: {
      message,
      ...(formatted.locations ? { locations: formatted.locations } : {}),
      ...(formatted.path ? { path: formatted.path } : {}),
      extensions: { code, hint: ERRORS[code].hint, ...(place ? { place } : {}), lineageId },
    },
    detail: coded ? coded.detail : code === 'INTERNAL' ? describe(thrown) : undefined,
  };
}

/** Apollo gives some faults of a request no code but a status, such as a hash that is not that of the document. Its sentences are fixed ones. */
function isOfCaller(thrown: unknown): boolean {
  if (!(thrown instanceof GraphQLError) || thrown.originalError) return false;
  const { status } = (thrown.extensions['http'] ?? {}) as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500;
}

/** A sentence of graphql-js repeats names of the document, which may be of any length. */
const bounded = (message: string): string =>
  message.length > MESSAGE_LETTERS_MAX ? `${message.slice(0, MESSAGE_LETTERS_MAX)}...` : message;
const MESSAGE_LETTERS_MAX = 300;

function describe(thrown: unknown): string {
  const root = thrown instanceof GraphQLError ? (thrown.originalError ?? thrown) : thrown;
  return root instanceof Error ? (root.stack ?? root.message) : 'unknown fault';
}

/**
 * What Apollo says where something of ours failed beside the operation, a plug-in for example: without its text. Coded errors and those about the
 * caller's document pass to `maskError`.
 */
export function withoutText(formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError {
  if (formatted.extensions?.['code'] !== 'INTERNAL_SERVER_ERROR' || codedCause(thrown) || isOfCaller(thrown)) return formatted;
  return { message: 'The request could not be answered.', extensions: { code: 'INTERNAL', hint: ERRORS.INTERNAL.hint } };
}

/** Tells the operator. Where nobody can be told, the answer is what it would have been. */
export function tell(log: (line: string) => void, line: string): void {
  try {
    log(line);
  } catch {
    // A line that cannot be written is no reason to fail, nor to say why.
  }
}

/** An error as the whole body of a reply, for refusals before GraphQL. */
export function errorBody(error: CodedError, lineageId: string): string {
  return JSON.stringify({ errors: [{ message: error.message, extensions: { code: error.code, hint: error.hint, lineageId } }] });
}
