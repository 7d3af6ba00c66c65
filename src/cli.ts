import { main } from './cli/index.js';

void main(process.argv).then((code) => {
  process.exitCode = code;
});
