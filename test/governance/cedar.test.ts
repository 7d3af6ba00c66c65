import { PolicyClass } from '../../src/governance/index.js';
import { compareWithCedar } from '../policy/cedar.js';

it('Cedar decides every request that it can be asked as the policy compiler does', () => {
  const report = compareWithCedar({ n: 3_000, seed: 3 });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ requests: 3_000, differences: 0 });
  expect(report.allowed).toBeGreaterThan(300);
  expect(report.policies).toBeGreaterThan(8);
}, 30_000);

it('the comparison sees forbids that are not looked at', () => {
  const { differences, findings } = compareWithCedar({
    n: 3_000,
    seed: 3,
    make: (policy, ...rest) => new PolicyClass({ ...policy, forbids: [] }, ...rest),
  });
  expect(differences).toBeGreaterThan(0);
  expect(findings[0]).toMatchObject({ cedar: 'deny', ours: true });
}, 30_000);
