import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { IngestFile, IngestResult, collection, ingestThrough, operation, queries, reference, type Scope } from '../../kernel/index.js';
import { Note, NoteConcept, noteFilters, noteOrders, requiredConceptFilters } from './model.js';

/** Entrances of the notes product. */
@queries()
export class NoteQueries {
  @reference({
    to: () => Note,
    on: [],
    filters: [{ argument: 'id', description: 'Identifier of the note.', type: 'ID', required: true, column: 'note_id', operator: 'eq' }],
    tags: ['note.structured'],
    safeHarbor: 'none',
    description: 'One note; unknown and hidden notes give the same answer.',
  })
  note!: unknown;
  @collection({
    of: () => Note,
    on: [],
    filters: noteFilters,
    orders: noteOrders,
    tags: ['note.structured'],
    safeHarbor: 'none',
    description: 'Notes of all persons that the caller may know of.',
  })
  notes!: unknown;
  @collection({
    of: () => NoteConcept,
    on: [],
    filters: requiredConceptFilters,
    tags: ['note.structured'],
    safeHarbor: 'none',
    description: 'Mentions of one concept; negated ones and those of relatives are among them unless the arguments leave them out.',
  })
  notesWithConcept!: unknown;
}

@Resolver()
export class NoteMutations {
  @Mutation(() => IngestResult, {
    description: 'Loads notes: a C-CDA document or fragment, HL7 v2 messages (ORU, MDM) or a plain-text note.',
  })
  @operation({ action: 'write', tags: ['note.structured', 'phi.note'] })
  async ingestNotes(@Arg('file', () => IngestFile) file: IngestFile, @Ctx() scope: Scope): Promise<IngestResult> {
    return ingestThrough(scope, 'notes', file);
  }
}
