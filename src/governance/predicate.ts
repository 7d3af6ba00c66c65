import type { EntityDeclaration, Predicate } from '../kernel/index.js';

/** The OR of predicates, with constants folded and repeats removed. */
export function anyOf(of: readonly Predicate[]): Predicate {
  if (of.some((each) => each.op === 'true')) return { op: 'true' };
  const distinct = [...new Map(of.filter((each) => each.op !== 'false').map((each) => [JSON.stringify(each), each])).values()];
  const [first] = distinct;
  if (!first) return { op: 'false' };
  return distinct.length === 1 ? first : { op: 'or', of: distinct };
}

/** The AND of two predicates, flat, with constants folded and repeats removed. */
export function bothOf(a: Predicate, b: Predicate): Predicate {
  if (a.op === 'false' || b.op === 'false') return { op: 'false' };
  if (a.op === 'true') return b;
  if (b.op === 'true') return a;
  const of = [...(a.op === 'and' ? a.of : [a]), ...(b.op === 'and' ? b.of : [b])];
  const distinct = [...new Map(of.map((each) => [JSON.stringify(each), each])).values()];
  const [first] = distinct;
  return distinct.length === 1 && first ? first : { op: 'and', of: distinct };
}

/** Holds only where `of` is false for certain, so what a rule cannot tell stays forbidden. */
export function exceptFor(of: Predicate): Predicate {
  if (of.op === 'true') return { op: 'false' };
  return of.op === 'false' ? { op: 'true' } : { op: 'except', of };
}

/** True where a predicate asks for broken glass, wherever in it. */
export function asksGlass(predicate: Predicate): boolean {
  switch (predicate.op) {
    case 'and':
    case 'or':
      return predicate.of.some(asksGlass);
    case 'except':
      return asksGlass(predicate.of);
    default:
      return predicate.op === 'glass';
  }
}

/** True where a predicate holds under broken glass alone. */
function impliesGlass(predicate: Predicate): boolean {
  switch (predicate.op) {
    case 'and':
      return predicate.of.some(impliesGlass);
    case 'or':
      return predicate.of.every(impliesGlass);
    default:
      return predicate.op === 'glass';
  }
}

/** What stands in the way of rows, but not of those under broken glass where a grant with these rows asks for it. */
export function unlessGlass(rows: Predicate, obstacle: Predicate): Predicate {
  if (!asksGlass(rows)) return obstacle;
  return impliesGlass(rows) ? { op: 'true' } : anyOf([obstacle, { op: 'glass' }]);
}

/** A predicate as it stands on the rows of one entity: what does not apply to them is folded away. */
export function specialise(entity: EntityDeclaration, predicate: Predicate, allSites: boolean): Predicate {
  switch (predicate.op) {
    case 'and':
      return predicate.of.map((each) => specialise(entity, each, allSites)).reduce(bothOf, { op: 'true' });
    case 'or':
      return anyOf(predicate.of.map((each) => specialise(entity, each, allSites)));
    case 'except':
      return exceptFor(specialise(entity, predicate.of, allSites));
    case 'in':
      if (predicate.attribute === 'principal') return entity.principal === undefined ? { op: 'false' } : predicate;
      if (entity.patient === undefined || (predicate.me === 'sites' && allSites)) return { op: 'true' };
      return predicate;
    case '<=':
      return entity.patient === undefined ? { op: 'true' } : predicate;
    case 'glass':
      return entity.patient === undefined ? { op: 'false' } : predicate;
    default:
      return predicate;
  }
}

/** The highest confidentiality that a predicate can reach; -1 for none. */
export function sensitivityReach(predicate: Predicate): number {
  switch (predicate.op) {
    case '<=':
      return predicate.literal;
    case 'and':
      return Math.min(...predicate.of.map(sensitivityReach));
    case 'or':
      return Math.max(...predicate.of.map(sensitivityReach));
    case 'false':
      return -1;
    default:
      return 2;
  }
}
