import { column, entity } from './declare.js';

/**
 * The one entity that all products share: the key, and nothing else. The patients product adds its own fields; the other products
 * add theirs. In a subgraph without the owner the key is all there is, and existence is the owner's answer.
 */
@entity('Patient', {
  description: 'A person whose data the mesh holds.',
  table: 'patient',
  key: ['patient_id'],
  tags: ['pseudonym'],
  modality: 'CLINICAL',
  patient: 'patient_id',
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
