import { GraphQLSchema } from 'graphql';
import { Classification, PolicyClass, composePolicy, rolesOf } from '../../src/governance/index.js';
import { evaluateRanger } from '../../src/governance/interchange/ranger/evaluate.js';
import { importRanger, type RangerImport } from '../../src/governance/interchange/ranger/import.js';
import type { RangerRequest } from '../../src/governance/interchange/ranger/model.js';
import { readRanger } from '../../src/governance/interchange/ranger/read.js';
import type { Action, Tag } from '../../src/kernel/index.js';

export const SERVICE = {
  name: 'hive',
  resources: [
    { name: 'database', level: 1 },
    { name: 'table', level: 2, parent: 'database' },
    { name: 'column', level: 3, parent: 'table' },
  ],
  accessTypes: [{ name: 'select' }, { name: 'update' }, { name: 'drop' }, { name: 'all', impliedGrants: ['select', 'update', 'drop'] }],
  dataMaskDef: { resources: [{ name: 'database' }, { name: 'table' }, { name: 'column' }] },
  rowFilterDef: { resources: [{ name: 'database' }, { name: 'table' }] },
  policyConditions: [{ name: 'place', evaluator: 'com.example.Anything' }],
};
export type Fields = Record<string, unknown>;
export const item = (type: string, who: Fields, more: Fields = {}): Fields => ({ accesses: [{ type }], ...who, ...more });
export const on = (database: string, table?: string, column?: string): Fields => ({
  database: { values: [database] },
  ...(table === undefined ? {} : { table: { values: [table] } }),
  ...(column === undefined ? {} : { column: { values: [column] } }),
});
let next = 0;
export const policy = (resources: Fields, more: Fields): Fields => ({ id: (next += 1), name: `p${next}`, resources, ...more });
export const documentOf = (...policies: Fields[]): Fields => ({ serviceDef: SERVICE, policies });

export const asked = (column: string, more: Partial<RangerRequest> = {}): RangerRequest => {
  const [database = '', table = '', name = ''] = column.split('.');
  const nobody = {
    owner: null,
    user: 'somebody',
    groups: [],
    roles: [],
    at: 0,
    descendants: false,
    scopes: {},
    tags: null,
    context: {},
    attributes: {},
  };
  return { resource: { database, table, column: name }, accessType: 'select', ...nobody, ...more };
};
export const allows = (document: Fields, request: RangerRequest): boolean =>
  evaluateRanger(readRanger(document), request, 'access').allowed;

const CLINICAL: readonly Tag[] = ['clinical'];
export const CATALOGUE = ['notes.note.text', 'notes.note.kind', 'imaging.study.modality'].map((name) => ({ name, tags: CLINICAL }));
export const importing = (document: Fields): RangerImport =>
  importRanger(document, CATALOGUE, { purposes: ['HRESCH'], everyone: 'everyone' });

/** What holders of roles get of a column by the policy class, under an imported document. */
export function decided({ document, assets }: RangerImport, column: string, roles: readonly string[], action: Action = 'read', now = 0) {
  const composed = composePolicy([], document);
  const held = rolesOf(composed, ['everyone', ...roles], []);
  const ours = new PolicyClass(
    composed,
    new Classification(new GraphQLSchema({}), []),
    { roles: held, purpose: 'HRESCH', allSites: true },
    now,
  );
  const table = column.split('.').slice(0, 2).join('.');
  return ours.decide(['clinical', ...(assets[column] ?? []), ...(assets[table] ?? [])], action).alternatives;
}
export const may = (imported: RangerImport, column: string, ...roles: string[]): boolean => decided(imported, column, roles).length > 0;
