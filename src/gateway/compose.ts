import { composeServices, compositionHasErrors } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { CodedError } from '../kernel/index.js';

/** One subgraph as a router reaches it. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

export interface Supergraph {
  /** For a Federation 2 router. */
  readonly supergraph: string;
  /** What clients see: the schema without the words of federation. */
  readonly api: string;
}

/** Composes subgraphs into one schema. Throws CONFIG_INVALID with every fault that the composer names (spec/gateway.md, section 2). */
export function composeSubgraphs(subgraphs: readonly Subgraph[]): Supergraph {
  const result = composeServices(subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })));
  if (compositionHasErrors(result))
    throw new CodedError('CONFIG_INVALID', `The subgraphs do not compose: ${result.errors.map((each) => each.message).join(' ')}`);
  return { supergraph: `${result.supergraphSdl.trim()}\n`, api: `${result.publicSdl.trim()}\n` };
}
