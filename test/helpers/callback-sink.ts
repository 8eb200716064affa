// An HTTP server that callbacks go to: it writes down who called, and answers as the path says.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request that arrived. */
export type SinkCall = { path: string; messageId: string; body: string; atMs: number };

export type CallbackSink = {
  url: string;
  /** In order of arrival. */
  calls: SinkCall[];
  callsTo(path: string): SinkCall[];
  /** Answers from now on what comes to this path with this status, instead of 200. */
  answer(path: string, status: number): void;
  /** Keeps answers to this path back. */
  hold(path: string): void;
  /** Sends what is held, and answers this path at once from now on. */
  release(path: string): void;
  stop(): Promise<void>;
};

/** Answers 200 with `done` unless told otherwise. */
export async function startCallbackSink(): Promise<CallbackSink> {
  const calls: SinkCall[] = [];
  const statuses = new Map<string, number>();
  const held = new Map<string, ServerResponse[]>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const messageId = String(request.headers['webhook-id']);
    calls.push({ path, messageId, body: await text(request), atMs: Date.now() });
    const waiting = held.get(path);
    if (waiting === undefined) reply(path, response);
    else waiting.push(response);
  });
  function reply(path: string, response: ServerResponse): void {
    response.writeHead(statuses.get(path) ?? 200).end('done');
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    callsTo: (path) => calls.filter((call) => call.path === path),
    answer: (path, status) => void statuses.set(path, status),
    hold: (path) => void held.set(path, held.get(path) ?? []),
    release(path) {
      for (const response of held.get(path) ?? []) reply(path, response);
      held.delete(path);
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
