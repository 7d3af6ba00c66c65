import type { Shape } from './fsh.js';

const LISTS = new Set(
  'meta.security subtype purposeOfEvent agent agent.role agent.policy agent.purposeOfUse agent.extension source.type entity entity.securityLabel entity.detail'.split(
    ' ',
  ),
);
const CONCEPTS = new Set(
  'purposeOfEvent agent.type agent.role agent.purposeOfUse agent.who.identifier.type agent.extension.valueCodeableConcept agent.extension.valueIdentifier.type'.split(
    ' ',
  ),
);
const CODINGS = new Set(
  'meta.security type subtype agent.media source.type entity.type entity.role entity.lifecycle entity.securityLabel'.split(' '),
);

/** Elements of FHIR R4 AuditEvent. */
export const AUDIT_EVENT: Shape = {
  isList: (stem) => LISTS.has(stem) || stem.endsWith('.coding'),
  typeOf: (stem) => (CONCEPTS.has(stem) ? 'CodeableConcept' : CODINGS.has(stem) || stem.endsWith('.coding') ? 'Coding' : 'other'),
};

/** What FHIR R4 (4.0.1) requires of an AuditEvent, in the words of FSH: cardinalities, required bindings and the constraint sev-1. */
export const AUDIT_EVENT_BASE = `
Profile: AuditEvent
* type 1..1
* subtype 0..*
* action 0..1
* action from AuditEventAction (required)
* period 0..1
* recorded 1..1
* outcome 0..1
* outcome from AuditEventOutcome (required)
* outcomeDesc 0..1
* purposeOfEvent 0..*
* agent 1..*
* agent.type 0..1
* agent.role 0..*
* agent.who 0..1
* agent.altId 0..1
* agent.name 0..1
* agent.requestor 1..1
* agent.location 0..1
* agent.policy 0..*
* agent.media 0..1
* agent.network 0..1
* agent.network.address 0..1
* agent.network.type 0..1
* agent.network.type from AuditEventAgentNetworkType (required)
* agent.purposeOfUse 0..*
* source 1..1
* source.site 0..1
* source.observer 1..1
* source.type 0..*
* entity 0..*
* entity obeys sev-1
* entity.what 0..1
* entity.type 0..1
* entity.role 0..1
* entity.lifecycle 0..1
* entity.securityLabel 0..*
* entity.name 0..1
* entity.description 0..1
* entity.query 0..1
* entity.detail 0..*
* entity.detail.type 1..1
* entity.detail.value[x] 1..1

Invariant: sev-1
Expression: "name.empty() or query.empty()"

ValueSet: AuditEventAction
* http://hl7.org/fhir/audit-event-action#C
* http://hl7.org/fhir/audit-event-action#R
* http://hl7.org/fhir/audit-event-action#U
* http://hl7.org/fhir/audit-event-action#D
* http://hl7.org/fhir/audit-event-action#E

ValueSet: AuditEventOutcome
* http://terminology.hl7.org/CodeSystem/audit-event-outcome#0
* http://terminology.hl7.org/CodeSystem/audit-event-outcome#4
* http://terminology.hl7.org/CodeSystem/audit-event-outcome#8
* http://terminology.hl7.org/CodeSystem/audit-event-outcome#12

ValueSet: AuditEventAgentNetworkType
* http://hl7.org/fhir/network-type#1
* http://hl7.org/fhir/network-type#2
* http://hl7.org/fhir/network-type#3
* http://hl7.org/fhir/network-type#4
* http://hl7.org/fhir/network-type#5
`;
