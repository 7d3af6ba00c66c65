import type { ElementScope, Hierarchy, MatchType, RangerRequest, ResourceLevel, ResourcePattern, ResourcePatterns } from './model.js';
import { expand } from './macro.js';
import { hasWildcard, wildcardMatch, wildcardPrefix } from './wildcard.js';

export type Asked = Pick<RangerRequest, 'resource' | 'owner' | 'user' | 'attributes' | 'scopes'>;

/** True for patterns that hold for every value, also for none. */
export function matchesAnything(level: ResourceLevel, pattern: ResourcePattern): boolean {
  const values = pattern.values.filter((value) => value !== '');
  return values.length === 0 || (level.wildcards && values.some((value) => /^\*+$/.test(value)));
}

/**
 * How the patterns of a policy or tag relate to the resource of a request: the resource itself, something below it, something above it.
 * Follows the levels of the one hierarchy in which both can be said; a resource with a gap in its levels matches nothing.
 */
export function matchOf(hierarchies: readonly Hierarchy[], patterns: ResourcePatterns, asked: Asked): MatchType {
  const wanted = Object.keys(patterns);
  const given = Object.keys(asked.resource);
  if (wanted.length === 0) return given.length === 0 ? 'self' : 'none';
  const hierarchy = hierarchyOf(hierarchies, wanted, given);
  if (hierarchy === undefined) return 'none';
  let match: MatchType = given.length === 0 ? 'self' : 'none';
  let lastNarrow = -1;
  for (const [index, level] of hierarchy.entries()) {
    const pattern = patterns[level.name];
    if (pattern !== undefined && !matchesAnything(level, pattern)) lastNarrow = index;
  }
  for (const level of hierarchy) {
    const pattern = patterns[level.name];
    const value = asked.resource[level.name];
    if (pattern === undefined) {
      if (value !== undefined) match = 'ancestor';
      break;
    }
    if (value === undefined && !matchesAnything(level, pattern)) continue;
    if (!levelMatches(level, pattern, value, asked)) return 'none';
    match = 'self';
  }
  if (match !== 'self' || given.length >= wanted.length) return match;
  return given.length > lastNarrow ? 'self-and-all-descendants' : 'descendant';
}

/** The shortest hierarchy that has all levels of both and no gap in either. */
function hierarchyOf(hierarchies: readonly Hierarchy[], wanted: readonly string[], given: readonly string[]): Hierarchy | undefined {
  const fits = hierarchies.filter((hierarchy) => withoutGap(hierarchy, wanted) && withoutGap(hierarchy, given));
  return fits.reduce<Hierarchy | undefined>((best, each) => (best === undefined || each.length < best.length ? each : best), undefined);
}

const withoutGap = (hierarchy: Hierarchy, names: readonly string[]): boolean =>
  names.length <= hierarchy.length && names.every((name) => hierarchy.slice(0, names.length).some((level) => level.name === name));

function levelMatches(
  level: ResourceLevel,
  pattern: ResourcePattern,
  value: string | readonly string[] | undefined,
  asked: Asked,
): boolean {
  const any = matchesAnything(level, pattern);
  const everything = value === undefined || value === '' || value === '*';
  const scope = asked.scopes[level.name] ?? 'SELF';
  let matched = any;
  if (!any && value !== undefined && (!everything || scope === 'SELF_OR_PREFIX')) {
    const values = typeof value === 'string' ? [value] : value;
    matched = pattern.values.some(
      (each) => each !== '' && values.some((one) => valueMatches(level, pattern, expand(each, level, asked), one, scope)),
    );
  }
  // A request for all values is not turned round: it asks for more than the values that are left out.
  return pattern.excludes && !(everything && !any) ? !matched : matched;
}

function valueMatches(level: ResourceLevel, { recursive }: ResourcePattern, wanted: string, given: string, scope: ElementScope): boolean {
  const fold = (text: string): string => (level.ignoreCase ? text.toLowerCase() : text);
  const pattern = fold(wanted);
  const value = fold(given);
  const one = (p: string, v: string): boolean => (level.path && recursive ? belowMatches(level, p, v) : single(level, p, v));
  if (one(pattern, value)) return true;
  if (scope === 'SELF_OR_PREFIX') return level.wildcards ? wildcardPrefix(pattern, value) : pattern.startsWith(value);
  if (scope !== 'SELF_OR_CHILD' || !level.path) return false;
  const end = pattern.lastIndexOf(level.separator);
  const parent = pattern.slice(0, Math.max(end, 0));
  const bare = value.endsWith(level.separator) ? value.slice(0, -1) : value;
  return end !== -1 && (level.wildcards && hasWildcard(parent) ? one(parent, bare) : parent === bare);
}

const single = (level: ResourceLevel, pattern: string, value: string): boolean =>
  level.wildcards ? wildcardMatch(pattern, value) : pattern === value;

/** A recursive path holds for what it names and for all below it. */
function belowMatches(level: ResourceLevel, pattern: string, value: string): boolean {
  const { separator } = level;
  if (!level.wildcards || !hasWildcard(pattern)) {
    const bare = pattern.endsWith(separator) && !level.wildcards ? pattern.slice(0, -1) : pattern;
    if (!bare.endsWith(separator)) return value === bare || value.startsWith(bare + separator);
    return wildcardMatch(`${bare}*`, value) || value === bare.slice(0, -1) || value.startsWith(bare);
  }
  const open = pattern.endsWith(separator) ? `${pattern}*` : pattern;
  for (let end = value.indexOf(separator, 1); end !== -1; end = value.indexOf(separator, end + 1)) {
    if (wildcardMatch(open, value.slice(0, end))) return true;
  }
  return wildcardMatch(open, value);
}
