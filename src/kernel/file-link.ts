import { reader, value, valueType } from './declare.js';
import type { FileAsset, ReaderField } from './field.js';
import type { Action } from './policy.js';
import { SCALARS } from './scalar.js';
import type { Tag } from './classification.js';

/** Where the bytes of one file may be fetched, by the same caller under the same purpose, for some minutes. */
@valueType('FileLink', 'A short-lived address of one file, for the caller who asked for it and nobody else.')
export class FileLink {
  @value({
    type: () => SCALARS.String,
    required: true,
    tags: ['root'],
    safeHarbor: 'none',
    description: 'Path below the address of the gateway; GET and HEAD, with the same Authorization header. It says nothing of the file.',
  })
  url!: string;
  @value({ type: () => SCALARS.DateTime, required: true, tags: ['root'], safeHarbor: 'none', description: 'From when on it is unknown.' })
  expiresAt!: string;
  @value({ type: () => SCALARS.String, required: true, tags: ['root'], safeHarbor: 'none', description: 'Media type of the bytes.' })
  mediaType!: string;
  @value({ type: () => SCALARS.Float, required: true, tags: ['root'], safeHarbor: 'none', description: 'Size in bytes.' })
  bytes!: number;
}

/** Reading a file is a right of its own; to read the values that were taken from it does not imply it. */
export const readerAction = (field: Pick<ReaderField, 'file'>): Action => (field.file === undefined ? 'read' : 'file');

/**
 * A field that gives the address of the file behind its row. `tags` name everything that the file may hold: a raw file says all of it, and no
 * mask makes it safe. A file that holds records besides that of the row has no address, since they may be about others.
 */
export function fileLink(field: FileAsset & { readonly tags: readonly Tag[]; readonly description: string }): PropertyDecorator {
  const { asset, of, id, patient, digest, only = {}, tags, description } = field;
  return reader({
    returns: () => FileLink,
    list: false,
    parent: [patient, id],
    reads: [{ of, columns: [id, patient, digest, ...Object.keys(only)] }],
    arguments: [],
    tags,
    safeHarbor: 'R',
    description,
    file: { asset, of, id, patient, digest, only },
    async load(source, parents) {
      const texts = (column: string): string[] => [...new Set(parents.map((parent) => String(parent[column])))];
      const rows = await source.rows({
        of,
        columns: [id, patient, digest],
        where: { ...only, [patient]: texts(patient), [id]: texts(id) },
      });
      const links = await source.fileLinks?.(
        rows.map((row) => ({ asset, patient: String(row[patient]), key: String(row[id]), digest: String(row[digest]) })),
      );
      const found = new Map(rows.map((row, i) => [row[id], links?.[i]]));
      return parents.map((parent) => found.get(parent[id]) ?? null);
    },
  });
}
