import type { Mask, Profile, SafeHarborTag } from '../kernel/index.js';

type Masks = Readonly<Record<string, Mask | null>>;

/**
 * Which mask each Safe Harbor letter takes under a profile; null keeps the value. What is not named here is NULL.
 * Safe Harbor: 45 CFR 164.514(b)(2)(i). Limited data set: 164.514(e)(2), which keeps dates, ages, towns and postal codes.
 */
const PROFILE_MASKS: Readonly<Record<Profile, Masks>> = {
  'safe-harbor': {
    'safeharbor.B.zip': 'ZIP3',
    'safeharbor.C': 'YEAR',
    'safeharbor.C.birth': 'AGE90',
    'safeharbor.C.age': 'AGE90',
    'safeharbor.R': 'HASH',
    'safeharbor.R.text': 'REDACT',
  },
  'limited-data-set': {
    'safeharbor.B': null,
    'safeharbor.B.zip': null,
    'safeharbor.C': null,
    'safeharbor.C.birth': null,
    'safeharbor.C.age': null,
    'safeharbor.R': 'HASH',
    'safeharbor.R.text': 'REDACT',
  },
};

export function profileMask(profile: Profile, tag: SafeHarborTag): Mask | null {
  const found = PROFILE_MASKS[profile][tag];
  return found === undefined ? 'NULL' : found;
}
