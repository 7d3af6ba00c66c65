import { GraphQLSchema } from 'graphql';
import { Classification, PolicyClass, composePolicy, rolesOf } from '../../../src/governance/index.js';
import { importRanger } from '../../../src/governance/interchange/ranger/import.js';
import { actionOf } from '../../../src/governance/interchange/ranger/standpoints.js';
import { isCoded, type Tag } from '../../../src/kernel/index.js';
import { questionsOf, type Question, type TestFile } from './ranger-cases.js';

/** How many of the questions the policy class answers by itself, after the policies were imported as tags, grants and forbids. */
export interface EngineFigures {
  asked: number;
  agreed: number;
  /** Somebody gets less: the policies could not be said in full. */
  narrower: number;
  /** Somebody gets more: never. */
  wider: number;
}

const NAME = /^[a-z][a-z0-9_]*$/;
const EVERYONE = 'everyone';

/** Imports the policies of a file for the columns that its tests ask about, and asks the policy class for access to them. */
export function askEngine(file: TestFile, figures: EngineFigures): void {
  const questions = file.tests.flatMap((test) => questionsOf(file, test)).filter(isForColumn);
  const names = [...new Set(questions.map(columnOf))];
  if (names.length === 0) return;
  const catalogue = names.map((name): { name: string; tags: Tag[] } => ({ name, tags: ['clinical'] }));
  let imported: ReturnType<typeof importRanger>;
  try {
    imported = importRanger(file.document, catalogue, {
      purposes: ['HRESCH'],
      everyone: EVERYONE,
      ...(file.tags === undefined ? {} : { tags: file.tags }),
    });
  } catch (error) {
    if (!isCoded(error)) throw error;
    return;
  }
  const policy = composePolicy([], imported.document);
  const nothing = new Classification(new GraphQLSchema({}), []);
  for (const question of questions) {
    const { user, groups, roles, at, accessType } = question.request;
    const held = [EVERYONE, ...(user === null ? [] : [`user:${user}`]), ...groups.map((group) => `group:${group}`), ...roles];
    const ours = new PolicyClass(policy, nothing, { roles: rolesOf(policy, held, groups), purpose: 'HRESCH', allSites: true }, at);
    const column = columnOf(question);
    const tags = [
      ...(imported.assets[column] ?? []),
      ...(imported.assets[column.split('.').slice(0, 2).join('.')] ?? []),
      'clinical' as const,
    ];
    const allowed = ours.may(actionOf(accessType) ?? 'read', tags);
    figures.asked += 1;
    if (allowed === (question.expected === 'allow')) figures.agreed += 1;
    else if (allowed) figures.wider += 1;
    else figures.narrower += 1;
  }
}

const columnOf = ({ request }: Question): string => Object.values(request.resource).join('.');

function isForColumn({ kind, request }: Question): boolean {
  const values = Object.values(request.resource);
  const plain = values.length === 3 && values.every((value) => typeof value === 'string' && NAME.test(value));
  return (
    kind === 'access' && plain && actionOf(request.accessType) !== null && request.tags === null && Object.keys(request.scopes).length === 0
  );
}
