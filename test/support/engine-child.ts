/** Run by fork(): starts the embedded engine of a folder, says so, stops it on request. */
import { startEngine } from '../../src/store/engines/start.js';

const [, , dataDir = '', nativeDir] = process.argv;

startEngine({ kind: 'embedded', dataDir, nativeDir, log: () => undefined }).then(
  (engine) => {
    process.send?.('ready');
    process.on('message', () => void engine.stop().then(() => process.exit(0)));
  },
  (error: unknown) => {
    process.send?.(String(error));
    process.exit(1);
  },
);
