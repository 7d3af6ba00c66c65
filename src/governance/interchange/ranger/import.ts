import { GraphQLSchema } from 'graphql';
import {
  maskRank,
  canonical,
  type Action,
  type Forbid,
  type Grant,
  type Mask,
  type Predicate,
  type Purpose,
  type Tag,
} from '../../../kernel/index.js';
import { Classification, type TagAssignments } from '../../classification.js';
import { composePolicy, type PolicyDocument } from '../../compose-policy.js';
import { PolicyClass, type Decision } from '../../decide.js';
import { readRanger } from './read.js';
import { ACTIONS_ASKED, EVERYONE, type Answer, type Principal } from './standpoints.js';
import { keyOf, surveyOf, type Interval, type Refused, type Survey, type Surveyed } from './survey.js';

/** A column of the installation, `product.dataset.column`, with the tags that it and its dataset carry. */
export interface CatalogueColumn {
  readonly name: string;
  readonly tags: readonly Tag[];
}

export interface ImportOptions {
  /** Ranger knows no purpose of use: what it allows is allowed for these. */
  readonly purposes: readonly [Purpose, ...Purpose[]];
  /** The role that stands for Ranger's group `public`; everybody must hold it. */
  readonly everyone: string;
  /** The tags of the resources (ServiceTags), for policies on tags. */
  readonly tags?: unknown;
}

export interface RangerImport {
  readonly document: PolicyDocument;
  readonly assets: TagAssignments;
  /** What has no counterpart, and the columns to which nothing is given therefore. */
  readonly refused: readonly Refused[];
  /** Columns of which somebody gets less than Ranger would give. Nobody gets more. */
  readonly narrower: readonly string[];
}

/**
 * Compiles service policies of Apache Ranger to tags, grants and forbids. Columns about which Ranger says the same carry one governed tag;
 * who may do what follows from asking Ranger's policies on behalf of everybody whom they name. The result is then decided by the policy
 * class itself and compared: a column of which anybody would get more than Ranger gives, in rows or in clearness, is given to nobody.
 * `catalogue` must hold every column of the installation; the imported policies then decide about all of them, and nothing else does.
 */
export function importRanger(document: unknown, catalogue: readonly CatalogueColumn[], options: ImportOptions): RangerImport {
  const model = readRanger(document, options.tags);
  const survey = surveyOf(
    model,
    catalogue.map((each) => each.name),
  );
  const first = compile(survey, catalogue, options);
  const wider = [
    ...new Set(
      compare(survey, first, options)
        .filter((each) => each.difference === 'wider')
        .map((each) => each.column),
    ),
  ];
  const left = { ...survey, columns: survey.columns.filter(({ column }) => !wider.includes(column)) };
  const compiled = wider.length === 0 ? first : compile(left, catalogue, options);
  const less = [...compare(left, compiled, options).map((each) => each.column), ...exceptionsLost(left, compiled)];
  const narrower = survey.columns.map((each) => each.column).filter((column) => less.includes(column));
  const more: Refused[] =
    wider.length === 0
      ? []
      : [{ policyId: null, reason: 'grants and forbids would give somebody more than the order of its policies does', columns: wider }];
  return { document: compiled.document, assets: compiled.document.assets ?? {}, refused: [...survey.refused, ...more], narrower };
}

interface Compiled {
  readonly document: PolicyDocument;
  readonly tagsOf: (column: Surveyed) => readonly Tag[];
  readonly classOf: (column: Surveyed) => Tag;
}

/** The tag of columns that no imported grant covers. */
const NOBODY: Tag = 'gov.ranger.none';

function compile(survey: Survey, catalogue: readonly CatalogueColumn[], options: ImportOptions): Compiled {
  const signatures = [...new Set(survey.columns.map((each) => each.signature))];
  const tables = [...new Set(catalogue.map(({ name }) => tableOf(name)))];
  const declared = new Map(catalogue.map((each) => [each.name, each.tags]));
  const classOf = ({ signature }: Surveyed): Tag => `gov.ranger.c${signatures.indexOf(signature) + 1}`;
  const tableTag = (name: string): Tag => `gov.ranger.t${tables.indexOf(tableOf(name)) + 1}`;
  const tagsOf = (each: Surveyed): readonly Tag[] => [
    ...new Set([...(declared.get(each.column) ?? []), tableTag(each.column), classOf(each)]),
  ];
  const tags = Object.fromEntries([
    [NOBODY, 'Columns to which the imported policies give nothing'],
    ...signatures.map((_, index) => [`gov.ranger.c${index + 1}`, 'Columns about which the imported policies say the same']),
    ...tables.map((_, index) => [`gov.ranger.t${index + 1}`, 'A dataset that the imported policies are about']),
  ]) as Record<string, string>;
  // Every column carries a tag, so that a grant reaches none by what its product declared alone.
  const assets: Record<string, Tag[]> = Object.fromEntries([
    ...catalogue.map(({ name }): [string, Tag[]] => [name, [NOBODY]]),
    ...catalogue.map(({ name }): [string, Tag[]] => [tableOf(name), [tableTag(name)]]),
    ...survey.columns.map((each): [string, Tag[]] => [each.column, [classOf(each)]]),
  ]);
  const turns = survey.intervals.flatMap((interval) =>
    ACTIONS_ASKED.flatMap((action) => survey.people.map((who) => ({ interval, action, who }))),
  );
  const context = { survey, options, tagsOf, classOf };
  const grants = turns.flatMap((turn, index) => grantOf(`ranger.grant.${index + 1}`, turn, context));
  const forbids = turns.flatMap((turn, index) => forbidOf(`ranger.forbid.${index + 1}`, turn, context));
  const groups = survey.people
    .filter(({ kind, name }) => kind === 'group' && /^[a-z][a-z0-9_]*$/.test(name))
    .map((each): [string, string[]] => [each.name, [roleOf(each, options)]]);
  return { document: { tags, assets, grants, forbids, groups: Object.fromEntries(groups) }, tagsOf, classOf };
}

const tableOf = (column: string): string => column.slice(0, column.lastIndexOf('.'));

interface Turn {
  readonly interval: Interval;
  readonly action: Action;
  readonly who: Principal;
}

interface Context extends Pick<Compiled, 'tagsOf' | 'classOf'> {
  readonly survey: Survey;
  readonly options: ImportOptions;
}

const roleOf = ({ kind, name }: Principal, { everyone }: ImportOptions): string =>
  kind === 'everyone' ? everyone : kind === 'role' ? name : `${kind}:${name}`;

const heard = (
  { answers }: Surveyed,
  { interval, action }: Pick<Turn, 'interval' | 'action'>,
  people: readonly Principal[],
): Answer | undefined => answers.get(keyOf(interval, action, people));

const during = ({ from, to }: Interval): Pick<Grant, 'validFrom' | 'validTo'> => ({
  ...(from === null ? {} : { validFrom: new Date(from).toISOString() }),
  ...(to === null ? {} : { validTo: new Date(to).toISOString() }),
});

/** What somebody gets who is named so, beyond what everyone gets. */
function grantOf(id: string, turn: Turn, { survey, options, tagsOf, classOf }: Context): Grant[] {
  const given = survey.columns.flatMap((column) => {
    const own = heard(column, turn, [turn.who]);
    const common = turn.who === EVERYONE ? undefined : heard(column, turn, [EVERYONE]);
    return own?.allowed !== true || canonical(own) === canonical(common ?? null) ? [] : [{ column, own }];
  });
  if (given.length === 0) return [];
  const masks: Partial<Record<Tag, Mask>> = {};
  const datasets: Record<string, Predicate> = {};
  for (const { column, own } of given) {
    if (own.mask !== null) masks[classOf(column)] = own.mask;
    if (own.rows !== null) datasets[column.table] = own.rows;
  }
  const tags = [...new Set(given.flatMap(({ column }) => tagsOf(column)))].filter((tag) => masks[tag] === undefined);
  const reason = 'Imported from service policies of Apache Ranger';
  const said = { id, reason, role: roleOf(turn.who, options), purposes: options.purposes, actions: [turn.action] };
  return [{ ...said, tags, ...(Object.keys(masks).length > 0 ? { masks } : {}), rows: { op: 'true' }, datasets, ...during(turn.interval) }];
}

/** Somebody who takes from another what that one has alone: named in a deny, or in an exception from an allow. */
function forbidOf(id: string, turn: Turn, { survey, options, classOf }: Context): Forbid[] {
  const taken = survey.columns.filter((column) => {
    if (turn.who === EVERYONE || heard(column, turn, [turn.who])?.allowed !== false) return false;
    return survey.sets.some((set) => {
      const other = set.length === 2 && set.includes(turn.who) ? set.find((each) => each !== turn.who) : EVERYONE;
      const both = set.length === 2 ? heard(column, turn, set) : heard(column, turn, [turn.who]);
      return (
        other !== undefined &&
        (set.length === 1 || set.includes(turn.who)) &&
        heard(column, turn, [other])?.allowed === true &&
        both?.allowed === false
      );
    });
  });
  if (taken.length === 0) return [];
  const tags = [...new Set(taken.map(classOf))];
  const reason = 'Imported from service policies of Apache Ranger';
  return [
    { id, reason, role: roleOf(turn.who, options), purposes: options.purposes, actions: [turn.action], tags, ...during(turn.interval) },
  ];
}

/** Columns with a deny that a second name lifts: a forbid has no exceptions, so a third name that would have the right gets nothing. */
function exceptionsLost({ columns, sets, intervals }: Survey, { document, classOf }: Compiled): string[] {
  const forbidden = new Set((document.forbids ?? []).flatMap((each) => each.tags));
  const lost = (column: Surveyed, turn: Pick<Turn, 'interval' | 'action'>): boolean =>
    sets.some(
      (set) =>
        set.length === 2 && heard(column, turn, set)?.denied === false && set.some((who) => heard(column, turn, [who])?.denied === true),
    );
  return columns
    .filter((column) => forbidden.has(classOf(column)))
    .filter((column) => intervals.some((interval) => ACTIONS_ASKED.some((action) => lost(column, { interval, action }))))
    .map(({ column }) => column);
}

interface Difference {
  readonly column: string;
  readonly difference: 'wider' | 'narrower';
}

/** Decides the compiled policy by the policy class, for everybody alone and every two, and compares with what Ranger says. */
function compare(survey: Survey, { document, tagsOf }: Compiled, options: ImportOptions): Difference[] {
  const policy = composePolicy([], document);
  const nothing = new Classification(new GraphQLSchema({}), []);
  const found: Difference[] = [];
  for (const interval of survey.intervals) {
    for (const set of survey.sets) {
      const roles = [...new Set([options.everyone, ...set.map((who) => roleOf(who, options))])];
      const ours = new PolicyClass(policy, nothing, { roles, purpose: options.purposes[0], allSites: true }, interval.at);
      for (const action of ACTIONS_ASKED)
        for (const column of survey.columns) {
          const theirs = column.answers.get(keyOf(interval, action, set));
          const difference = theirs && differenceOf(ours.decide(tagsOf(column), action), theirs, column.table);
          if (difference) found.push({ column: column.column, difference });
        }
    }
  }
  return found;
}

/** Two masks that leave a part of a value leave different parts: neither stands for the other. */
const clearer = (ours: Mask | null, theirs: Mask | null): boolean => ours !== theirs && maskRank(ours) >= maskRank(theirs);

function differenceOf({ alternatives }: Decision, theirs: Answer, table: string): Difference['difference'] | null {
  if (!theirs.allowed) return alternatives.length > 0 ? 'wider' : null;
  const rowsOf = (each: Decision['alternatives'][number]): string => canonical(each.datasets[table] ?? null);
  const wanted = canonical(theirs.rows);
  const wider = alternatives.some((each) => clearer(each.mask, theirs.mask) || (theirs.rows !== null && rowsOf(each) !== wanted));
  if (wider) return 'wider';
  return alternatives.some((each) => each.mask === theirs.mask && rowsOf(each) === wanted) ? null : 'narrower';
}
