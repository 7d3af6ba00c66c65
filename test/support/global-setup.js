'use strict';
// jest does not map './name.js' to name.ts in global files, so the project's own hook does.
require('../../bin/ts.js');
module.exports = () => require('./cluster.ts').setup();
