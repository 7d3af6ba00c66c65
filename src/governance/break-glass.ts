import { CodedError, LIMITS, isUuid, type Principal } from '../kernel/index.js';

/** What a review may come to. */
export const VERDICTS = ['JUSTIFIED', 'UNJUSTIFIED', 'REFERRED'] as const;

/** Controls, invisible formats, halves of surrogate pairs, and separators of lines: what a reviewer would not see as it is. */
const NOT_PLAIN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Emergencies are a person's own. Throws FORBIDDEN for a service, and for whoever acts on behalf of another. */
export function assertPerson({ kind, actors }: Principal): void {
  if (kind !== 'person' || (actors ?? []).length > 0)
    throw new CodedError('FORBIDDEN', 'Only a person breaks the glass, and nobody for another.');
}

/** Why, as it is kept for the review. Throws BAD_INPUT. */
export function reasonOf(text: string, place: string): string {
  const reason = text.trim().normalize('NFC');
  if (NOT_PLAIN.test(text)) throw new CodedError('BAD_INPUT', 'A reason is one line of plain text.', { place });
  const { break_glass_reason_chars_min: min, break_glass_reason_chars_max: max } = LIMITS;
  if (reason.length < min || reason.length > max)
    throw new CodedError('BAD_INPUT', `A reason has from ${min} to ${max} characters.`, { place });
  return reason;
}

/** Throws BAD_INPUT for a time that is none or too long. */
export function minutesOf(minutes: number): number {
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LIMITS.break_glass_minutes_max)
    throw new CodedError('BAD_INPUT', `The glass stays broken for 1 to ${LIMITS.break_glass_minutes_max} minutes.`, { place: 'minutes' });
  return minutes;
}

/** Throws BAD_INPUT for what is no identifier of ours, whether there is a person of that name or not. */
export function idOf(id: string, place: string): string {
  if (!isUuid(id)) throw new CodedError('BAD_INPUT', 'The identifier is not one of this mesh.', { place });
  return id.toLowerCase();
}

/** Throws BAD_INPUT. */
export function verdictOf(verdict: string): string {
  if (!VERDICTS.some((each) => each === verdict))
    throw new CodedError('BAD_INPUT', `A verdict is one of ${VERDICTS.join(', ')}.`, { place: 'verdict' });
  return verdict;
}
