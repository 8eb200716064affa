// The calls of the dispatch channel over real HTTP and Postgres; its tables are emptied before each test.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { z } from 'zod';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import type { Database } from '../../../../infra/database/database.ts';
import { createHttpServer, type HttpServer } from '../../../../infra/http/http-server.ts';
import { registerCalls } from '../../../../infra/http/register-calls.ts';
import type { Logger } from '../../../../infra/logger.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import type { DispatchApiOptions } from '../../../../services/dispatch/api/api-options.ts';
import {
  formatDispatchError,
  statusOfDispatchError,
} from '../../../../services/dispatch/api/format-error.ts';
import { createDispatchHandlers } from '../../../../services/dispatch/api/handlers.ts';
import { testSeal, useDispatchTables } from '../dispatch-tables.ts';

export type CallName = keyof typeof dispatchCalls;
type Headers = Record<string, string>;
type Answer = { status: number; reply: unknown };

export type DispatchClient = {
  /** Posts a body as it is, whatever it is. */
  post(path: string, body: string | Uint8Array, headers?: Headers): Promise<Answer>;
  /** Posts JSON; resolves with whatever comes back. */
  ask(name: CallName, body: unknown, headers?: Headers): Promise<Answer>;
  /** Makes one of `dispatchCalls`, and expects a reply that fits its schema. */
  call<Reply>(
    call: { path: string; reply: z.ZodType<Reply> },
    body: unknown,
    headers?: Headers,
  ): Promise<Reply>;
};

/** As the document's examples have them. */
export const exampleHeaders = { 'X-CORRELATION-ID': '16-16', 'X-RESOURCE': 'hubble' };

export const pingTasks = [{ action: { module: 'ping', args: {} } }];

/** The body of a run on one node. */
export function runOf(name: string, more: object = {}): Record<string, unknown> {
  const given = { nodes: ['10.0.0.1'], user: 'root', name, tasks: pingTasks, params: null, fork_num: 5 };
  return { ...given, ...more };
}

/** To be called at the top of a test file. */
export function useDispatchApi() {
  const tables = useDispatchTables();
  const told = { added: 0, stops: [] as string[], fault: undefined as string | undefined };
  let server: HttpServer;
  const client = createDispatchClient(() => server.url());

  beforeAll(async () => {
    const { database, logger } = tables;
    server = createDispatchServer({
      database,
      logger,
      findFault: async () => told.fault,
      onRunAdded: () => {
        told.added += 1;
      },
      onStopWanted: (id) => void told.stops.push(id),
    });
    await server.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    Object.assign(told, { added: 0, stops: [], fault: undefined });
  });

  return { tables, told, ...client };
}

/** Takes nodes of 10.0.0.0/8, 127.0.0.0/8 and fd00::/8, and roles called `web`. */
export function createDispatchServer({
  database,
  logger,
  ...given
}: { database: Database; logger: Logger } & Partial<DispatchApiOptions>): HttpServer {
  const handlers = createDispatchHandlers({
    database,
    networks: createNetworkPolicy({ allow: ['10.0.0.0/8', '127.0.0.0/8', 'fd00::/8'], deny: [] }),
    roles: async () => new Set(['web']),
    seal: testSeal.close,
    findFault: async () => undefined,
    onRunAdded: () => undefined,
    onStopWanted: () => undefined,
    logger,
    ...given,
    limits: {
      maxForks: 50,
      defaultUser: 'deploy',
      runTimeoutMs: 3_600_000,
      queueTimeoutMs: 60_000,
      ...given.limits,
    },
  });
  return createHttpServer({
    host: '127.0.0.1',
    port: 0,
    portVariable: 'DISPATCH_PORT',
    apiKeys: [],
    bodyLimit: 2 * 1024 * 1024,
    formatError: formatDispatchError,
    statusOf: statusOfDispatchError,
    register: (app) => registerCalls(app, dispatchCalls, handlers, logger),
    checks: {},
    metrics: createMetrics(),
    logger,
  });
}

export function createDispatchClient(url: () => string): DispatchClient {
  const post: DispatchClient['post'] = async (path, body, headers = exampleHeaders) => {
    const response = await fetch(`${url()}${path}`, { method: 'POST', body: Buffer.from(body), headers });
    return { status: response.status, reply: await response.json() };
  };
  const ask: DispatchClient['ask'] = (name, body, headers) =>
    post(dispatchCalls[name].path, JSON.stringify(body), headers);
  return {
    post,
    ask,
    async call(call, body, headers) {
      const { status, reply } = await post(call.path, JSON.stringify(body), headers);
      if (status !== 200) throw new Error(`${call.path}: ${status} ${JSON.stringify(reply)}`);
      return call.reply.parse(reply);
    },
  };
}
