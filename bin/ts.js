'use strict';
/**
 * Runs a TypeScript tool of this checkout: `node bin/ts.js test/bench/cli.ts ...`, or registers only: `node -r ./bin/ts.js`.
 * Same settings as the tests: import() becomes a require.
 */
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
if (require.main === module) require('./setup.js').ensureInstalled();

const swc = require('@swc/core');
const options = {
  ...JSON.parse(readFileSync(path.join(root, '.swcrc'), 'utf8')),
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
  swcrc: false,
  configFile: false,
};

Module._extensions['.ts'] = (module, filename) => {
  const { code } = swc.transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
  module._compile(code, filename);
};

// Sources import './name.js', which is what the build makes of name.ts.
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  if (request.startsWith('.') && request.endsWith('.js') && parent?.filename?.endsWith('.ts')) {
    const source = path.resolve(path.dirname(parent.filename), `${request.slice(0, -3)}.ts`);
    if (existsSync(source)) return source;
  }
  return resolve.call(this, request, parent, ...rest);
};

if (require.main === module) {
  const tool = process.argv[2];
  if (tool === undefined || !existsSync(path.resolve(root, tool))) {
    process.stderr.write(`There is no tool ${tool ?? '(none named)'} in this checkout.\n`);
    process.exit(2);
  }
  process.setSourceMapsEnabled(true);
  process.argv.splice(1, 2, path.resolve(root, tool));
  require(process.argv[1]);
}
