const level = (name: string, parent: string, depth: number, ignoreCase = true) => ({
  name,
  parent,
  level: depth,
  matcherOptions: { wildCard: true, ignoreCase },
});
const exact = (...names: readonly string[]) => ({ resources: names.map((name) => ({ name, matcherOptions: { wildCard: false } })) });
const CATEGORIES = {
  READ: ['select', 'read'],
  UPDATE: ['update', 'write'],
  CREATE: ['create', 'alter'],
  DELETE: ['drop'],
  MANAGE: ['index', 'lock', 'repladmin', 'serviceadmin', 'tempudfadmin', 'refresh'],
} as const;
const rights = Object.entries(CATEGORIES).flatMap(([category, names]) => names.map((name) => ({ name, category })));

/** Levels, access types and kinds of policy of the service `hive`, for test files that name the service only. */
export const HIVE = {
  name: 'hive',
  resources: [
    level('database', '', 10),
    level('table', 'database', 20),
    level('udf', 'database', 20),
    level('column', 'table', 30),
    level('hiveservice', '', 10, false),
  ],
  accessTypes: [...rights, { name: 'all', impliedGrants: rights.map(({ name }) => name).filter((name) => name !== 'tempudfadmin') }],
  dataMaskDef: exact('database', 'table', 'column'),
  rowFilterDef: exact('database', 'table'),
};
