/**
 * A document of service policies of Apache Ranger, read and checked: names as in Ranger's own JSON (RangerServiceDef, RangerPolicy,
 * ServicePolicies), without what has no bearing on a verdict (audit, labels, versions).
 */
export type PolicyKind = 'access' | 'mask' | 'row filter';

/** One level of a service's resources, for example `table` below `database`. */
export interface ResourceLevel {
  readonly name: string;
  readonly parent: string | null;
  readonly depth: number;
  /** Paths may be matched with everything below them. */
  readonly path: boolean;
  readonly separator: string;
  readonly wildcards: boolean;
  readonly ignoreCase: boolean;
  /** Whether `{USER}`, `{OWNER}` and `${{USER.attribute}}` are put in. */
  readonly tokens: boolean;
  readonly expressions: boolean;
}

/** Levels from the root to a leaf. */
export type Hierarchy = readonly ResourceLevel[];

export interface ConditionType {
  readonly evaluator: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface Service {
  readonly name: string;
  readonly hierarchies: Readonly<Record<PolicyKind, readonly Hierarchy[]>>;
  readonly accessTypes: readonly string[];
  /** Access types that an access type gives in addition. */
  readonly implied: ReadonlyMap<string, readonly string[]>;
  readonly conditions: ReadonlyMap<string, ConditionType>;
  /** Without it only allow items count. */
  readonly denies: boolean;
}

export interface ResourcePattern {
  readonly values: readonly string[];
  readonly excludes: boolean;
  readonly recursive: boolean;
}
export type ResourcePatterns = Readonly<Record<string, ResourcePattern>>;

export interface Condition {
  readonly type: string;
  readonly values: readonly string[];
}

export interface MaskInfo {
  readonly type: string;
  readonly value: string | null;
  readonly condition: string | null;
}

export interface Item {
  /** Access types that are allowed, those that are implied included, in lower case. */
  readonly accesses: ReadonlySet<string>;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly delegateAdmin: boolean;
  readonly conditions: readonly Condition[];
  readonly mask: MaskInfo | null;
  readonly filter: string | null;
}

export interface RangerPolicy {
  readonly id: number;
  readonly name: string;
  readonly kind: PolicyKind;
  readonly zone: string;
  /** 0 = NORMAL, 1 = OVERRIDE. */
  readonly priority: number;
  /** The policy holds for every one of them. */
  readonly resources: readonly ResourcePatterns[];
  readonly allow: readonly Item[];
  readonly allowExceptions: readonly Item[];
  readonly deny: readonly Item[];
  readonly denyExceptions: readonly Item[];
  readonly denyAllElse: boolean;
  readonly masks: readonly Item[];
  readonly filters: readonly Item[];
  readonly conditions: readonly Condition[];
  readonly schedules: readonly Schedule[];
  readonly service: Service;
}

/** When a policy or tag is in force; times are wall clock times of `timeZone`. */
export interface Schedule {
  /** `YYYY/MM/DD HH:MM:SS`, or null where it is open. */
  readonly start: string | null;
  readonly end: string | null;
  readonly timeZone: string;
  readonly recurrences: readonly Recurrence[];
}

export interface Recurrence {
  readonly minute: FieldTest;
  readonly hour: FieldTest;
  /** Days match by month or by week; where both are left out no day matches. */
  readonly dayOfMonth: FieldTest | null;
  readonly dayOfWeek: FieldTest | null;
  readonly month: FieldTest;
  readonly year: FieldTest;
  readonly minutes: number;
}
export type FieldTest = (value: number) => boolean;

/** A tag on a resource: from a tag document, or stated with a request. */
export interface ResourceTag {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly schedules: readonly Schedule[];
}

export interface TaggedResource {
  readonly resources: ResourcePatterns;
  readonly tags: readonly ResourceTag[];
}

export interface Zone {
  readonly name: string;
  readonly resources: readonly ResourcePatterns[];
  readonly policies: readonly RangerPolicy[];
  readonly ownTags: boolean;
}

export interface RangerModel {
  readonly service: Service;
  readonly tagService: Service | null;
  readonly policies: readonly RangerPolicy[];
  readonly tagPolicies: readonly RangerPolicy[];
  readonly zones: readonly Zone[];
  readonly tagged: readonly TaggedResource[];
  readonly superUsers: ReadonlySet<string>;
  readonly superGroups: ReadonlySet<string>;
}

export type MatchType = 'self' | 'self-and-all-descendants' | 'descendant' | 'ancestor' | 'none';
export type ElementScope = 'SELF' | 'SELF_OR_PREFIX' | 'SELF_OR_CHILD';

export type ResourceValues = Readonly<Record<string, string | readonly string[]>>;

export interface RangerRequest {
  readonly resource: ResourceValues;
  readonly owner: string | null;
  /** `_any` asks for any access at all, `_admin` for the right to pass rights on. */
  readonly accessType: string;
  readonly user: string | null;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly descendants: boolean;
  readonly scopes: Readonly<Record<string, ElementScope>>;
  /** Tags that come with the request; null where they are looked up. */
  readonly tags: readonly (ResourceTag & { readonly match: MatchType })[] | null;
  readonly context: Readonly<Record<string, unknown>>;
  /** What is known of the caller, for `${{USER.attribute}}`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Several access types in one question: one of each group is needed; without groups, any one. */
  readonly accessTypes?: readonly string[];
  readonly accessTypeGroups?: readonly (readonly string[])[];
  /** Access types that count as given unless they are denied. */
  readonly unlessDenied?: readonly string[];
}

export const ANY = '_any';
export const ADMIN = '_admin';
export const SUPER_USER = '_super_user';

export const policiesOf = (model: RangerModel): readonly RangerPolicy[] => [
  ...model.policies,
  ...model.tagPolicies,
  ...model.zones.flatMap((zone) => zone.policies),
];

/** The model with no other policies than these. */
export function onlyPolicies(model: RangerModel, kept: ReadonlySet<RangerPolicy>): RangerModel {
  const left = (policies: readonly RangerPolicy[]): RangerPolicy[] => policies.filter((policy) => kept.has(policy));
  const zones = model.zones.map((zone) => ({ ...zone, policies: left(zone.policies) }));
  return { ...model, policies: left(model.policies), tagPolicies: left(model.tagPolicies), zones };
}
