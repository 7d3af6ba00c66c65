import type { XmlNode } from './xml.js';

/** Navigation in a CDA tree. Elements are matched by local name; `sdtc:` extensions by `sdtcChild`. */

export function* elements(node: XmlNode): Generator<XmlNode> {
  for (const child of node.children) if (typeof child !== 'string') yield child;
}

/** Children of that name in the HL7 namespace (or without a prefix at all). */
export function children(node: XmlNode, local: string): XmlNode[] {
  return [...elements(node)].filter((child) => child.local === local && child.prefix !== 'sdtc');
}

/** The first element at a path of local names, or undefined. */
export function at(node: XmlNode | undefined, ...path: string[]): XmlNode | undefined {
  let here = node;
  for (const local of path) {
    if (here === undefined) return undefined;
    const parent: XmlNode = here;
    here = undefined;
    for (const child of elements(parent)) {
      if (child.local === local && child.prefix !== 'sdtc') {
        here = child;
        break;
      }
    }
  }
  return here;
}

/** Every element below and including `node`, in document order. Iterative: depth is the sender's. */
export function* walk(node: XmlNode): Generator<XmlNode> {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    for (let i = next.children.length - 1; i >= 0; i--) {
      const child = next.children[i];
      if (child !== undefined && typeof child !== 'string') stack.push(child);
    }
  }
}

export function first(node: XmlNode, local: string): XmlNode | undefined {
  for (const found of walk(node)) if (found.local === local && found.prefix !== 'sdtc') return found;
  return undefined;
}

/** An attribute that is stated and not blank. */
export function stated(node: XmlNode | undefined, attribute: string): string | null {
  const value = node?.attributes[attribute]?.trim();
  return value === undefined || value === '' ? null : value;
}

/** All text below a node with white space collapsed, or null when there is none. */
export function textOf(node: XmlNode | undefined): string | null {
  if (node === undefined) return null;
  const parts: string[] = [];
  const gather = (here: XmlNode): void => {
    for (const child of here.children) {
      if (typeof child === 'string') parts.push(child);
      else gather(child);
    }
  };
  gather(node);
  const text = parts.join(' ').replace(/\s+/g, ' ').trim();
  return text === '' ? null : text;
}
