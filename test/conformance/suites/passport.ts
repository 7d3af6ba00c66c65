import type { Suite } from '../suite.js';
import { packResult } from './conformance-cases.js';
import { PASSPORT_CASES } from './passport-cases.js';
import { Issuers, inWords } from './passport-kit.js';

/**
 * What GA4GH Passport v1.2 and the AAI OIDC profile 1.2 demand of a clearinghouse, with passports and visas that are signed here and read
 * back. It needs no data.
 */
export const suite: Suite = {
  about: 'demands on a passport clearinghouse, with real signed tokens',
  async run() {
    const issuers = await Issuers.make();
    const expectations = await Promise.all(
      PASSPORT_CASES.map(async ({ kind, id, visas, passport, expected }) => {
        const signed = await Promise.all(visas.map((visa) => issuers.visa(visa)));
        return { kind, id, expected, got: inWords(await issuers.clear(signed, passport)) };
      }),
    );
    return packResult(expectations, [
      {
        id: 'Fetching keys from jku and polling an access token',
        reason: 'Keys come from the configuration of the gateway, and an access token counts for an hour without being asked after.',
      },
      { id: 'Custom visa types', reason: 'None is supported, so all of them are ignored, as the standard demands.' },
    ]);
  },
};
