import { LEVEL } from './consent-codes.js';
import type { ConsentEffect } from './consent-effect.js';

/** A request of a caller for one row. Instants are ms since 1970; `occurred` is null where the clinical time is not known. */
export interface ConsentRequest {
  readonly purpose: string;
  /** Bit of CATEGORY_BIT. */
  readonly category: number;
  readonly sensitivity: keyof typeof LEVEL;
  /** Bits of LABELS. */
  readonly labels: number;
  readonly occurred: number | null;
  readonly refs: readonly string[];
  readonly identities: readonly string[];
  readonly at: number;
  /** The row is that of the person: whoever may read some of the data may know whose they are. */
  readonly ofPerson?: boolean;
}

/** Whether the person permits the request: the same rule that the store compiles into SQL, row by row. Pure. */
export function permits(effects: readonly ConsentEffect[], request: ConsentRequest): boolean {
  return effects.some((effect) => covers(effect, request));
}

function covers(effect: ConsentEffect, request: ConsentRequest): boolean {
  const { sensitivity, labels, refs } = request;
  const carried = (one: string): boolean => refs.includes(one);
  return (
    effect.purpose === request.purpose &&
    (effect.categories & request.category) !== 0 &&
    LEVEL[effect.minSensitivity] <= LEVEL[sensitivity] &&
    LEVEL[effect.maxSensitivity] >= LEVEL[sensitivity] &&
    (labels & ~effect.labels) === 0 &&
    (effect.labelsAny === 0 || (labels & effect.labelsAny) !== 0) &&
    within(request.at, effect.validFrom, effect.validTo) &&
    (effect.recipients === null || effect.recipients.some((one) => request.identities.includes(one))) &&
    !effect.refsNot?.some(carried) &&
    (request.ofPerson === true ||
      (within(request.occurred, effect.dataFrom, effect.dataTo) && (effect.refs === null || effect.refs.some(carried))))
  );
}

/** A time that is not known lies inside no bound. */
function within(time: number | null, from: string | null, to: string | null): boolean {
  if (time === null) return from === null && to === null;
  return (from === null || time >= Date.parse(from)) && (to === null || time < Date.parse(to));
}
