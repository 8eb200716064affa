// Callers for tests, and servers that answer them as a test says.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Bus } from '../../../../infra/bus/bus.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import { type Callback, type Caller, createCaller } from '../../../../services/crontab/callback/caller.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';

/** For callers that have none to use. */
const noBus: Pick<Bus, 'request' | 'isConnected'> = {
  isConnected: () => false,
  request: () => Promise.reject(new Error('this test has no bus')),
};

export function createTestCaller(
  options: {
    bus?: Pick<Bus, 'request' | 'isConnected'>;
    allow?: string[];
    deny?: string[];
    defaultSecret?: string;
  } = {},
): Caller {
  const { bus = noBus, allow = [], deny = [], defaultSecret } = options;
  return keepUntilTestEnd(
    createCaller({
      bus,
      networks: createNetworkPolicy({ allow, deny }),
      defaultSecret,
      logger: createLogger('test', 'silent'),
    }),
  );
}

/** A POST with a long deadline, unless said otherwise. */
export function callbackTo(url: string, fields: Partial<Callback> = {}): Callback {
  return {
    method: 'post',
    url,
    body: '',
    bodyType: 1,
    respRegexp: '',
    timeoutMs: 10_000,
    secret: null,
    messageId: 'occurrence-1',
    ...fields,
  };
}

export type ReceivedRequest = {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
  clientPort: number | undefined;
};

export type TestHttpServer = {
  /** `http://127.0.0.1:<port>` */
  origin: string;
  port: number;
  /** Requests whose bodies have come, in the order of their ends. */
  requests: ReceivedRequest[];
  server: ReturnType<typeof createServer>;
};

/** An HTTP server on loopback, until the test ends. */
export async function startHttpServer(
  answer: (response: ServerResponse, request: ReceivedRequest) => void = (response) => response.end(),
  host = '127.0.0.1',
): Promise<TestHttpServer> {
  const requests: ReceivedRequest[] = [];
  const onRequest: RequestListener = async (request, response) => {
    const { method, url, headers, socket } = request;
    const clientPort = socket.remotePort;
    const received = { method, url, headers, body: await text(request), clientPort };
    requests.push(received);
    answer(response, received);
  };
  const server = createServer(onRequest);
  const port = await listen(server, host);
  keepUntilTestEnd({
    async stop() {
      server.closeAllConnections();
      await close(server);
    },
  });
  return { origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, port, requests, server };
}

export type TestTcpServer = {
  port: number;
  /** Accepted so far. */
  connections: Socket[];
};

/** A TCP server on loopback, until the test ends. */
export async function startTcpServer(onConnection: (connection: Socket) => void): Promise<TestTcpServer> {
  const connections: Socket[] = [];
  const server = createTcpServer((connection) => {
    connections.push(connection);
    // Callers cut connections on purpose.
    connection.on('error', () => connection.destroy());
    onConnection(connection);
  });
  const port = await listen(server, '127.0.0.1');
  keepUntilTestEnd({
    async stop() {
      for (const connection of connections) connection.destroy();
      await close(server);
    },
  });
  return { port, connections };
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function findClosedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server, '127.0.0.1');
  await close(server);
  return port;
}

async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
