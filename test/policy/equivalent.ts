/** Mutants that change nothing that anybody could see, each with the reason. */
export const EQUIVALENT: readonly { readonly file: string; readonly operator: string; readonly code: string; readonly reason: string }[] = [
  {
    file: 'decide.ts',
    operator: '>= to >',
    code: 'order(a) >= order(b)',
    reason: 'no two masks have one order, so a tie is between equals',
  },
  {
    file: 'class-schema.ts',
    operator: 'drop a condition',
    code: `'isTypeOf' in type ? entityOfType`,
    reason: 'only fields of object types are asked about; the condition is for the compiler',
  },
  {
    file: 'class-schema.ts',
    operator: '&& to ||',
    code: `'isTypeOf' in type ? entityOfType`,
    reason: 'only fields of object types are asked about; the condition is for the compiler',
  },
  {
    file: 'class-schema.ts',
    operator: 'true to false',
    code: 'skipUnimplementedInterfacesPruning',
    reason: 'no schema of the mesh has an interface',
  },
  {
    file: 'class-schema.ts',
    operator: '|| to &&',
    code: '!target || !config.args',
    reason: 'every field has a list of arguments, and only fields with a target have filters',
  },
  {
    file: 'class-schema.ts',
    operator: 'if never',
    code: '!target || !config.args',
    reason: 'without filters and orders nothing is taken away',
  },
  {
    file: 'classification.ts',
    operator: 'drop a condition',
    code: `field.kind === 'column' && entity`,
    reason: 'columns stand on entities only',
  },
  { file: 'sql-rules.ts', operator: '|| to &&', code: '!entity.patient || !entity.modality', reason: 'an entity has both or neither' },
  { file: 'decide.ts', operator: '< to <=', code: 'a.grantId < b.grantId', reason: 'no two alternatives have one name' },
  {
    file: 'sql-rules.ts',
    operator: 'drop a case',
    code: `case 'date'`,
    reason: 'Postgres writes a date into JSON in the form that is asked for here',
  },
  { file: 'decide.ts', operator: 'one more', code: 'a.grantId < b.grantId', reason: 'a sort asks for the sign only' },
  { file: 'decide.ts', operator: 'one more', code: 'mask === null ? 0', reason: 'the clear stays above all masks' },
  {
    file: 'decide.ts',
    operator: '=== to !==',
    code: 'const own = [facts.steppedUp === true',
    reason: 'a key tells the two cases apart under either name',
  },
  { file: 'compose-policy.ts', operator: 'one more', code: '.sort(([a], [b])', reason: 'a sort asks for the sign only' },
];
