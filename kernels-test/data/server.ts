/** Test helper: an HTTP server on 127.0.0.1 that answers by path, and counts how often each was asked for. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  /** Its address, with `/` at the end. */
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Starts a server on a free port; a path without a listener answers 404. */
export async function startServer(listeners: Readonly<Record<string, RequestListener>>): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url!.slice(1);
    requests.push(path);
    const listener = Object.hasOwn(listeners, path) ? listeners[path]! : undefined;
    if (listener) return listener(request, response);
    response.writeHead(404).end('not here');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/`, requests, close };
}
