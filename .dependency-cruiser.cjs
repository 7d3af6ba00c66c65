'use strict';
/**
 * Which room may know which. The rules are ST1 to ST8 of the house style; ARCHITECTURE.md has the picture.
 * `depcruise src migrations` reads this file; test/house/dependencies.test.ts proves that each rule can fail.
 */

/** Every file of ours that is not in the kernel and not in the named rooms. */
const outside = (...rooms) => `^(src|migrations)/(?!${['kernel/', ...rooms].join('|')})`;

/** Rooms whose one door is index.ts. The kernel is the ground: see `KERNEL_WORDS`. */
const ROOMS = ['governance', 'evidence', 'fusion', 'store', 'pipeline', 'gateway', 'demo'];

/** Kernel files without any package below them. Pure code names them directly, so that it does not load the decorators behind the door. */
const KERNEL_WORDS = '^src/kernel/(index|error|limits|format|frame|classification)\\.ts$';

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** The store alone runs migrations; every other room is ruled by migrations-belong-to-the-store. */
const knowsTheKernel = (room) =>
  error(
    `${room}-knows-the-kernel`,
    `ST4: ${room} meets the other rooms through kernel interfaces; cli and gateway join them.`,
    { path: `^src/${room}/` },
    { path: outside(`${room}/`), pathNot: '^migrations/' },
  );

const byTheDoor = (room) =>
  error(
    `enter-${room}-by-the-door`,
    'ST5: a room is what its index.ts names; products.ts may ask fusion and governance, products too, for their policy alone.',
    {
      path: '^(src|migrations)/',
      pathNot: ['fusion', 'governance'].includes(room) ? [`^src/${room}/`, '^src/products\\.ts$'] : `^src/${room}/`,
    },
    { path: `^src/${room}/`, pathNot: `^src/${room}/index\\.ts$` },
  );

module.exports = {
  forbidden: [
    error('no-circles', 'ST1: a circle means that a shared word belongs into the kernel; type-only imports count.', {}, { circular: true }),
    error(
      'kernel-is-the-ground',
      'ST2: the kernel imports nothing of ours.',
      { path: '^src/kernel/' },
      { path: '^(src|migrations)/', pathNot: '^src/kernel/' },
    ),
    error(
      'a-product-knows-the-kernel-and-itself',
      'ST3: a domain imports the kernel and its own files; the wrapped reader brings policy, lineage and audit.',
      { path: '^src/domains/([^/]+)/' },
      { path: '^(src|migrations)/', pathNot: ['^src/kernel/', '^src/domains/$1/'] },
    ),
    error(
      'fusion-knows-the-kernel-and-itself',
      'ST3: fusion sees only the frames that features.ts yields.',
      { path: '^src/fusion/' },
      { path: outside('fusion/') },
    ),
    knowsTheKernel('governance'),
    knowsTheKernel('evidence'),
    knowsTheKernel('store'),
    knowsTheKernel('pipeline'),
    knowsTheKernel('demo'),
    error(
      'gateway-knows-governance-evidence-and-store',
      'ST4: the gateway joins governance, evidence and store; products reach it as values from cli.',
      { path: '^src/gateway/' },
      { path: outside('gateway/', 'governance/', 'evidence/', 'store/') },
    ),
    error(
      'demo-is-known-to-cli-only',
      'ST4: nothing that serves data may know the demo.',
      { path: '^src/', pathNot: ['^src/demo/', '^src/cli/'] },
      { path: '^src/demo/' },
    ),
    error(
      'products-name-products',
      'ST4: the list names doors of products, and policies where only the policy is wanted.',
      { path: '^src/products\\.ts$' },
      {
        path: '^(src|migrations)/',
        pathNot: ['^src/kernel/', '^src/(domains/[^/]+|fusion|governance)/(index|policy)\\.ts$'],
      },
    ),
    error(
      'products-are-lazy',
      'ST4: one subgraph per process: a product is loaded by import() only.',
      { path: '^src/products\\.ts$' },
      {
        path: '^src/(domains|fusion)/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    ),
    error(
      'nothing-knows-cli',
      'ST4: cli is the outermost wiring.',
      { path: '^(src|migrations)/', pathNot: '^src/(cli/|cli\\.ts$)' },
      { path: '^src/(cli/|cli\\.ts$)' },
    ),
    error(
      'the-list-is-for-wiring',
      'ST4: who needs products is handed them.',
      { path: '^(src|migrations)/', pathNot: '^src/cli/' },
      { path: '^src/products\\.ts$' },
    ),
    ...ROOMS.map(byTheDoor),
    error(
      'enter-a-domain-by-the-door',
      'ST5: a domain is what its index.ts names; products.ts may ask for a policy alone.',
      { path: '^(src|migrations)/', pathNot: '^src/(domains/|products\\.ts$)' },
      { path: '^src/domains/', pathNot: '^src/domains/[^/]+/index\\.ts$' },
    ),
    error(
      'enter-the-kernel-by-the-door',
      'ST5: the kernel is what its index.ts names; its package-free words may be named directly.',
      { path: '^(src|migrations)/', pathNot: '^src/kernel/' },
      { path: '^src/kernel/', pathNot: KERNEL_WORDS },
    ),
    error(
      'formats-are-pure',
      'ST6: a parser takes bytes and gives records, wherever its imports lead.',
      { path: '^src/domains/[^/]+/formats/' },
      {
        path: ['^node_modules/(typeorm|type-graphql|graphql|pg|pg-copy-streams)/', '^(node:)?(net|http|https|http2|tls|dgram|dns)$'],
        reachable: true,
      },
    ),
    error(
      'console-imports-no-room',
      'ST7: the console talks to the API only.',
      { path: '^src/console/' },
      { path: '^(src|migrations)/', pathNot: '^src/console/' },
    ),
    error(
      'no-room-imports-the-console',
      'ST7: the console is served as files.',
      { path: '^src/', pathNot: '^src/console/' },
      { path: '^src/console/' },
    ),
    error(
      'migrations-belong-to-the-store',
      'ST4: only the store runs migrations.',
      { path: '^src/', pathNot: '^src/store/' },
      { path: '^migrations/' },
    ),
    error(
      'migrations-stand-alone',
      'ST4: a migration never changes with the code, so it imports none of it.',
      { path: '^migrations/' },
      { path: '^src/' },
    ),
    error(
      'no-orphans',
      'ST8: a module that nothing imports and that imports nothing has no purpose.',
      { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' },
      {},
    ),
    error('nothing-unresolvable', 'ST8: every import leads somewhere.', {}, { couldNotResolve: true }),
    error(
      'no-development-package-in-the-product',
      'ST8: the product runs after `npm ci --omit=dev`.',
      { path: '^(src|migrations)/' },
      {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'type-only'],
      },
    ),
    error(
      'no-unlisted-package',
      'ST8: what is imported is pinned in package.json, not taken from under another package.',
      { path: '^(src|migrations)/' },
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
      },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Type-only imports count as arrows.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
