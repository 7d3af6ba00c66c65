import { defineProduct, type Product } from '../../kernel/index.js';
import { features } from './features.js';
import { Note, NoteConcept, NoteSection, PatientNotes } from './model.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { NoteMutations, NoteQueries } from './resolvers.js';

export const product: Product = defineProduct({
  name: 'notes',
  description: 'Clinical notes with their sections and the concepts that they mention.',
  owner: 'Health information management',
  types: [Note, NoteSection, NoteConcept],
  extensions: [PatientNotes],
  resolvers: [NoteQueries, NoteMutations],
  policy,
  pipeline,
  features,
});
