import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AUDIT_EVENT, AUDIT_EVENT_BASE } from '../audit-event-shape.js';
import { violations } from '../fsh-check.js';
import { mutationsOf } from '../fsh-mutate.js';
import { profilesOf, withImplied, type Element, type Profile } from '../fsh-profile.js';
import { instancesOf, itemsOf, type Json } from '../fsh.js';
import { filesBelow, type Suite } from '../suite.js';
import { exportedEvents } from './balp-exports.js';
import { packResult, type Expectation, type NotApplicable } from './conformance-cases.js';

const SAML = 'access tokens are JSON Web Tokens; SAML assertions are not accepted, so no event of their use is written';
const NOT_WRITTEN: Readonly<Record<string, string>> = {
  'IHE.BasicAudit.SAMLaccessTokenUse.Minimal': SAML,
  'IHE.BasicAudit.SAMLaccessTokenUse.Comprehensive': SAML,
};

export interface Pack {
  readonly profiles: readonly Profile[];
  /** What FHIR R4 itself requires. */
  readonly base: Element;
  readonly text: string;
  readonly canonical: string;
}

/** Profiles of a folder of FSH files; the address of the guide is the one that its capability statements name. */
export function packOf(folder: string): Pack {
  const text = filesBelow(folder, /\.fsh$/)
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
  const canonical = /supportedProfile\[\+\] = "(.*?)\/StructureDefinition\//.exec(text)?.[1] ?? 'https://profiles.ihe.net/ITI/BALP';
  const profiles = profilesOf(text, AUDIT_EVENT_BASE, AUDIT_EVENT, canonical);
  const [base] = profilesOf('Profile: Any\nParent: AuditEvent\n', AUDIT_EVENT_BASE, AUDIT_EVENT, canonical);
  if (base === undefined) throw new Error('The base profile is not read.');
  return { profiles, base: base.root, text, canonical };
}

const conforms = 'conforms';
const verdict = (root: Element, json: Json): string => violations(root, json).join('; ') || conforms;

/** A broken copy must be refused; by which rule does not matter. */
const refused = (kind: string, id: string, root: Element, json: Json): Expectation[] =>
  mutationsOf(root, json).map((each) => ({
    kind,
    id: `${id}: ${each.what}`,
    expected: 'refused',
    got: violations(root, each.json).length > 0 ? 'refused' : 'accepted',
  }));

function examples({ profiles, text, canonical }: Pack): Expectation[] {
  return instancesOf(text, 'AuditEvent', AUDIT_EVENT, canonical).flatMap(({ id, of, json, places }) => {
    const profile = profiles.find((each) => each.id === of || each.name === of);
    if (profile === undefined) return [];
    withImplied(profile.root, json, places);
    const kept = { kind: 'example', id: `${id} of ${profile.name}`, expected: conforms, got: verdict(profile.root, json) };
    return [kept, ...refused('broken example', id, profile.root, json)];
  });
}

/** Each event against the profiles that it names, and against FHIR itself; the first of each profile is broken in every way, too. */
function exportsOf({ profiles, base }: Pack): { cases: Expectation[]; written: Set<string> } {
  const written = new Set<string>();
  const cases = exportedEvents().flatMap(({ id, event }) => {
    const json = event as unknown as Json;
    const own = { kind: 'export', id: `${id} as AuditEvent`, expected: conforms, got: verdict(base, json) };
    const named = (event.meta?.profile ?? []).flatMap((url) => {
      const profile = profiles.find((each) => each.url === url);
      if (profile === undefined) return [{ kind: 'export', id: `${id} as ${url}`, expected: conforms, got: 'there is no such profile' }];
      const kept = { kind: 'export', id: `${id} as ${profile.name}`, expected: conforms, got: verdict(profile.root, json) };
      const first = !written.has(profile.id);
      written.add(profile.id);
      return [kept, ...(first ? refused('broken export', `${id} as ${profile.name}`, profile.root, json) : [])];
    });
    return [own, ...named];
  });
  return { cases, written };
}

/**
 * IHE Basic Audit Log Patterns: checks are derived from the FSH of the guide, its own examples must pass them and every broken copy of them must
 * not, and so must the events that are written for evidence of all kinds.
 */
export const suite: Suite = {
  about: 'profiles of IHE BALP against their own examples and against the events written here',
  async run(folder) {
    await Promise.resolve();
    const pack = packOf(folder);
    if (!itemsOf(pack.text).some(({ kind }) => kind === 'Profile')) return packResult([]);
    const { cases, written } = exportsOf(pack);
    const absent = pack.profiles.filter(({ id }) => !written.has(id));
    const skipped: NotApplicable[] = absent.flatMap(({ id }) => {
      const reason = NOT_WRITTEN[id];
      return reason === undefined ? [] : [{ id: `export as ${id}`, reason }];
    });
    const covered = pack.profiles.map(({ id }): Expectation => {
      const known = written.has(id) || NOT_WRITTEN[id] !== undefined;
      return { kind: 'profile', id, expected: 'written or not applicable', got: known ? 'written or not applicable' : 'not written' };
    });
    return packResult([...covered, ...examples(pack), ...cases], skipped);
  },
};
