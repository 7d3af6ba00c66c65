#!/usr/bin/env node
'use strict';
const { ensureInstalled, ensureBuilt } = require('./setup.js');

ensureInstalled();
ensureBuilt();
require('../dist/src/cli.js');
