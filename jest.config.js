'use strict';

const swc = JSON.parse(require('node:fs').readFileSync(`${__dirname}/.swcrc`, 'utf8'));

const base = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { ...swc, sourceMaps: 'inline' }],
    // jest cannot require() a package that is ES modules only.
    '/node_modules/jose/.+\\.js$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'ecmascript' }, target: 'es2023' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
};

/** Pure rooms: no database. */
const unit = { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/{kernel,domains,fusion-math,fusion-product,demo}/**/*.test.ts'] };

/** Rooms that share one database server, started only when one of their files runs. */
const database = {
  ...base,
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
};
const room = (kind, name) => ({ ...kind, displayName: name, testMatch: [`<rootDir>/test/${name}/**/*.test.ts`] });

const plain = ['house'];
const stored = [
  'store',
  'pipeline',
  'governance',
  'evidence',
  'fusion',
  'gateway',
  'contract',
  'golden',
  'fuzz',
  'federation',
  'attack',
  'chaos',
  'regression',
  'smoke',
];

module.exports = { projects: [unit, ...plain.map((name) => room(base, name)), ...stored.map((name) => room(database, name))] };
