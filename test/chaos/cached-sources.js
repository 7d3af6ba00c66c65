'use strict';
/** Like bin/ts.js, with what it makes of each source kept in a folder, since the experiments start many processes. */
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

require('../../bin/ts.js');
const folder = process.env.CHAOS_SOURCES;
const made = Module._extensions['.ts'];

if (folder) {
  mkdirSync(folder, { recursive: true });
  Module._extensions['.ts'] = (module, filename) => {
    const name = path.join(folder, createHash('sha256').update(`${filename}\n`).update(readFileSync(filename)).digest('hex'));
    let code;
    try {
      code = readFileSync(name, 'utf8');
    } catch {
      const compile = module._compile;
      module._compile = (text, ...rest) => {
        writeFileSync(`${name}.${process.pid}`, text);
        renameSync(`${name}.${process.pid}`, name);
        return compile.call(module, text, ...rest);
      };
      made(module, filename);
      return;
    }
    module._compile(code, filename);
  };
}
