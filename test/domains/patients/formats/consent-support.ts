import { readConsent } from '../../../../src/domains/patients/formats/fhir-consent.js';
import type { ConsentRecord } from '../../../../src/domains/patients/formats/fhir-consent.js';

export const reasons = (...codes: string[]): object[] =>
  codes.map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }));
export const levels = (...codes: string[]): object[] =>
  codes.map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }));
export const category = (...codes: string[]): object[] => codes.map((code) => ({ system: 'urn:thalamus:category', code }));
export const actor = [{ role: { text: 'recipient' }, reference: { reference: 'Practitioner/x' } }];
export const data = (meaning: string, ...references: string[]): object[] =>
  references.map((reference) => ({ meaning, reference: { reference } }));
export const TPO = reasons('TREAT', 'HPAYMT', 'HOPERAT');

export function consent(provision: object, more: object = {}): ConsentRecord {
  return readConsent(
    {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      dateTime: '2022-06-13',
      provision: provision,
      ...more,
    },
    'c',
  );
}
