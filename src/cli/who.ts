import { DEMO_IDENTITIES } from '../demo/index.js';
import { CodedError, PURPOSES, type Principal, type Purpose } from '../kernel/index.js';

/** The demo identity of this name as a principal. A purpose may be named, but only the one that the identity signed in with. */
export function principalOf(name: string, purpose?: string): Principal {
  const found = DEMO_IDENTITIES.find((each) => each.name === name);
  if (!found)
    throw new CodedError(
      'BAD_INPUT',
      `There is no demo identity of that name; there are ${DEMO_IDENTITIES.map((each) => each.name).join(', ')}.`,
    );
  if (!Object.hasOwn(PURPOSES, found.purpose)) throw new CodedError('POLICY_INVALID', 'A demo identity has an unknown purpose.');
  const asked = purpose === undefined ? found.purpose : purposeCode(purpose);
  if (asked !== found.purpose) throw new CodedError('FORBIDDEN', `The identity ${name} works for ${found.purpose} only.`);
  return {
    sub: found.sub,
    roles: [...found.roles],
    purpose: found.purpose as Purpose,
    sites: found.sites.includes('*') ? '*' : [...found.sites],
    kind: 'person',
    tokenId: `local-${name}`,
  };
}

/** A purpose by its code (HRESCH) or by a word of its name (research). */
function purposeCode(text: string): string {
  const code = text.toUpperCase();
  if (Object.hasOwn(PURPOSES, code)) return code;
  const byWord = Object.entries(PURPOSES).find(([, name]) => name.split(' ').includes(text.toLowerCase()));
  if (!byWord) throw new CodedError('BAD_INPUT', `The purpose is one of ${Object.keys(PURPOSES).join(', ')}.`);
  return byWord[0];
}
