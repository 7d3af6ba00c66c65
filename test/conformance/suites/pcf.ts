import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CATEGORY_BIT } from '../../../src/domains/patients/formats/consent-codes.js';
import { compileConsent, type ConsentEffect, type Sensitivity } from '../../../src/domains/patients/formats/consent-effect.js';
import { permits, type ConsentRequest } from '../../../src/domains/patients/formats/consent-permits.js';
import { fhir } from '../../../src/domains/patients/formats/fhir.js';
import { labelBits } from '../../../src/kernel/index.js';
import { instancesOf, type FshInstance } from '../fsh.js';
import { filesBelow, type Suite } from '../suite.js';
import { packResult, type Expectation, type NotApplicable } from './conformance-cases.js';
import { EXPECTED, requestsAfter, type PcfRequest } from './pcf-expected.js';

/** What the importer and the compiler make of one consent. */
async function effectsOf(instance: FshInstance): Promise<ConsentEffect[]> {
  const consents = [];
  for await (const parsed of fhir.parse(chunk(Buffer.from(JSON.stringify(instance.json))), { name: 'consent.json', now: 0 })) {
    if (parsed.ok && parsed.value.kind === 'consent') consents.push(parsed.value.consent);
  }
  if (consents.length !== 1) throw new Error(`${instance.id} is not read as one consent.`);
  return compileConsent(consents);
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function requestOf(asked: PcfRequest): ConsentRequest {
  const [level = 'R', ...sensitivities] = asked.label.split(' ');
  const { author, encounter, object, actor, date } = asked;
  return {
    purpose: asked.purpose,
    category: CATEGORY_BIT.CLINICAL,
    sensitivity: level as Sensitivity,
    labels: labelBits(sensitivities),
    occurred: date === null ? null : Date.parse(date),
    refs: [`self=${object}`, ...(author === null ? [] : [`author=${author}`]), ...(encounter === null ? [] : [`encounter=${encounter}`])],
    identities: ['somebody', ...(actor === null ? [] : [actor])],
    at: Date.parse(asked.at),
  };
}

const word = (permitted: boolean): string => (permitted ? 'permit' : 'deny');
const kindOf = (id: string): string => /basic|intermediate|advanced/.exec(id)?.[0] ?? 'basic';

function idOf(id: string, asked: PcfRequest): string {
  const { purpose, label, actor, author, encounter, object, date, at } = asked;
  const row = `${object} of ${author ?? 'nobody'} in ${encounter ?? 'no encounter'} on ${date?.slice(0, 10) ?? 'no day'}`;
  return `${id}: ${purpose} ${label} by ${actor ?? 'anybody'} for ${row}, asked ${at.slice(0, 10)}`;
}

/**
 * Example consents of IHE Privacy Consent on FHIR as they stand in the guide: each is read by the importer and compiled, and asked for
 * purposes, labels, actors, authors, objects and dates against verdicts that were written by hand.
 */
export const suite: Suite = {
  about: 'example consents of IHE PCF against verdicts written by hand',
  async run(folder) {
    const expectations: Expectation[] = [];
    const skipped: NotApplicable[] = [];
    for (const file of filesBelow(folder, /\.fsh$/)) {
      for (const instance of instancesOf(readFileSync(path.join(folder, file), 'utf8'), 'Consent')) {
        const expected = Object.hasOwn(EXPECTED, instance.id) ? EXPECTED[instance.id] : undefined;
        if (expected === undefined) {
          skipped.push({ id: instance.id, reason: 'no verdicts are written for this consent' });
          continue;
        }
        const effects = await effectsOf(instance);
        for (const asked of requestsAfter(String(instance.json['dateTime'])))
          expectations.push({
            kind: kindOf(instance.id),
            id: idOf(instance.id, asked),
            expected: word(expected(asked)),
            got: word(permits(effects, requestOf(asked))),
          });
      }
    }
    return packResult(expectations, skipped);
  },
};
