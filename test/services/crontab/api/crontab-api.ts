// The API of the crontab service over real HTTP and Postgres; its tables are emptied before each test.
import { afterAll, beforeAll } from 'vitest';
import type { z } from 'zod';
import { crontabCalls } from '../../../../contracts/crontab-api.ts';
import type { Database } from '../../../../infra/database/database.ts';
import { createHttpServer, type HttpServer } from '../../../../infra/http/http-server.ts';
import { registerCalls } from '../../../../infra/http/register-calls.ts';
import type { Logger } from '../../../../infra/logger.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import { formatCrontabError } from '../../../../services/crontab/api/format-error.ts';
import { createCrontabHandlers } from '../../../../services/crontab/api/handlers.ts';
import { type CrontabTables, useCrontabTables } from '../crontab-tables.ts';

type Calls = typeof crontabCalls;
export type CallName = keyof Calls;
export type CallData<Name extends CallName> = z.output<Calls[Name]['reply']>['data'];

export type CrontabApi = {
  readonly tables: CrontabTables;
  /** How often it was told that there are runs to be called at once. */
  readonly woken: () => number;
  /** Posts a body as it is, whatever it is. */
  post(path: string, body: string | Uint8Array): Promise<{ status: number; reply: unknown }>;
  /** Posts JSON, and expects a reply of state 0 that fits its schema; resolves with its data. */
  call<Name extends CallName>(name: Name, body: unknown): Promise<CallData<Name>>;
  /** Posts JSON; resolves with whatever comes back. */
  ask(name: CallName, body: unknown): Promise<{ status: number; reply: unknown }>;
};

/** To be called at the top of a test file. */
export function useCrontabApi(): CrontabApi {
  const tables = useCrontabTables();
  let server: HttpServer;
  let woken = 0;
  const client = createCrontabClient(() => server.url());

  beforeAll(async () => {
    const { database, logger } = tables;
    server = createCrontabServer({
      database,
      logger,
      onRunsAdded: () => {
        woken += 1;
      },
    });
    await server.start();
  });
  afterAll(() => server.stop());

  return { tables, woken: () => woken, ...client };
}

/** Denies callbacks to 192.0.2.0/24. */
export function createCrontabServer(options: {
  database: Database;
  logger: Logger;
  onRunsAdded?: () => void;
}): HttpServer {
  const { database, logger, onRunsAdded = () => undefined } = options;
  const networks = createNetworkPolicy({ allow: [], deny: ['192.0.2.0/24'] });
  const handlers = createCrontabHandlers({
    database,
    networks,
    timeZone: 'Asia/Shanghai',
    onRunsAdded,
    logger,
  });
  return createHttpServer({
    host: '127.0.0.1',
    port: 0,
    portVariable: 'CRONTAB_PORT',
    apiKeys: [],
    bodyLimit: 16 * 1024 * 1024,
    formatError: formatCrontabError,
    register: (app) => registerCalls(app, crontabCalls, handlers, logger),
    checks: {},
    metrics: createMetrics(),
    logger,
  });
}

export function createCrontabClient(url: () => string): Pick<CrontabApi, 'post' | 'ask' | 'call'> {
  const post: CrontabApi['post'] = async (path, body) => {
    const response = await fetch(`${url()}${path}`, { method: 'POST', body: Buffer.from(body) });
    return { status: response.status, reply: await response.json() };
  };
  const ask: CrontabApi['ask'] = (name, body) => post(crontabCalls[name].path, JSON.stringify(body));
  return {
    post,
    ask,
    async call(name, body) {
      const { status, reply } = await ask(name, body);
      const { state, data } = crontabCalls[name].reply.parse(reply);
      if (status !== 200 || state !== 0) throw new Error(`${name}: ${status} ${JSON.stringify(reply)}`);
      return data;
    },
  };
}
