import { AsyncLocalStorage } from 'node:async_hooks';
import { LIMITS } from '../kernel/index.js';
import { Lru } from './lru.js';

/** A longer document is sent whole each time. */
const LETTERS_MAX = 32_768;

/** Subject of the caller whose request runs; Apollo tells its cache the hash and nothing else. */
const caller = new AsyncLocalStorage<string>();

/** Runs a request as asked by this subject. Where no extensions are sent there is no hash, and the request is spared the tracking. */
export function persistedFor<T>(sub: string, body: unknown, search: string, work: () => T): T {
  const extended = (typeof body === 'object' && body !== null && 'extensions' in body) || new URLSearchParams(search).has('extensions');
  return extended ? caller.run(sub, work) : work();
}

/**
 * Documents of one policy class by the hash of their text (Apollo's automatic persisted queries), each for the one caller who sent it. Callers
 * of a class share a server: were the documents shared too, the hash of a guessed one would tell whether a colleague has asked it, and
 * literals in it may name a person.
 */
export class PersistedDocuments {
  private readonly documents = new Lru<string>(LIMITS.plan_cache_entries_max);

  get(hash: string): Promise<string | undefined> {
    const key = keyOf(hash);
    return Promise.resolve(key === undefined ? undefined : this.documents.get(key));
  }

  set(hash: string, document: string): Promise<void> {
    const key = keyOf(hash);
    if (key !== undefined && document.length <= LETTERS_MAX) this.documents.set(key, document);
    return Promise.resolve();
  }

  delete(hash: string): Promise<boolean> {
    const key = keyOf(hash);
    if (key !== undefined) this.documents.delete(key);
    return Promise.resolve(key !== undefined);
  }
}

function keyOf(hash: string): string | undefined {
  const sub = caller.getStore();
  return sub === undefined ? undefined : JSON.stringify([sub, hash]);
}
