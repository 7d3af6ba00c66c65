import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunEvent } from '../../src/evidence/index.js';

/** An endpoint on loopback that answers as it is told and keeps what came. */
export async function endpoint(
  status: () => number,
): Promise<{ url: string; events: RunEvent[]; keys: (string | undefined)[]; close(): Promise<void> }> {
  const events: RunEvent[] = [];
  const keys: (string | undefined)[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const code = status();
      keys.push(request.headers.authorization);
      if (code < 300) events.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as RunEvent);
      response.writeHead(code).end('a secret of the other side');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/lineage`,
    events,
    keys,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}
