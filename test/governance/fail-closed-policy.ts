import { principalOf } from '../../src/cli/who.js';
import { PolicyClass, type Decision } from '../../src/governance/index.js';
import type { World } from '../gateway/support.js';
import { PAGE, parts, rejecting, replaced, throwing, type Fault } from './fail-closed-support.js';

const clinician = (world: World) => world.running.mesh.runtimeFor(principalOf('clinician'));
const prototype = (): PolicyClass => PolicyClass.prototype;

/** Verdicts as they are made, changed before anybody hears them. */
const decided =
  (change: (made: Decision, tags: readonly string[]) => unknown): Fault['inject'] =>
  () => {
    const { decide } = PolicyClass.prototype;
    const spy = jest.spyOn(PolicyClass.prototype, 'decide').mockImplementation(function (this: PolicyClass, ...args) {
      return change(decide.apply(this, args), args[0]) as Decision;
    });
    return () => {
      spy.mockRestore();
    };
  };
const ruled = (rule: unknown): Fault['inject'] => replaced(prototype, 'rowRule', () => rule);

/** Verdicts, rules and the guard. */
export const POLICY: readonly Fault[] = [
  {
    name: 'a verdict throws while the schema of a class is made',
    code: 'INTERNAL',
    again: true,
    roles: ['clinician', 'privacy_officer', 'steward'],
    inject: replaced(prototype, 'decide', throwing),
  },
  {
    name: 'the verdict over a cell throws while the schema of a class is made',
    code: 'INTERNAL',
    again: true,
    roles: ['clinician', 'steward'],
    inject: replaced(prototype, 'cell', throwing),
  },
  {
    name: 'the confidentiality that a class reaches throws',
    code: 'INTERNAL',
    inject: (world) => {
      const spy = jest.spyOn(classOfClinician(world), 'clearance', 'get').mockImplementation(throwing);
      return () => {
        spy.mockRestore();
      };
    },
  },
  {
    name: 'a rule of rows throws while the statement is planned',
    code: 'INTERNAL',
    inject: replaced(classOfClinician, 'rowRule', throwing),
  },
  {
    name: 'a rule of rows throws on the reference path',
    code: 'INTERNAL',
    door: 'reference',
    inject: replaced(classOfClinician, 'rowRule', throwing),
  },
  {
    name: 'a verdict is empty',
    code: 'INTERNAL',
    roles: ['analyst', 'clinician'],
    inject: decided((made) => ({ ...made, alternatives: [] })),
  },
  { name: 'a verdict is no verdict', code: 'INTERNAL', roles: ['clinician', 'ml_engineer'], inject: decided(() => undefined) },
  {
    name: 'a mask is unknown',
    code: 'INTERNAL',
    roles: ['clinician', 'privacy_officer'],
    inject: decided((made, tags) =>
      tags.includes('pii.direct') ? { ...made, alternatives: made.alternatives.map((each) => ({ ...each, mask: 'BLUR' })) } : made,
    ),
  },
  { name: 'a predicate has an unknown operator', code: 'UNAVAILABLE', inject: ruled({ op: 'not', of: [{ op: 'false' }] }) },
  {
    name: 'a predicate has an unknown operator inside an or',
    code: 'UNAVAILABLE',
    inject: ruled({ op: 'or', of: [{ op: 'true' }, { op: 'exists' }] }),
  },
  { name: 'a predicate is an or of nothing', code: 'UNAVAILABLE', inject: ruled({ op: 'or', of: [] }) },
  { name: 'a predicate is none', code: 'INTERNAL', inject: ruled(undefined) },
  { name: 'the rows of a class are none', code: 'FORBIDDEN', inject: ruled({ op: 'false' }) },
  {
    name: 'the key of a class throws in every rule of the guard',
    code: 'FORBIDDEN',
    door: 'reference',
    inject: (world) => {
      const { policyClass, guardedSchema } = clinician(world);
      const { key } = policyClass;
      expect(guardedSchema).toBeDefined();
      Object.defineProperty(policyClass, 'key', { get: throwing, configurable: true });
      return () => Object.defineProperty(policyClass, 'key', { value: key, configurable: true, writable: true });
    },
  },
  {
    name: 'the guard is that of another class',
    code: 'FORBIDDEN',
    door: 'reference',
    inject: (world) => {
      const runtime = clinician(world);
      const other = world.running.mesh.runtimeFor(principalOf('analyst')).guardedSchema;
      const spy = jest.spyOn(runtime, 'guardedSchema', 'get').mockReturnValue(other);
      return () => {
        spy.mockRestore();
      };
    },
  },
  {
    name: 'the schema is that of every class',
    code: 'FORBIDDEN',
    door: 'reference',
    query: (alias) => `{ ${alias}: auditRecords(first: 1) { edges { node { seq } } } ${PAGE(`${alias}b`).slice(1)}`,
    inject: (world) => {
      const runtime = clinician(world) as { schema: unknown };
      const { schema } = runtime;
      runtime.schema = world.running.mesh.schema;
      return () => (runtime.schema = schema);
    },
  },
];

/** Callers whose token says something odd, or nothing. */
export const CALLER: readonly Fault[] = [
  { name: 'the caller has no site', code: null, sites: [], inject: () => () => undefined },
  {
    name: 'the caller has sites that are no list',
    code: 'UNAVAILABLE',
    door: 'reference',
    sites: undefined,
    inject: () => () => undefined,
  },
  { name: 'the caller has an unknown role', code: 'FORBIDDEN', roles: ['sorcerer'], inject: () => () => undefined },
  { name: 'the caller has an unknown purpose', code: 'PURPOSE_MISSING', purpose: 'FUN', inject: () => () => undefined },
  { name: 'the caller has a purpose that no grant of the role names', code: 'FORBIDDEN', purpose: 'HPAYMT', inject: () => () => undefined },
];

/** What the gateway itself stands on. */
export const GATEWAY: readonly Fault[] = [
  { name: 'the keys of the masks cannot be made', code: 'INTERNAL', inject: replaced((w) => w.running.mesh, 'padsFor', throwing) },
  { name: 'there is no randomness', code: 'INTERNAL', inject: replaced((w) => w.running.mesh, 'newNonce', throwing) },
  { name: 'the class cannot be made', code: 'INTERNAL', inject: replaced((w) => w.running.mesh, 'runtimeFor', throwing) },
  { name: 'the token cannot be verified', code: 'INTERNAL', inject: replaced((w) => w.running.identity, 'principal', rejecting()) },
  { name: 'the plan cannot be made', code: 'INTERNAL', inject: replaced(clinician, 'plan', throwing) },
  {
    name: 'the types of columns are forgotten',
    code: 'INTERNAL',
    again: true,
    roles: ['clinician', 'ml_engineer', 'steward'],
    inject: (world) => {
      const types = parts(world).types as unknown as Map<string, unknown>;
      const kept = types.get('patient');
      types.delete('patient');
      return () => types.set('patient', kept);
    },
  },
  ...(
    [
      ['is an hour ahead', 3_600_000],
      ['is an hour behind', -3_600_000],
      ['is ten years ahead', 315_360_000_000],
    ] as const
  ).map(([name, by]): Fault => ({ name: `the clock ${name}`, code: 'UNAUTHENTICATED', inject: clockAt((now) => now + by) })),
  { name: 'the clock gives no number', code: 'AUDIT_UNAVAILABLE', recorded: false, inject: clockAt(() => NaN) },
];

function clockAt(change: (now: number) => number): Fault['inject'] {
  return (world) => {
    const { now } = world;
    world.now = change(now);
    return () => (world.now = now);
  };
}

function classOfClinician(world: World): PolicyClass {
  return clinician(world).policyClass;
}
