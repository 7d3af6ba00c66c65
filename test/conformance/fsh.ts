/**
 * A small reader of FHIR Shorthand (FSH 3.0.0): instances with `* path = value` rules, rule sets, aliases and chains of profiles. What it knows
 * of a resource comes as its shape. It does not apply what profiles fix: see `fsh-profile.ts` for that.
 */
export interface FshItem {
  readonly kind: string;
  readonly name: string;
  readonly keywords: Readonly<Record<string, string>>;
  readonly rules: readonly string[];
}

export interface FshInstance {
  readonly id: string;
  /** Name or id of the profile that it is an instance of. */
  readonly of: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Places that each list gave to its slices, by the name of the slice; slices of slices after a slash. */
  readonly places: Places;
}

export type Json = Record<string, unknown>;
export type Places = Map<readonly unknown[], Map<string, number[]>>;
type FhirType = 'code' | 'Coding' | 'CodeableConcept' | 'other';

/** Elements of a resource by their path without indices and slices. */
export interface Shape {
  isList(stem: string): boolean;
  typeOf(stem: string): FhirType;
}

/** Names that stand for addresses: aliases, and code systems that the text itself defines. */
export type Names = ReadonlyMap<string, string>;

/** Elements of FHIR R4 Consent that repeat, by their path without indices; provisions nest. */
const LISTS = new Set(
  'meta.security identifier category performer organization policy verification actor purpose securityLabel class code data provision.provision'.split(
    ' ',
  ),
);
const CONCEPTS = new Set(['scope', 'category', 'policyRule', 'actor.role', 'action', 'provision.code']);
const CODINGS = new Set(['meta.security', 'meta.tag', 'purpose', 'securityLabel', 'class']);

/** The part of a path that says which element it is: provisions nest, and the root is one too. */
const elementOf = (stem: string): string => stem.replace(/^(provision\.)+/, '');

const CONSENT: Shape = {
  isList: (stem) => LISTS.has(elementOf(stem)) || (stem !== 'provision' && /^(provision\.)+provision$/.test(stem)),
  typeOf: (stem) => (CONCEPTS.has(elementOf(stem)) ? 'CodeableConcept' : CODINGS.has(elementOf(stem)) ? 'Coding' : 'other'),
};

const KEYWORD = /^(Alias|Profile|Extension|ValueSet|CodeSystem|RuleSet|Invariant|Instance|Logical|Resource|Mapping):\s*(.*)$/;

/** Instances whose profile, or the parent of it, is `resourceType`, in the order of the text. `canonical` is the address of the guide. */
export function instancesOf(text: string, resourceType: string, shape: Shape = CONSENT, canonical = ''): FshInstance[] {
  const items = itemsOf(text);
  const profiles = items.filter(({ kind }) => kind === 'Profile');
  const parents = new Map(
    profiles.flatMap(({ name, keywords }) => [name, keywords['Id'] ?? name].map((key) => [key, keywords['Parent'] ?? ''])),
  );
  const names = namesOf(items, canonical);
  const typeOf = (name: string): string => (parents.has(name) ? typeOf(parents.get(name) ?? '') : name);
  return items
    .filter(({ kind, keywords }) => kind === 'Instance' && typeOf(keywords['InstanceOf'] ?? '') === resourceType)
    .map(({ name, keywords, rules }) => {
      const builder = new Builder({ resourceType, id: name }, shape, names);
      for (const rule of withInserted(rules, items)) builder.apply(rule);
      return { id: name, of: keywords['InstanceOf'] ?? '', json: builder.root, places: builder.places };
    });
}

export function namesOf(items: readonly FshItem[], canonical: string): Names {
  return new Map(
    items.flatMap(({ kind, name, keywords }): (readonly [string, string])[] => {
      const [alias = '', url = ''] = name.split(/\s*=\s*/);
      if (kind === 'Alias') return [[alias, url]];
      return kind === 'CodeSystem' && canonical !== '' ? [[name, `${canonical}/CodeSystem/${keywords['Id'] ?? name}`]] : [];
    }),
  );
}

/** Rules with those of rule sets in the place where they are inserted, their parameters filled in. */
export function withInserted(rules: readonly string[], items: readonly FshItem[]): string[] {
  return rules.flatMap((rule) => {
    const [, name, given = ''] = /^insert\s+([^\s(]+)(?:\s*\(([^)]*)\))?$/.exec(rule) ?? [];
    if (name === undefined) return [rule];
    const set = items.find((each) => each.kind === 'RuleSet' && each.name.replace(/\s*\(.*$/, '') === name);
    if (set === undefined) throw new Error(`There is no rule set ${name}.`);
    const parameters = (/\((.*)\)$/.exec(set.name)?.[1] ?? '').split(',').map((each) => each.trim());
    const values = given.split(',').map((each) => each.trim());
    return set.rules.map((each) => parameters.reduce((text, parameter, i) => text.replaceAll(`{${parameter}}`, values[i] ?? ''), each));
  });
}

/** Comments go; texts in three quotes become texts of one line. Two slashes inside a text or a URL are no comment. */
function withoutComments(text: string): string {
  return text
    .replace(/"""([\s\S]*?)"""/g, (_, inner: string) => JSON.stringify(inner.trim()))
    .replace(
      /("(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm,
      (_, quoted: string | undefined, space: string | undefined) => quoted ?? space ?? '',
    );
}

export function itemsOf(text: string): FshItem[] {
  const items: { kind: string; name: string; keywords: Record<string, string>; rules: string[] }[] = [];
  for (const line of withoutComments(text).split(/\r?\n/)) {
    const [, kind, name = ''] = KEYWORD.exec(line) ?? [];
    const item = items.at(-1);
    if (kind !== undefined) {
      items.push({ kind, name: name.trim(), keywords: {}, rules: [] });
      continue;
    }
    const [, key, value = ''] = /^([A-Z][A-Za-z]*):\s*(.*)$/.exec(line) ?? [];
    if (item === undefined) continue;
    if (key !== undefined) item.keywords[key] = value.trim();
    else if (/^\*\s/.test(line)) item.rules.push(line.slice(1).trim());
    // A rule that lists slices goes on over several lines.
    else if (/\bcontains\b/.test(item.rules.at(-1) ?? '') && /^\s*[^\s*]/.test(line))
      item.rules.push(`${item.rules.pop() ?? ''} ${line.trim()}`);
  }
  return items;
}

/** Sets elements of one resource. */
class Builder {
  readonly places: Places = new Map();

  constructor(
    readonly root: Json,
    private readonly shape: Shape,
    private readonly names: Names,
  ) {}

  apply(rule: string): void {
    const [, path, value] = /^(\S+)\s*=\s*(.*)$/.exec(rule) ?? [];
    // Cardinalities, bindings and flags are no values.
    if (path === undefined || value === undefined || path.startsWith('^')) return;
    const segments = path.split('.');
    let at: Json = this.root;
    let stem = '';
    segments.forEach((segment, depth) => {
      const [, element = '', brackets = ''] = /^([A-Za-z]+)((?:\[[^\]]*\])*)$/.exec(segment) ?? [];
      if (element === '') throw new Error(`The path ${path} is not understood.`);
      stem = stem === '' ? element : `${stem}.${element}`;
      const last = depth === segments.length - 1;
      const made = (): unknown => (last ? valueOf(value, this.shape.typeOf(stem), this.names) : {});
      if (!this.shape.isList(stem)) {
        if (last) at[element] = made();
        else at = (at[element] ??= {}) as Json;
        return;
      }
      const list = (at[element] ??= []) as unknown[];
      const place = this.placeIn(list, brackets);
      list[place] = last ? made() : (list[place] ?? {});
      at = list[place] as Json;
    });
  }

  private placeIn(list: readonly unknown[], brackets: string): number {
    const parts = [...brackets.matchAll(/\[([^\]]*)\]/g)].map(([, part = '']) => part);
    const index = parts.find((part) => /^(\+|=|\d+)$/.test(part));
    const slice = parts.filter((part) => part !== index).join('/');
    const slices = this.places.get(list) ?? new Map<string, number[]>();
    this.places.set(list, slices);
    const taken = slices.get(slice) ?? [];
    slices.set(slice, taken);
    const wanted = index === '+' ? taken.length : index === '=' ? Math.max(0, taken.length - 1) : Number(index ?? 0);
    return (taken[wanted] ??= list.length);
  }
}

export function valueOf(text: string, type: FhirType, names: Names): unknown {
  const reference = /^Reference\(([^)]+)\)/.exec(text)?.[1];
  if (reference !== undefined) return { reference };
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (quoted !== undefined) return JSON.parse(`"${quoted}"`) as string;
  const [, system = '', code, display] = /^([^\s#]*)#(\S+)(?:\s+"(.*)")?$/.exec(text) ?? [];
  if (code !== undefined) {
    const coding = {
      ...(system === '' ? {} : { system: names.get(system) ?? system }),
      code,
      ...(display === undefined ? {} : { display }),
    };
    return type === 'CodeableConcept' ? { coding: [coding] } : type === 'Coding' ? coding : code;
  }
  if (/^(true|false)$/.test(text)) return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
