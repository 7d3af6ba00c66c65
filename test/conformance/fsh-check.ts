import type { Json } from './fsh.js';
import { isObject, type Element } from './fsh-profile.js';

/** Elements that any element may have. */
const EVERYWHERE = new Set(['id', 'extension', 'modifierExtension', 'resourceType', 'meta', 'text']);

/** Violations of a profile by a resource, each as the path and the rule; none where it conforms. */
export function violations(root: Element, resource: Json): string[] {
  const found: string[] = [];
  new Check(resource, found).inside(root, resource, 'AuditEvent', true);
  return [...new Set(found)];
}

/** A primitive may have extensions only, beside its name with an underscore; the element is present all the same (FHIR R4, 2.6.2). */
export function valuesOf(json: Json, name: string): readonly unknown[] {
  const chosen = name.endsWith('[x]') ? Object.keys(json).filter((key) => key.startsWith(name.slice(0, -3))) : [name];
  return chosen.flatMap((key) => {
    const value = json[key] ?? json[`_${key}`];
    return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  });
}

/** The slice of an element that a value belongs to: all discriminators must hold. */
export function belongs(element: Element, slice: Element, value: unknown): boolean {
  return (
    element.discriminators.length > 0 &&
    element.discriminators.some((path) => decides(slice, path)) &&
    element.discriminators.every((path) => !decides(slice, path) || holdsAt(slice, path, value))
  );
}

/** `value.ofType(X).y` stands for the element of the choice, as FHIR writes it in JSON. */
const stepsOf = (path: string): string[] => (path === '$this' ? [] : path.replace(/\bvalue\.ofType\((\w+)\)/, 'value$1').split('.'));

function at(slice: Element, path: string): Element | undefined {
  return stepsOf(path).reduce<Element | undefined>((element, step) => element?.children.get(step), slice);
}

function decides(slice: Element, path: string): boolean {
  const element = at(slice, path);
  return element?.pattern !== undefined || element?.codes !== undefined;
}

function holdsAt(slice: Element, path: string, value: unknown): boolean {
  const element = at(slice, path);
  const found = stepsOf(path).reduce<unknown>((each, step) => (isObject(each) ? each[step] : undefined), value);
  return element !== undefined && found !== undefined && fits(element, found);
}

const fits = (element: Element, value: unknown): boolean =>
  (element.pattern === undefined || matches(element.pattern, value)) && (element.codes === undefined || isIn(element.codes, value));

/** A pattern holds where the value has all that it says; a list needs one match for each of its parts (FHIR R4, ElementDefinition.pattern). */
function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return Array.isArray(value) && pattern.every((part) => value.some((each) => matches(part, each)));
  if (isObject(pattern)) return isObject(value) && Object.entries(pattern).every(([key, part]) => matches(part, value[key]));
  return pattern === value;
}

function isIn(codes: ReadonlySet<string>, value: unknown): boolean {
  if (typeof value === 'string') return [...codes].some((each) => each.endsWith(`|${value}`));
  if (!isObject(value)) return false;
  const codings = Array.isArray(value['coding']) ? (value['coding'] as unknown[]) : [value];
  return codings.some((each) => isObject(each) && codes.has(`${String(each['system'])}|${String(each['code'])}`));
}

class Check {
  constructor(
    private readonly resource: Json,
    private readonly found: string[],
  ) {}

  /** The elements of one value; `whole` where the element names all that there are. */
  inside(element: Element, value: Json, path: string, whole: boolean): void {
    for (const [name, child] of element.children) this.element(child, valuesOf(value, name), value, `${path}.${name}`, name);
    // What the resource does not know is a mistake of spelling.
    if (whole && element.children.size > 1)
      for (const name of Object.keys(value)) if (!this.known(element, name)) this.found.push(`${path}.${name}: unknown element`);
    for (const invariant of element.invariants) if (!this.holds(invariant, value)) this.found.push(`${path}: ${invariant}`);
  }

  private known(element: Element, name: string): boolean {
    const own = name.replace(/^_/, '');
    return (
      EVERYWHERE.has(own) ||
      element.children.has(own) ||
      [...element.children.keys()].some((key) => key.endsWith('[x]') && own.startsWith(key.slice(0, -3)))
    );
  }

  private element(element: Element, values: readonly unknown[], parent: Json, path: string, name: string): void {
    this.count(element, values.length, path);
    for (const value of values) this.value(element, value, path, isBackbone(path));
    if (name.endsWith('[x]') && element.only !== undefined && values.length > 0 && !element.only.some((type) => typed(parent, name, type)))
      this.found.push(`${path}: only ${element.only.join(' or ')}`);
    this.slices(element, values, path);
  }

  private slices(element: Element, values: readonly unknown[], path: string): void {
    const free = new Set(values);
    for (const [name, slice] of element.slices) {
      const mine = values.filter((value) => belongs(element, slice, value));
      this.count(slice, mine.length, `${path}[${name}]`);
      for (const value of mine) {
        free.delete(value);
        this.value(slice, value, `${path}[${name}]`, false);
      }
      // Slices of a slice are told apart by the discriminators of the list.
      if (slice.slices.size > 0) this.slices({ ...slice, discriminators: element.discriminators }, mine, `${path}[${name}]`);
    }
    if (element.closed && free.size > 0) this.found.push(`${path}: closed slicing`);
  }

  private count({ min, max }: Element, count: number, path: string): void {
    if (count < min || count > max) this.found.push(`${path}: ${min}..${max === Infinity ? '*' : max}`);
  }

  private value(element: Element, value: unknown, path: string, whole: boolean): void {
    if (!fits(element, value)) this.found.push(`${path}: ${element.pattern === undefined ? 'binding' : 'fixed value'}`);
    if (!isObject(value)) return;
    const { reference, type } = value as { reference?: unknown; type?: unknown };
    const targets = element.only ?? [];
    if (targets.length > 0 && typeof reference === 'string' && !targets.some((each) => new RegExp(`(^|/)${each}/`).test(reference)))
      this.found.push(`${path}: only Reference(${targets.join(' | ')})`);
    if (targets.length > 0 && typeof type === 'string' && !targets.includes(type)) this.found.push(`${path}: type of the reference`);
    this.inside(element, value, path, whole);
  }

  /** The two forms of expression that the profiles use; any other is an error. */
  private holds(expression: string, value: Json): boolean {
    const same = /^\$this\.(\w+) = %resource\.(\w+)\.(\w+)$/.exec(expression);
    if (same !== null) {
      const [, own = '', outer = '', inner = ''] = same;
      const other = this.resource[outer];
      return isObject(other) && JSON.stringify(sorted(value[own])) === JSON.stringify(sorted(other[inner]));
    }
    const either = /^(\w+)\.empty\(\) or (\w+)\.empty\(\)$/.exec(expression);
    if (either === null) throw new Error(`The expression "${expression}" is not understood.`);
    return either.slice(1).some((name) => valuesOf(value, name).length === 0);
  }
}

/** Elements whose parts the resource itself defines; those of data types are not listed here. */
const isBackbone = (path: string): boolean => /^AuditEvent\.(agent|source|entity|agent\.network|entity\.detail)$/.test(path);

const typed = (parent: Json, name: string, type: string): boolean =>
  parent[`${name.slice(0, -3)}${type.charAt(0).toUpperCase()}${type.slice(1)}`] !== undefined;

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
