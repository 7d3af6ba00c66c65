/** Coding of FHIR R4. */
export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

export interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

/** Address of the guide IHE Basic Audit Log Patterns. */
const BALP = 'https://profiles.ihe.net/ITI/BALP';

/** The profiles of IHE Basic Audit Log Patterns that are written here, by the last part of their address. */
export const PROFILE_IDS = {
  Create: 'IHE.BasicAudit.Create',
  Read: 'IHE.BasicAudit.Read',
  Update: 'IHE.BasicAudit.Update',
  Delete: 'IHE.BasicAudit.Delete',
  Query: 'IHE.BasicAudit.Query',
  PatientCreate: 'IHE.BasicAudit.PatientCreate',
  PatientRead: 'IHE.BasicAudit.PatientRead',
  PatientUpdate: 'IHE.BasicAudit.PatientUpdate',
  PatientDelete: 'IHE.BasicAudit.PatientDelete',
  PatientQuery: 'IHE.BasicAudit.PatientQuery',
  DisclosureSource: 'IHE.BasicAudit.PrivacyDisclosure.Source',
  DisclosureRecipient: 'IHE.BasicAudit.PrivacyDisclosure.Recipient',
  AuthZconsent: 'IHE.BasicAudit.AuthZconsent',
  GetAccessToken: 'IHE.IUA.71',
  TokenOpaque: 'IHE.BasicAudit.OAUTHaccessTokenUse.Opaque',
  TokenMinimal: 'IHE.BasicAudit.OAUTHaccessTokenUse.Minimal',
  TokenComprehensive: 'IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive',
} as const;

export type ProfileName = keyof typeof PROFILE_IDS;

export const profileUrl = (name: ProfileName): string => `${BALP}/StructureDefinition/${PROFILE_IDS[name]}`;

const of =
  (system: string) =>
  (code: string, display?: string): Coding => ({ system, code, ...(display === undefined ? {} : { display }) });

/** DICOM PS3.16: context groups 400 (events), 401 (kinds of event), 402 (roles) and 403. */
export const dcm = of('http://dicom.nema.org/resources/ontology/DCM');
export const rest = of('http://hl7.org/fhir/restful-interaction');
export const actReason = of('http://terminology.hl7.org/CodeSystem/v3-ActReason');
export const eventType = of('http://terminology.hl7.org/CodeSystem/audit-event-type');
export const entityType = of('http://terminology.hl7.org/CodeSystem/audit-entity-type');
export const objectRole = of('http://terminology.hl7.org/CodeSystem/object-role');
export const resourceType = of('http://hl7.org/fhir/resource-types');
export const sourceType = of('http://terminology.hl7.org/CodeSystem/security-source-type');
export const participation = of('http://terminology.hl7.org/CodeSystem/v3-ParticipationType');
export const snomed = of('http://snomed.info/sct');

export const CODES = {
  rest: eventType('rest', 'RESTful Operation'),
  disclose: of('http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle')('disclose', 'Disclose Record Lifecycle Event'),
  getAccessToken: of('urn:ihe:event-type-code')('ITI-71', 'Get Access Token'),
  authorisedByConsent: of(`${BALP}/CodeSystem/AuthZsubType`)('AuthZ-Consent', 'Authorization Decision using Roles and Consent'),
  authorisedByRole: of(`${BALP}/CodeSystem/AuthZsubType`)('AuthZ-Role', 'Authorization Decision using only Roles'),
  oauthUser: of(`${BALP}/CodeSystem/UserAgentTypes`)('UserOauthAgent', 'User OAuth Agent participant'),
  oauthService: of(`${BALP}/CodeSystem/UserAgentTypes`)('AuthzOauthService', 'OAuth Authorization Server'),
  authorisationServer: of('http://terminology.hl7.org/CodeSystem/extra-security-role-type')('authserver', 'authorization server'),
  custodian: of('http://terminology.hl7.org/CodeSystem/provenance-participant-type')('custodian', 'Custodian'),
  provider: of('http://terminology.hl7.org/CodeSystem/v3-RoleClass')('PROV', 'healthcare provider'),
  requestId: of(`${BALP}/CodeSystem/BasicAuditEntityType`)(
    'XrequestId',
    'transport specific unique identifier where http X-Request-Id is used',
  ),
  application: dcm('110150', 'Application'),
  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
  recipient: participation('IRCP', 'information recipient'),
  author: participation('AUT', 'author (originator)'),
  recordKeeper: snomed('159541003', 'Record keeping/library clerk'),
  person: entityType('1', 'Person'),
  systemObject: entityType('2', 'System Object'),
  other: entityType('4', 'Other'),
  patient: objectRole('1', 'Patient'),
  domainResource: objectRole('4', 'Domain Resource'),
  job: objectRole('20', 'Job'),
  query: objectRole('24', 'Query'),
  securityResource: objectRole('13', 'Security Resource'),
} as const;

const DATA_ABSENT = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/** In the place of a required element whose value is not known, or is not for the reader (FHIR R4, extension data-absent-reason). */
export const absent = (reason: 'unknown' | 'masked'): { readonly extension: readonly { url: string; valueCode: string }[] } => ({
  extension: [{ url: DATA_ABSENT, valueCode: reason }],
});
