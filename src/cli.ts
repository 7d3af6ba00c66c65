import { main } from './cli/verbs.js';

void main(process.argv).then((code) => {
  process.exitCode = code;
});
