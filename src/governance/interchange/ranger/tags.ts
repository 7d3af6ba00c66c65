import type { MatchType, RangerModel, RangerRequest, ResourceTag } from './model.js';
import { matchOf } from './resource.js';
import { anyInForce } from './schedule.js';
import { ANY } from './model.js';

export interface MatchedTag extends ResourceTag {
  readonly match: MatchType;
}

/** The tags that hold for a resource now: those that came with the request, or those of the resources it is, or lies in. */
export function tagsOf(model: RangerModel, request: RangerRequest, timeZone: string): readonly MatchedTag[] {
  const inForce = (tag: ResourceTag): boolean => anyInForce(tag.schedules, request.at, timeZone);
  if (request.tags !== null) return request.tags.filter(inForce);
  const everything = Object.keys(request.resource).length === 0 && request.accessType === ANY;
  return model.tagged.flatMap(({ resources, tags }) => {
    const match: MatchType = everything ? 'descendant' : matchOf(model.service.hierarchies.access, resources, request);
    if (match === 'none' || (match === 'descendant' && request.accessType !== ANY && !request.descendants)) return [];
    return tags.filter(inForce).map((tag) => ({ ...tag, match }));
  });
}
