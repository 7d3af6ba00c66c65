import { belongs } from './fsh-check.js';
import type { Json } from './fsh.js';
import { isObject, type Element } from './fsh-profile.js';

export interface Mutation {
  /** What was broken, and where. */
  readonly what: string;
  readonly json: Json;
}

type Key = string | number;

/** A code that no value set and no pattern has. */
const OTHER = { system: 'urn:oid:2.25.1', code: 'other' };

/**
 * Every way to break one rule of a profile in a resource that conforms to it: a required element removed, a forbidden one added, a fixed value or
 * a bound code changed, a reference led elsewhere, a slice doubled, removed or added, an invariant broken.
 */
export function mutationsOf(root: Element, resource: Json): Mutation[] {
  const mutator = new Mutator(resource);
  mutator.inside(root, resource, [], 'AuditEvent', new Set());
  return [...mutator.made.values()];
}

class Mutator {
  readonly made = new Map<string, Mutation>();

  constructor(private readonly resource: Json) {}

  /** `free` names elements that only decide whether an optional slice is there: without them the value is one of no slice. */
  inside(element: Element, value: Json, keys: readonly Key[], path: string, free: ReadonlySet<string>): void {
    for (const [name, child] of element.children) {
      const own = [...keys, name];
      const found = value[name];
      const label = `${path}.${name}`;
      if (child.max === 0 && found === undefined) this.make(`${label} added`, own, (at, key) => (at[key] = 'x'));
      if (found === undefined) continue;
      if (!free.has(name)) this.valued(child, found, own, label);
      this.listed(child, found, own, label);
    }
    for (const expression of element.invariants) {
      const own = /^\$this\.(\w+) = /.exec(expression)?.[1];
      if (own !== undefined)
        this.make(`${path}.${own} other than the source`, [...keys, own], (at, key) => (at[key] = { display: 'other' }));
    }
  }

  private valued(element: Element, found: unknown, keys: readonly Key[], label: string): void {
    if (element.min > 0) this.make(`${label} removed`, keys, (at, key) => Reflect.deleteProperty(at, key));
    if (Array.isArray(found) && found.length === element.max)
      this.make(`${label} doubled`, keys, (at, key) => (at[key] = [...(at[key] as unknown[]), found[0]]));
    if (element.pattern !== undefined || element.codes !== undefined)
      this.make(`${label} changed`, keys, (at, key) => (at[key] = changed(at[key])));
    if (element.only !== undefined && isObject(found) && 'reference' in found)
      this.make(`${label} led elsewhere`, keys, (at, key) => (at[key] = { reference: 'Device/other' }));
  }

  private listed(element: Element, found: unknown, keys: readonly Key[], label: string): void {
    const list: readonly unknown[] = Array.isArray(found) ? found : [found];
    const place = (i: number): readonly Key[] => (Array.isArray(found) ? [...keys, i] : keys);
    list.forEach((each, i) => {
      if (isObject(each)) this.inside(element, each, place(i), label, new Set());
    });
    if (!Array.isArray(found)) return;
    if (element.closed) this.make(`${label} of no slice added`, keys, (at, key) => (at[key] = [...found, { type: OTHER, what: {} }]));
    for (const [name, slice] of element.slices) {
      const mine = found.flatMap((each, i) => (belongs(element, slice, each) ? [i] : []));
      const [first] = mine;
      if (first === undefined) continue;
      const own = `${label}[${name}]`;
      if (mine.length === slice.max) this.make(`${own} doubled`, keys, (at, key) => (at[key] = [...found, found[first]]));
      if (mine.length === slice.min) this.make(`${own} removed`, keys, (at, key) => (at[key] = found.filter((_, i) => !mine.includes(i))));
      const free = mine.length > slice.min && !element.closed;
      const value: unknown = found[first];
      if (isObject(value)) this.inside(slice, value, [...keys, first], own, new Set(free ? element.discriminators : []));
    }
  }

  private make(what: string, keys: readonly Key[], change: (at: Record<Key, unknown>, key: Key) => unknown): void {
    if (this.made.has(what)) return;
    const json = structuredClone(this.resource);
    let at = json as Record<Key, unknown>;
    for (const key of keys.slice(0, -1)) at = at[key] as Record<Key, unknown>;
    change(at, keys.at(-1) ?? '');
    this.made.set(what, { what, json });
  }
}

function changed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(changed);
  if (isObject(value)) return 'coding' in value ? { coding: [OTHER] } : { ...OTHER };
  return typeof value === 'boolean' ? !value : 'other';
}
