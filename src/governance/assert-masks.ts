import { CodedError, DECLARATION, maskRank, type FieldDeclaration, type Grant, type Tag } from '../kernel/index.js';
import type { Classification } from './classification.js';
import type { Policy } from './compose-policy.js';
import { dataTypes, entityOfType } from './coordinates.js';

/**
 * Refuses a policy in which one grant gives one column two different masks of equal rank: neither is the stronger, so the outcome would
 * depend on the order of a list. Throws POLICY_INVALID with the grant and the coordinate.
 */
export function assertMasks(policy: Policy, classification: Classification): void {
  const faults: string[] = [];
  for (const type of dataTypes(classification.schema)) {
    const entity = entityOfType(type);
    if (!entity) continue;
    for (const field of Object.values(type.getFields())) {
      const declaration = field.extensions[DECLARATION] as FieldDeclaration | undefined;
      if (declaration?.kind !== 'column' && declaration?.kind !== 'computed') continue;
      const tags = classification.cellTags(entity, declaration);
      for (const grant of policy.grants)
        if (isAmbiguous(grant, tags)) faults.push(`${grant.id}: two masks of one rank on ${type.name}.${field.name}`);
    }
  }
  if (faults.length > 0) throw new CodedError('POLICY_INVALID', `The policy is refused. ${faults.join('; ')}.`);
}

function isAmbiguous(grant: Grant, tags: readonly Tag[]): boolean {
  const own = tags.filter((tag) => !tag.startsWith('safeharbor.'));
  if (!own.every((tag) => grant.tags.includes(tag) || grant.masks?.[tag] !== undefined)) return false;
  const masks = [...new Set(own.flatMap((tag) => (grant.tags.includes(tag) ? [] : (grant.masks?.[tag] ?? []))))];
  const strongest = Math.min(...masks.map(maskRank));
  return masks.filter((mask) => maskRank(mask) === strongest).length > 1;
}
