export { generateCohort, type CohortOptions, type CohortSummary, type ModalityName } from './cohort.js';
export { DEMO_IDENTITIES, type DemoIdentity } from './identities.js';
