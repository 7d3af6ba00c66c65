import { column, entity } from './declare.js';

/**
 * The one entity that all products share: the key, and nothing else. The patients product adds its own fields; the other products
 * add theirs. The row rules hold for the key alone too, so a subgraph without the owner gives null for a person whom the caller may not know.
 */
@entity('Patient', {
  description: 'A person whose data the mesh holds.',
  table: 'patient',
  key: ['patient_id'],
  tags: ['pseudonym'],
  modality: 'CLINICAL',
  patient: 'patient_id',
  fhir: 'Patient',
})
export class Patient {
  @column({
    column: 'patient_id',
    type: 'uuid',
    required: true,
    tags: ['pseudonym'],
    safeHarbor: 'R',
    description: 'Opaque identifier, made at registration; it says nothing about the person.',
  })
  id!: string;
}
