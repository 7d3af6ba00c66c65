import path from 'node:path';
import { Json } from '../../../src/governance/interchange/ranger/json.js';
import { readRanger } from '../../../src/governance/interchange/ranger/read.js';
import { anyInForce, scheduleOf } from '../../../src/governance/interchange/ranger/schedule.js';
import { isCoded } from '../../../src/kernel/index.js';
import { filesBelow, type Suite } from '../suite.js';
import { packResult } from './conformance-cases.js';
import { CLOCK, questionsOf, read, testFile, timeOf, type Found, type TestFile } from './ranger-cases.js';
import { askEngine, type EngineFigures } from './ranger-engine.js';
import { sharingTests } from './ranger-sharing.js';

interface FoundHere extends Found {
  readonly engine: EngineFigures;
  /** How many tests state the policy that decides, and where it is the same. */
  readonly policies: { stated: number; same: number };
}

/** Asks every question of a file. A question that hangs on something outside the closed language is not applicable. */
function askAll(file: TestFile, { expectations, skipped, engine, policies }: FoundHere): void {
  askEngine(file, engine);
  const model = readRanger(file.document, file.tags);
  for (const [index, test] of file.tests.entries()) {
    const id = `${file.id}[${index}] ${test.text('name') ?? ''}`;
    const questions = questionsOf(file, test);
    if (questions.length === 0) skipped.push({ id, reason: 'asks for lists of people, not for a verdict' });
    for (const question of questions) {
      try {
        const { text, policyId } = question.ask(model);
        expectations.push({ kind: question.kind, id, expected: question.expected, got: text });
        if (question.policyId === null) continue;
        policies.stated += 1;
        if (question.policyId === policyId) policies.same += 1;
      } catch (error) {
        if (!isCoded(error)) throw error;
        skipped.push({ id, reason: error.message });
      }
    }
  }
}

export const suite: Suite = {
  about: 'tests of the policy engine of Apache Ranger',
  run(folder) {
    const found: FoundHere = {
      expectations: [],
      skipped: [],
      engine: { asked: 0, agreed: 0, narrower: 0, wider: 0 },
      policies: { stated: 0, same: 0 },
    };
    for (const id of filesBelow(folder, /^test[-_].*\.json$/)) {
      const content = read(path.join(folder, id));
      if (Array.isArray(content)) schedules(id, content, found);
      else runFile(folder, id, Json.of(content, id), found);
    }
    const { cases, figures } = packResult(found.expectations, found.skipped);
    return Promise.resolve({ cases, figures: { ...figures, deciding_policy: found.policies, by_policy_class: found.engine } });
  },
};

function schedules(id: string, rows: readonly unknown[], { expectations }: Found): void {
  for (const row of rows) {
    const test = Json.of(row, id);
    const result = test.object('result');
    const at = timeOf(test.text('accessTime'));
    let got: string;
    try {
      const read = test.objects('validitySchedules').map((each) => scheduleOf(Object.fromEntries(each.entries())));
      got = anyInForce(read, at, CLOCK.timeZone) ? 'in force' : 'not in force';
    } catch (error) {
      if (!isCoded(error)) throw error;
      got = 'refused';
    }
    const expected = !result.flag('isValid', false) ? 'refused' : result.flag('isApplicable', false) ? 'in force' : 'not in force';
    expectations.push({ kind: 'schedule', id: `${id} ${test.text('name') ?? ''}`, expected, got });
  }
}

/** Files of other forms than requests with verdicts, and what they are about. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/aclprovider|resource_acls/, 'asks for a table of the rights of all people, not for a verdict'],
  [/plugin_capability/, 'is about what versions of a plug-in can do'],
  [/compare_policyengines/, 'compares two engines in memory'],
  [/auth_context|base_plugin/, 'is about the plug-in that hosts the engine'],
];

function runFile(folder: string, id: string, json: Json, found: FoundHere): void {
  const other = OTHERS.find(([pattern]) => pattern.test(id))?.[1];
  const rows =
    json.objects('tests').length +
    json
      .objects('testCases')
      .reduce((sum, each) => sum + Math.max(1, Array.isArray(each.raw('tests')) ? each.objects('tests').length : 1), 0);
  if (other !== undefined || (!json.has('serviceDef') && !json.has('gdsInfoFilename'))) {
    for (let index = 0; index < Math.max(1, rows); index += 1)
      found.skipped.push({ id: `${id}[${index}]`, reason: other ?? 'has no policies of a service' });
    return;
  }
  if (json.has('gdsInfoFilename')) {
    sharingTests(folder, id, json, found);
    return;
  }
  askAll(testFile(folder, id, json), found);
  const late = json.has('updatedTests')
    ? json.objects('updatedTests')
    : json.object('testsInfo').object('updatedTestsInfo').objects('tests');
  for (const test of late)
    found.skipped.push({
      id: `${id} ${test.text('name') ?? ''}`,
      reason: 'comes after an incremental change of policies; ours are replaced as a whole',
    });
}
