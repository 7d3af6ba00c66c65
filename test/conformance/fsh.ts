/**
 * A small reader of FHIR Shorthand (FSH 3.0.0): instances with `* path = value` rules, rule sets, aliases and chains of profiles. It
 * knows the elements of Consent only, and does not apply what profiles fix: an instance says itself what it holds.
 */
interface Item {
  readonly kind: string;
  readonly name: string;
  readonly keywords: Readonly<Record<string, string>>;
  readonly rules: readonly string[];
}

export interface FshInstance {
  readonly id: string;
  readonly json: Readonly<Record<string, unknown>>;
}

type Json = Record<string, unknown>;
type FhirType = 'code' | 'Coding' | 'CodeableConcept' | 'other';

/** Elements of FHIR R4 Consent that repeat, by their path without indices; provisions nest. */
const LISTS = new Set(
  'meta.security identifier category performer organization policy verification actor purpose securityLabel class code data provision.provision'.split(
    ' ',
  ),
);
const CONCEPTS = new Set(['scope', 'category', 'policyRule', 'actor.role', 'action', 'provision.code']);
const CODINGS = new Set(['meta.security', 'meta.tag', 'purpose', 'securityLabel', 'class']);

const KEYWORD = /^(Alias|Profile|Extension|ValueSet|CodeSystem|RuleSet|Invariant|Instance|Logical|Resource|Mapping):\s*(.*)$/;

/** Instances whose profile, or the parent of it, is `resourceType`, in the order of the text. */
export function instancesOf(text: string, resourceType: string): FshInstance[] {
  const items = itemsOf(withoutComments(text));
  const parents = new Map(items.filter(({ kind }) => kind === 'Profile').map(({ name, keywords }) => [name, keywords['Parent'] ?? '']));
  const sets = new Map(items.filter(({ kind }) => kind === 'RuleSet').map(({ name, rules }) => [name, rules]));
  const aliases = new Map(
    items.flatMap(({ kind, name }) => {
      const [alias = '', url = ''] = name.split(/\s*=\s*/);
      return kind === 'Alias' ? [[alias, url] as const] : [];
    }),
  );
  const typeOf = (name: string): string => (parents.has(name) ? typeOf(parents.get(name) ?? '') : name);
  return items
    .filter(({ kind, keywords }) => kind === 'Instance' && typeOf(keywords['InstanceOf'] ?? '') === resourceType)
    .map(({ name, rules }) => {
      const builder = new Builder({ resourceType, id: name }, aliases);
      for (const rule of rules.flatMap((one) => inserted(one, sets))) builder.apply(rule);
      return { id: name, json: builder.root };
    });
}

function inserted(rule: string, sets: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const set = /^insert\s+(\S+)$/.exec(rule)?.[1];
  if (set === undefined) return [rule];
  const rules = sets.get(set);
  if (rules === undefined) throw new Error(`There is no rule set ${set}.`);
  return rules;
}

/** Comments go, and so do texts in three quotes, which only describe. Two slashes inside a URL are no comment. */
function withoutComments(text: string): string {
  return text
    .replace(/"""[\s\S]*?"""/g, '""')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

function itemsOf(text: string): Item[] {
  const items: { kind: string; name: string; keywords: Record<string, string>; rules: string[] }[] = [];
  for (const line of text.split(/\r?\n/)) {
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
  }
  return items;
}

/** Sets elements of one resource. */
class Builder {
  /** The places that a list has given to a slice (or to no slice), by the path of the list. */
  private readonly places = new Map<string, number[]>();

  constructor(
    readonly root: Json,
    private readonly aliases: ReadonlyMap<string, string>,
  ) {}

  apply(rule: string): void {
    const [, path, value] = /^(\S+)\s*=\s*(.*)$/.exec(rule) ?? [];
    // Cardinalities, bindings and flags are no values.
    if (path === undefined || value === undefined || path.startsWith('^')) return;
    const segments = path.split('.');
    let at: Json = this.root;
    let name = '';
    let stem = '';
    segments.forEach((segment, depth) => {
      const [, element = '', brackets = ''] = /^([A-Za-z]+)((?:\[[^\]]*\])*)$/.exec(segment) ?? [];
      if (element === '') throw new Error(`The path ${path} is not understood.`);
      name = `${name}.${element}${brackets}`;
      stem = stem === '' ? element : `${stem}.${element}`;
      const last = depth === segments.length - 1;
      const made = (): unknown => (last ? valueOf(value, typeOf(stem), this.aliases) : {});
      if (!isList(stem)) {
        if (last) at[element] = made();
        else at = (at[element] ??= {}) as Json;
        return;
      }
      const list = (at[element] ??= []) as unknown[];
      const place = this.placeIn(list, name.slice(0, name.length - brackets.length), brackets);
      list[place] = last ? made() : (list[place] ?? {});
      at = list[place] as Json;
    });
  }

  private placeIn(list: readonly unknown[], path: string, brackets: string): number {
    const parts = [...brackets.matchAll(/\[([^\]]*)\]/g)].map(([, part = '']) => part);
    const index = parts.find((part) => /^(\+|=|\d+)$/.test(part));
    const slice = parts.find((part) => part !== index) ?? '';
    const key = `${path.replaceAll(/\[[^\]]*\]/g, '')}:${slice}`;
    const taken = this.places.get(key) ?? [];
    this.places.set(key, taken);
    const wanted = index === '+' ? taken.length : index === '=' ? Math.max(0, taken.length - 1) : Number(index ?? 0);
    return (taken[wanted] ??= list.length);
  }
}

/** The part of a path that says which element it is: provisions nest, and the root is one too. */
function elementOf(stem: string): string {
  return stem.replace(/^(provision\.)+/, '');
}

function isList(stem: string): boolean {
  return LISTS.has(elementOf(stem)) || (stem !== 'provision' && /^(provision\.)+provision$/.test(stem));
}

function typeOf(stem: string): FhirType {
  const element = elementOf(stem);
  if (CONCEPTS.has(element)) return 'CodeableConcept';
  return CODINGS.has(element) ? 'Coding' : 'other';
}

function valueOf(text: string, type: FhirType, aliases: ReadonlyMap<string, string>): unknown {
  const reference = /^Reference\(([^)]+)\)/.exec(text)?.[1];
  if (reference !== undefined) return { reference };
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (quoted !== undefined) return JSON.parse(`"${quoted}"`) as string;
  const [, system = '', code, display] = /^([^\s#]*)#(\S+)(?:\s+"(.*)")?$/.exec(text) ?? [];
  if (code !== undefined) {
    const coding = {
      ...(system === '' ? {} : { system: aliases.get(system) ?? system }),
      code,
      ...(display === undefined ? {} : { display }),
    };
    return type === 'CodeableConcept' ? { coding: [coding] } : type === 'Coding' ? coding : code;
  }
  if (/^(true|false)$/.test(text)) return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
