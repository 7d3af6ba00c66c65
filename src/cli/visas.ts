import { Clearinghouse, oidcIssuer } from '../gateway/index.js';
import { AUTHORITIES, VISA_TYPES, type PassportPolicy } from '../governance/index.js';
import { CodedError } from '../kernel/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A statement of a source is believed for a year unless the configuration says otherwise. */
const ASSERTED_SECONDS = 31_536_000;
const CLOCK_SECONDS = 5;

/**
 * The Passport clearinghouse that the environment describes, or undefined where it names no issuer of visas.
 * - `GA4GH_VISA_ISSUERS`: `issuer=jwks_url` with commas between them, or a JSON object of the same.
 * - `GA4GH_TRUST`: JSON, whose statements are believed: `brokers` (issuers of passports), `rules` (visa type to `{sources, by?}`),
 *   `datasets` (`[{value, sources, by?}]`) and `assertedSecondsMax`. Without it no visa gives anything.
 * Throws CONFIG_INVALID for anything that is not understood.
 */
export function clearinghouseOf(env: Environment, audience: string, log: (line: string) => void): Clearinghouse | undefined {
  const { GA4GH_VISA_ISSUERS: named, GA4GH_TRUST: trusted } = env;
  if (named === undefined) {
    if (trusted !== undefined) throw invalid('GA4GH_TRUST goes with GA4GH_VISA_ISSUERS.');
    return undefined;
  }
  const issuers = issuersOf(named);
  const keys = new Map(
    issuers.map(({ issuer, jwksUrl }) => [issuer, oidcIssuer({ issuer, audience, jwksUrl, steady: () => performance.now(), log }).keys]),
  );
  const trust = trusted === undefined ? {} : trustOf(trusted);
  const policy: PassportPolicy = {
    brokers: [],
    rules: {},
    datasets: [],
    assertedSecondsMax: ASSERTED_SECONDS,
    ...trust,
    audience,
    issuers: issuers.map(({ issuer, jwksUrl }) => ({ issuer, jku: [jwksUrl] })),
    clockToleranceSeconds: CLOCK_SECONDS,
  };
  return new Clearinghouse(policy, keys);
}

function issuersOf(text: string): { issuer: string; jwksUrl: string }[] {
  const pairs = text.trim().startsWith('{')
    ? Object.entries(objectOf(parsed(text, 'GA4GH_VISA_ISSUERS')))
    : text
        .split(/[\s,]+/)
        .filter((each) => each !== '')
        .map((each) => each.split(/=(.*)/s, 2));
  return pairs.map(([issuer, jwksUrl]) => {
    if (!issuer || typeof jwksUrl !== 'string' || jwksUrl === '')
      throw invalid('GA4GH_VISA_ISSUERS is a list of issuer=jwks_url, or a JSON object of them.');
    return { issuer, jwksUrl };
  });
}

type Trust = Partial<Pick<PassportPolicy, 'brokers' | 'rules' | 'datasets' | 'assertedSecondsMax'>>;

function trustOf(text: string): Trust {
  const trust = objectOf(parsed(text, 'GA4GH_TRUST'));
  only(trust, ['brokers', 'rules', 'datasets', 'assertedSecondsMax']);
  const { brokers, rules, datasets, assertedSecondsMax } = trust;
  if (brokers !== undefined) texts(brokers);
  if (rules !== undefined) {
    only(
      objectOf(rules),
      VISA_TYPES.filter((type) => type !== 'ControlledAccessGrants'),
    );
    for (const rule of Object.values(objectOf(rules))) believed(objectOf(rule), ['sources', 'by']);
  }
  if (datasets !== undefined) {
    if (!Array.isArray(datasets)) throw unclear();
    for (const dataset of datasets) {
      if (typeof objectOf(dataset)['value'] !== 'string') throw unclear();
      believed(objectOf(dataset), ['value', 'sources', 'by']);
    }
  }
  const seconds = assertedSecondsMax;
  if (seconds !== undefined && !(typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0)) throw unclear();
  return trust;
}

/** Whose statements of one kind count: named sources, at named levels of authority where there are any. */
function believed(rule: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  only(rule, known);
  texts(rule['sources']);
  const { by } = rule;
  if (by === undefined) return;
  texts(by);
  if ((by as string[]).some((each) => !(AUTHORITIES as readonly string[]).includes(each))) throw unclear();
}

function texts(value: unknown): void {
  if (!Array.isArray(value) || value.length === 0 || value.some((each) => typeof each !== 'string' || each === '')) throw unclear();
}

function only(value: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  if (Object.keys(value).some((key) => !known.includes(key))) throw unclear();
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unclear();
  return value as Record<string, unknown>;
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${name} is no JSON.`);
  }
}

const invalid = (message: string): CodedError => new CodedError('CONFIG_INVALID', message);
const unclear = (): CodedError => invalid('GA4GH_TRUST or GA4GH_VISA_ISSUERS is not understood.');
