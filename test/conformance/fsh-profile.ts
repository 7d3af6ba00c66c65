import { itemsOf, namesOf, valueOf, withInserted, type FshItem, type Json, type Names, type Places, type Shape } from './fsh.js';

/** A set of codes, each as `system|code`. */
type CodeSet = ReadonlySet<string>;

/** What profiles say of one element: of all its values, of the slices among them, and of the elements inside. */
export interface Element {
  min: number;
  max: number;
  pattern: unknown;
  codes: CodeSet | undefined;
  /** Types that a reference may lead to, or types of a choice. */
  only: readonly string[] | undefined;
  /** Paths inside a value by which its slice is known. */
  discriminators: string[];
  closed: boolean;
  /** Expressions of invariants. */
  readonly invariants: string[];
  readonly children: Map<string, Element>;
  readonly slices: Map<string, Element>;
}

export interface Profile {
  readonly name: string;
  readonly id: string;
  readonly url: string;
  readonly root: Element;
}

const RULE = {
  caret: /^(\S*)\s*\^(\S+)\s*=\s*(.*)$/,
  contains: /^(\S+)\s+contains\s+(.*)$/,
  binding: /^(\S+)\s+from\s+(\S+)(?:\s+\((\w+)\))?$/,
  only: /^(\S+)\s+only\s+(.*)$/,
  obeys: /^(\S+)\s+obeys\s+(\S+)$/,
  value: /^(\S+)\s+=\s+(.*)$/,
  cardinality: /^(\S+)\s+(\d*)\.\.(\d*|\*)(?:\s+(?:MS|SU|TU))*$/,
  flag: /^(\S+)(?:\s+(?:MS|SU|TU))+$/,
};

/**
 * Reads the profiles on one resource, each flattened over its parents down to `base`, which is a profile of FSH too and holds what the
 * resource itself requires. A rule that is not understood is an error, so that nothing is left unchecked in silence.
 */
export function profilesOf(text: string, base: string, shape: Shape, canonical: string): Profile[] {
  const items = itemsOf(`${base}\n${text}`);
  const reader = new ProfileReader(items, shape, namesOf(items, canonical), canonical);
  const [root] = itemsOf(base).filter(({ kind }) => kind === 'Profile');
  return items
    .filter(({ kind, name }) => kind === 'Profile' && name !== root?.name)
    .map((item) => {
      const id = item.keywords['Id'] ?? item.name;
      return { name: item.name, id, url: `${canonical}/StructureDefinition/${id}`, root: reader.flat(item) };
    });
}

const newElement = (): Element => ({
  min: 0,
  max: Infinity,
  pattern: undefined,
  codes: undefined,
  only: undefined,
  discriminators: [],
  closed: false,
  invariants: [],
  children: new Map(),
  slices: new Map(),
});

class ProfileReader {
  constructor(
    private readonly items: readonly FshItem[],
    private readonly shape: Shape,
    private readonly names: Names,
    private readonly canonical: string,
  ) {}

  flat(item: FshItem): Element {
    const chain: FshItem[] = [];
    for (let at: FshItem | undefined = item; at !== undefined; at = this.profile(at.keywords['Parent'])) chain.unshift(at);
    const root = newElement();
    for (const each of chain) for (const rule of withInserted(each.rules, this.items)) this.apply(root, rule);
    return root;
  }

  private profile(name: string | undefined): FshItem | undefined {
    return this.items.find((each) => each.kind === 'Profile' && name !== undefined && (each.name === name || each.keywords['Id'] === name));
  }

  private apply(root: Element, rule: string): void {
    const of = (pattern: RegExp): readonly string[] | null => pattern.exec(rule)?.slice(1) ?? null;
    const at = (path = ''): Element => elementAt(root, path);
    const [path = '', ...rest] = of(RULE.caret) ?? of(RULE.contains) ?? of(RULE.value) ?? [];
    if (RULE.caret.test(rule)) this.caret(at(path), rest[0] ?? '', rest[1] ?? '');
    else if (RULE.contains.test(rule)) this.contains(at(path), rest[0] ?? '');
    else if (RULE.value.test(rule)) at(path).pattern = valueOf(rest[0] ?? '', this.shape.typeOf(stemOf(path)), this.names);
    else if (RULE.binding.test(rule)) this.binding(of(RULE.binding) ?? [], at);
    else if (RULE.only.test(rule)) at(of(RULE.only)?.[0]).only = typesOf(of(RULE.only)?.[1] ?? '');
    else if (RULE.obeys.test(rule)) at(of(RULE.obeys)?.[0]).invariants.push(this.expression(of(RULE.obeys)?.[1] ?? ''));
    else if (RULE.cardinality.test(rule)) {
      const [where, min = '', max = ''] = of(RULE.cardinality) ?? [];
      const element = at(where);
      if (min !== '') element.min = Number(min);
      if (max !== '') element.max = max === '*' ? Infinity : Number(max);
    } else if (!RULE.flag.test(rule)) throw new Error(`The rule "${rule}" is not understood.`);
  }

  private caret(element: Element, name: string, value: string): void {
    if (name === 'slicing.rules') element.closed = value.trim() === '#closed';
    const place = /^slicing\.discriminator(?:\[(\d+|=|\+)\])?\.path$/.exec(name);
    if (place === null) return;
    const path = value.replaceAll('"', '').trim();
    if (!element.discriminators.includes(path)) element.discriminators.push(path);
  }

  /** `name 1..1`, or `Extension named name 0..*`, joined by `and`. */
  private contains(element: Element, list: string): void {
    for (const each of list.split(/\s+and\s+/)) {
      const [, extension, name, min = '0', max = ''] =
        /^(?:(\S+)\s+named\s+)?(\S+)\s+(\d*)\.\.(\d*|\*)(?:\s+MS)?\s*$/.exec(each.trim()) ?? [];
      if (name === undefined) throw new Error(`The slice "${each}" is not understood.`);
      const slice = element.slices.get(name) ?? newElement();
      slice.min = Number(min);
      slice.max = max === '' || max === '*' ? Infinity : Number(max);
      element.slices.set(name, slice);
      if (extension === undefined) continue;
      const item = this.items.find(({ kind, name: own }) => kind === 'Extension' && own === extension);
      const url = newElement();
      url.min = 1;
      url.max = 1;
      url.pattern = `${this.canonical}/StructureDefinition/${item?.keywords['Id'] ?? extension}`;
      slice.children.set('url', url);
      if (!element.discriminators.includes('url')) element.discriminators.push('url');
    }
  }

  private binding([path = '', set = '', strength = 'required']: readonly string[], at: (path: string) => Element): void {
    if (strength === 'required') at(path).codes = this.codesOf(set);
  }

  private codesOf(name: string): CodeSet {
    const found = this.items.find(({ kind, name: own }) => kind === 'ValueSet' && own === name);
    if (found === undefined) throw new Error(`The value set ${name} is not in the text.`);
    return new Set(
      found.rules.flatMap((rule) => {
        if (rule.startsWith('^')) return [];
        const whole = /^codes from system (\S+)$/.exec(rule)?.[1];
        const system = this.items.find(({ kind, name: own }) => kind === 'CodeSystem' && own === whole);
        const codes = (system?.rules ?? [rule]).flatMap((each) => /^([^\s#^]*)#(\S+)/.exec(each)?.slice(1, 3) ?? []);
        return pairs(codes).map(([own, code]) => `${this.address(whole ?? own)}|${code}`);
      }),
    );
  }

  private address(name: string): string {
    return this.names.get(name) ?? name;
  }

  private expression(name: string): string {
    const found = this.items.find((each) => each.kind === 'Invariant' && each.name === name);
    if (found === undefined) throw new Error(`The invariant ${name} is not in the text.`);
    return (found.keywords['Expression'] ?? '').replace(/^"|"$/g, '');
  }
}

const pairs = (list: readonly string[]): readonly [string, string][] =>
  list.flatMap((each, i): [string, string][] => (i % 2 === 0 ? [[each, list[i + 1] ?? '']] : []));

const typesOf = (text: string): string[] => (/^Reference\((.*)\)$/.exec(text)?.[1] ?? text).split(/\s+or\s+/).map((each) => each.trim());

const stemOf = (path: string): string => path.replaceAll(/\[(?!x\])[^\]]*\]/g, '');

/** The element of a path; slices, and slices of slices, are entered by their names. */
function elementAt(root: Element, path: string): Element {
  let at = root;
  for (const segment of path === '' ? [] : path.split(/\.(?![^[]*\])/)) {
    const [, name = '', brackets = ''] = /^([A-Za-z]+(?:\[x\])?)((?:\[[^\]]*\])*)$/.exec(segment) ?? [];
    if (name === '') throw new Error(`The path ${path} is not understood.`);
    at = entered(at.children, name);
    for (const [, slice = ''] of brackets.matchAll(/\[([^\]]*)\]/g)) at = entered(at.slices, slice);
  }
  return at;
}

function entered(map: Map<string, Element>, name: string): Element {
  const found = map.get(name) ?? newElement();
  map.set(name, found);
  return found;
}

/** Fills in what an instance leaves unsaid because its profile fixes it: required elements with a fixed value, in the slices it names. */
export function withImplied(element: Element, json: Json, places: Places, base: Element = element): void {
  for (const [name, child] of element.children) {
    const required = Math.max(child.min, base.children.get(name)?.min ?? 0) > 0;
    if (json[name] === undefined && required && child.pattern !== undefined) json[name] = structuredClone(child.pattern);
    const value = json[name];
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const each of list) if (isObject(each)) withImplied(child, each, places);
    for (const [slice, indexes] of Array.isArray(value) ? (places.get(value as unknown[]) ?? []) : []) {
      // A slice of a slice is bound by what both say.
      const [first = '', ...more] = slice.split('/');
      let at = child.slices.get(first);
      for (const deeper of [...more, '']) {
        for (const index of indexes) if (at !== undefined && isObject(list[index])) withImplied(at, list[index], places, child);
        at = at?.slices.get(deeper);
      }
    }
  }
}

export const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);
