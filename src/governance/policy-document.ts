import { BULK_STATUSES, CodedError, RECIPIENT_KINDS, type Predicate } from '../kernel/index.js';
import type { PolicyDocument } from './compose-policy.js';
import { OBLIGATIONS, USE_KINDS } from './data-use/project.js';

const DOCUMENT: Readonly<Record<string, (value: unknown, place: string) => void>> = {
  tags: (value, place) => {
    eachOf(value, place, text);
  },
  assets: (value, place) => {
    eachOf(value, place, texts);
  },
  owners: (value, place) => {
    eachOf(value, place, text);
  },
  grants: (value, place) => {
    listOf(value, place, (each, at) => {
      rule(each, at, { ...SELECTORS, ...GRANT });
    });
  },
  forbids: (value, place) => {
    listOf(value, place, (each, at) => {
      rule(each, at, { ...SELECTORS, ...FORBID });
    });
  },
  suspended: texts,
  groups: (value, place) => {
    eachOf(value, place, texts);
  },
  studies: (value, place) => {
    eachOf(value, place, text);
  },
  dataUse: (value, place) => {
    eachOf(value, place, (each, at) => {
      listOf(each, at, (condition, where) => {
        rule(condition, where, CONDITION);
      });
    });
  },
  projects: (value, place) => {
    eachOf(value, place, (each, at) => {
      rule(each, at, PROJECT);
    });
  },
  controlled: (value, place) => {
    eachOf(value, place, texts);
  },
  recipients: (value, place) => {
    eachOf(value, place, (each, at) => {
      rule(each, at, RECIPIENT);
    });
  },
  protocols: (value, place) => {
    eachOf(value, place, (each, at) => {
      rule(each, at, PROTOCOL);
    });
  },
};

type Shape = Readonly<Record<string, { readonly required?: true; readonly is: (value: unknown, place: string) => void }>>;

const SELECTORS: Shape = {
  id: { required: true, is: text },
  reason: { required: true, is: text },
  role: { required: true, is: text },
  purposes: { required: true, is: texts },
  tags: { required: true, is: texts },
  validFrom: { is: text },
  validTo: { is: text },
};

const GRANT: Shape = {
  actions: { required: true, is: texts },
  masks: {
    is: (value, place) => {
      eachOf(value, place, text);
    },
  },
  profile: { is: text },
  clearance: { is: text },
  rows: { required: true, is: predicate },
  datasets: {
    is: (value, place) => {
      eachOf(value, place, predicate);
    },
  },
  obligations: {
    is: (value, place) => {
      rule(value, place, {
        kMin: { is: count },
        stepUp: { is: flag },
        notices: { is: texts },
      });
    },
  },
};

const FORBID: Shape = { actions: { is: texts }, rows: { is: predicate }, breakable: { is: flag } };

const CONDITION: Shape = { code: { required: true, is: text }, values: { required: true, is: texts } };

/** Everything about a project is stated, if only as null, so that nobody forgets what a condition may ask. */
const PROJECT: Shape = {
  id: { required: true, is: text },
  uses: { required: true, is: oneOfEach(USE_KINDS) },
  diseases: { required: true, is: texts },
  organisation: { required: true, is: orNull(oneOf(['not-for-profit', 'for-profit'])) },
  commercial: { required: true, is: orNull(flag) },
  genetic: { required: true, is: orNull(flag) },
  approvals: {
    required: true,
    is: (value, place) => {
      listOf(value, place, (each, at) => {
        rule(each, at, { id: { required: true, is: text }, until: { required: true, is: count } });
      });
    },
  },
  country: { required: true, is: orNull(text) },
  institution: { required: true, is: orNull(text) },
  users: { required: true, is: texts },
  studyTypes: { required: true, is: texts },
  accepted: { required: true, is: oneOfEach(OBLIGATIONS) },
  start: { required: true, is: orNull(count) },
  publication: { required: true, is: orNull(count) },
};

const RECIPIENT: Shape = {
  name: { required: true, is: text },
  address: { is: text },
  kind: { required: true, is: oneOf(Object.keys(RECIPIENT_KINDS)) },
  bulk: { required: true, is: oneOf(BULK_STATUSES) },
  subjects: { is: texts },
  groups: { is: texts },
  issuers: { is: texts },
  dataUseAgreement: { is: text },
  protocol: { is: text },
  authorisation: { is: text },
};

const PROTOCOL: Shape = {
  name: { required: true, is: text },
  description: { required: true, is: text },
  sponsor: { required: true, is: text },
  researcher: { required: true, is: text },
};

const DEPTH_MAX = 12;

/**
 * A policy document as it comes from outside: every part has its shape, nothing else is in it. What its names stand for is checked when
 * it is composed. Throws POLICY_INVALID with the place.
 */
export function readPolicyDocument(value: unknown): PolicyDocument {
  object(value, 'document');
  for (const [key, part] of Object.entries(value)) {
    const check = Object.hasOwn(DOCUMENT, key) ? DOCUMENT[key] : undefined;
    if (!check) throw refused(`document.${key}`, 'is no part of a policy document');
    check(part, `document.${key}`);
  }
  return value;
}

function rule(value: unknown, place: string, shape: Shape): void {
  object(value, place);
  for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) throw refused(`${place}.${key}`, 'is not known');
  for (const [key, { required, is }] of Object.entries(shape)) {
    const part = value[key];
    if (part !== undefined) is(part, `${place}.${key}`);
    else if (required) throw refused(`${place}.${key}`, 'is missing');
  }
}

const OPERANDS: Readonly<Record<Predicate['op'], Shape>> = {
  true: {},
  false: {},
  consent: {},
  glass: {},
  and: { of: { required: true, is: predicates } },
  or: { of: { required: true, is: predicates } },
  except: { of: { required: true, is: predicate } },
  in: { attribute: { required: true, is: text }, me: { required: true, is: text } },
  '<=': { attribute: { required: true, is: text }, literal: { required: true, is: count } },
  compare: { column: { required: true, is: text }, operator: { required: true, is: text }, literal: { required: true, is: literal } },
  'one-of': {
    column: { required: true, is: text },
    literals: {
      required: true,
      is: (value, place) => {
        listOf(value, place, literal);
      },
    },
  },
  between: { column: { required: true, is: text }, from: { required: true, is: literal }, to: { required: true, is: literal } },
  'is-null': { column: { required: true, is: text } },
};

function predicate(value: unknown, place: string): void {
  object(value, place);
  if (place.split('.of').length > DEPTH_MAX) throw refused(place, 'is nested too deep');
  const { op } = value;
  if (typeof op !== 'string' || !Object.hasOwn(OPERANDS, op)) throw refused(`${place}.op`, 'is no operator of the row language');
  rule(value, place, { op: { required: true, is: text }, ...OPERANDS[op as Predicate['op']] });
}

function predicates(value: unknown, place: string): void {
  listOf(value, place, predicate);
}

function object(value: unknown, place: string): asserts value is Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refused(place, 'is no object');
}

function eachOf(value: unknown, place: string, is: (value: unknown, place: string) => void): void {
  object(value, place);
  for (const [key, part] of Object.entries(value)) is(part, `${place}.${key}`);
}

function listOf(value: unknown, place: string, is: (value: unknown, place: string) => void): void {
  if (!Array.isArray(value)) throw refused(place, 'is no list');
  value.forEach((each, i) => {
    is(each, `${place}[${i}]`);
  });
}

function text(value: unknown, place: string): void {
  if (typeof value !== 'string' || value === '') throw refused(place, 'is no text');
}

function texts(value: unknown, place: string): void {
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string')) throw refused(place, 'is no list of texts');
}

function count(value: unknown, place: string): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw refused(place, 'is no whole number from 0');
}

function flag(value: unknown, place: string): void {
  if (typeof value !== 'boolean') throw refused(place, 'is neither true nor false');
}

function orNull(is: (value: unknown, place: string) => void): (value: unknown, place: string) => void {
  return (value, place) => {
    if (value !== null) is(value, place);
  };
}

function oneOf(known: readonly string[]): (value: unknown, place: string) => void {
  return (value, place) => {
    if (typeof value !== 'string' || !known.includes(value)) throw refused(place, 'is none of the names that are known there');
  };
}

function oneOfEach(known: readonly string[]): (value: unknown, place: string) => void {
  return (value, place) => {
    listOf(value, place, oneOf(known));
  };
}

function literal(value: unknown, place: string): void {
  const good = typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
  if (!good) throw refused(place, 'is no text, number or truth value');
}

const refused = (place: string, what: string): CodedError =>
  new CodedError('POLICY_INVALID', `The policy is refused. ${place} ${what}.`, { place });
