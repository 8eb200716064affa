// An HTTP server with a few calls that do what a test asks for, and raw connections to it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { z } from 'zod';
import { errorCatalog, ProbeTaskError } from '../../../contracts/errors.ts';
import type { HttpCall } from '../../../contracts/http-call.ts';
import { EncodedJson } from '../../../infra/http/encoded-json.ts';
import {
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
} from '../../../infra/http/http-server.ts';
import { registerCalls } from '../../../infra/http/register-calls.ts';
import { createMetrics } from '../../../infra/metrics.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { until } from '../../helpers/test-client.ts';

const any = { request: z.unknown(), reply: z.unknown() };
const calls = {
  echo: { path: '/echo', summary: 'Gives the body back.', ...any },
  wait: { path: '/wait', summary: 'Replies when it is told to.', ...any },
  header: { path: '/header', summary: 'Gives the header back whose name is the body.', ...any },
  until: { path: '/until', summary: 'Replies when its signal comes.', ...any },
  refuse: { path: '/refuse', summary: 'Throws a coded error.', ...any },
  fail: { path: '/fail', summary: 'Throws what has no code.', ...any },
  query: { method: 'GET', path: '/query', summary: 'Gives its query back.', ...any },
  post: { path: '/both', summary: 'Says POST.', ...any },
  put: { method: 'PUT', path: '/both', summary: 'Says PUT.', ...any },
  octets: {
    path: '/octets',
    aliases: ['/also/octets', '/octets-too'],
    summary: 'Counts the octets of its body.',
    body: 'octets',
    ...any,
  },
  small: { path: '/small', summary: 'Takes little.', bodyLimit: 100, ...any },
  encoded: { path: '/encoded', summary: 'Replies with its body as it is.', replyBody: 'octets', ...any },
} as const satisfies Record<string, HttpCall>;

export type ScriptedHttpServer = HttpServer & {
  /** `port` of its address. */
  port(): number;
  logged: Record<string, unknown>[];
  /** Waits until so many calls of `/wait` are under way. */
  waiting(count: number): Promise<void>;
  /** Lets all of them reply. */
  letGo(): void;
  /** How many calls of `/wait` have replied. */
  finished(): number;
  /** Waits until so many calls of `/until` are, or were, under way. */
  begun(count: number): Promise<void>;
  /** How many of them have replied. */
  ended(): number;
  readMetric(sample: string): Promise<number>;
  /** Waits until the sample has the value. */
  counted(sample: string, value?: number): Promise<void>;
};

export async function startScriptedServer(
  options: Partial<HttpServerOptions> = {},
): Promise<ScriptedHttpServer> {
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const metrics = createMetrics();
  let held: (() => void)[] = [];
  let finished = 0;
  let begun = 0;
  let ended = 0;
  let watchers: (() => void)[] = [];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    portVariable: 'SCRIPTED_PORT',
    apiKeys: [],
    bodyLimit: 1000,
    formatError: ({ code, message }) => ({ code, message, status: errorCatalog[code].status }),
    checks: {},
    metrics,
    logger,
    ...options,
    register(app) {
      registerCalls(
        app,
        calls,
        {
          echo: async (body) => ({ body }),
          wait: async () => {
            await new Promise<void>((resolve) => {
              held.push(resolve);
              for (const look of watchers) look();
            });
            finished += 1;
            return { finished };
          },
          header: async (name, { header }) => ({ header: header(String(name)) ?? null }),
          until: async (_body, { signal }) => {
            begun += 1;
            if (!signal.aborted) await once(signal, 'abort');
            ended += 1;
            return { ended };
          },
          refuse: async () => {
            throw new ProbeTaskError('CONFLICT', 'two of a kind', { of: 'a kind' });
          },
          fail: async (_body, context) => {
            context.logger.info('about to fail');
            throw new TypeError('a secret of the inside');
          },
          query: async (query) => ({ query }),
          post: async (body) => ({ post: body }),
          put: async (body) => ({ put: body }),
          octets: async (octets) => ({ length: octets.length, first: octets[0] ?? null }),
          small: async (body) => ({ body }),
          encoded: async (text) => new EncodedJson(Buffer.from(String(text))),
        },
        logger,
      );
    },
  });
  async function readMetric(sample: string): Promise<number> {
    const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(sample));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
  }

  await server.start();
  return keepUntilTestEnd({
    ...server,
    port: () => Number(new URL(server.url()).port),
    logged,
    waiting: (count) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (held.length >= count) resolve();
        };
        watchers = [...watchers, look];
        look();
      }),
    letGo() {
      for (const resolve of held) resolve();
      held = [];
    },
    finished: () => finished,
    begun: (count) => until(async () => begun >= count),
    ended: () => ended,
    readMetric,
    counted: (sample, value = 1) => until(async () => (await readMetric(sample)) === value),
  });
}

export type RawConnection = {
  socket: Socket;
  /** All that came until the server closed the connection. */
  readAll(): Promise<string>;
  /** Waits until the text has come. */
  readUntil(text: string): Promise<string>;
};

/** A connection on which a test writes its requests octet by octet; it is gone at the end of the test. */
export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1' });
  keepUntilTestEnd({ stop: async () => socket.destroy() });
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => {
    received += text;
  });
  // A reset ends it like a close does; what came before is what counts.
  const closed = new Promise<void>((resolve) =>
    socket.on('error', () => undefined).once('close', () => resolve()),
  );
  await once(socket, 'connect');
  return {
    socket,
    async readAll() {
      await closed;
      return received;
    },
    async readUntil(text) {
      while (!received.includes(text)) {
        if (socket.closed) throw new Error(`closed before ${text} came: ${received}`);
        await Promise.race([once(socket, 'data'), closed]);
      }
      return received;
    },
  };
}
