import { readFileSync } from 'node:fs';
import { CodedError } from '../kernel/index.js';

/** What an importer makes of a document of another system: a policy document to propose, and what could not be said in it. */
export interface Imported {
  readonly document: unknown;
  readonly refused: readonly { readonly policyId: number | null; readonly reason: string; readonly columns: readonly string[] }[];
  readonly narrower: readonly string[];
}

/**
 * Reads a policy file of another system and returns the document to propose, as JSON text. Where something could not be said in full it is
 * refused with its place (POLICY_INVALID), unless `partial` accepts an import that gives less; it never gives more.
 */
export function policyImport(
  file: string,
  compile: (document: unknown) => Imported,
  partial = false,
): { text: string; notes: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new CodedError('CONFIG_INVALID', 'The file of policies cannot be read as JSON.', { place: file });
  }
  const { document, refused, narrower } = compile(json);
  const notes = [...refused.map(noteOf), ...(narrower.length === 0 ? [] : [`Somebody gets less than before: ${narrower.join(', ')}.`])];
  if (notes.length > 0 && !partial) {
    const place = refused.map(({ policyId }) => policyId).find((id) => id !== null);
    throw new CodedError('POLICY_INVALID', `The policies cannot be imported in full. ${notes.join(' ')}`, {
      place: (place ?? null) === null ? file : `policy ${place}`,
    });
  }
  return { text: `${JSON.stringify(document, null, 2)}\n`, notes };
}

function noteOf({ policyId, reason, columns }: Imported['refused'][number]): string {
  const withheld = columns.length === 0 ? '' : ` Nothing is given on ${columns.join(', ')}.`;
  return `${policyId === null ? 'Not imported' : `Policy ${policyId}`}: ${reason.replace(/\.$/, '')}.${withheld}`;
}
