import type { VisaIdentity } from './trust.js';
import { linkedOf, type Visa } from './visa.js';

const keyOf = ({ iss, sub }: VisaIdentity): string => JSON.stringify([iss, sub]);

interface Link {
  readonly a: string;
  readonly b: string;
  readonly until: number;
}

/**
 * Until when an identity is known to be the subject, in milliseconds since 1970: Infinity for the subject itself, the expiry of the
 * weakest link on the best way for others, 0 where no way leads there. Links are LinkedIdentities visas that are accepted and carry no
 * conditions; they hold both ways and may be chained (GA4GH Passport v1, LinkedIdentities).
 */
export function identityReach(subject: VisaIdentity, visas: readonly Visa[]): (identity: VisaIdentity) => number {
  const links = visas
    .filter(({ type, conditions }) => type === 'LinkedIdentities' && conditions === null)
    .flatMap(({ identity, value, until }) =>
      (linkedOf(value) ?? []).map((other): Link => ({ a: keyOf(identity), b: keyOf(other), until })),
    );
  const reach = new Map([[keyOf(subject), Infinity]]);
  const circles = new Map<string, readonly string[]>();
  const circleOf = (key: string): readonly string[] => circles.get(key) ?? [key];
  // The longest-lived links first: the link that joins two circles is the weakest on the best way between their members.
  for (const { a, b, until } of links.sort((one, other) => other.until - one.until)) {
    const [one, other] = [circleOf(a), circleOf(b)];
    if (one.includes(b)) continue;
    if (one.some((key) => reach.has(key))) other.forEach((key) => reach.set(key, until));
    else if (other.some((key) => reach.has(key))) one.forEach((key) => reach.set(key, until));
    const joined = [...one, ...other];
    for (const key of joined) circles.set(key, joined);
  }
  return (identity) => reach.get(keyOf(identity)) ?? 0;
}
