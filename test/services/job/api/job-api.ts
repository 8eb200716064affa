// The calls of the job service over real HTTP and Postgres; its tables are emptied before each test.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { z } from 'zod';
import { decodeJson } from '../../../../contracts/decode.ts';
import { ProbeTaskError } from '../../../../contracts/errors.ts';
import type { HttpCall } from '../../../../contracts/http-call.ts';
import { jobCalls, submissionSchema } from '../../../../contracts/job-api.ts';
import type { Database } from '../../../../infra/database/database.ts';
import type { JobLane } from '../../../../infra/database/tables.ts';
import { createHttpServer, type HttpServer } from '../../../../infra/http/http-server.ts';
import { registerCalls } from '../../../../infra/http/register-calls.ts';
import type { Logger } from '../../../../infra/logger.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import type { JobApiOptions } from '../../../../services/job/api/api-options.ts';
import { formatJobError } from '../../../../services/job/api/format-error.ts';
import { createJobHandlers } from '../../../../services/job/api/handlers.ts';
import { useJobTables } from '../job-tables.ts';

type Answer = { status: number; reply: unknown };
type Headers = Record<string, string>;
type Init = { method?: string; body?: string | Uint8Array; headers?: Headers };

export type JobClient = {
  /** Asks for a path with a body as it is, whatever it is. */
  fetch(path: string, init?: Init): Promise<Answer>;
  /** Makes one of `jobCalls`, with its request in the body or in the query; resolves with whatever comes back. */
  ask(call: HttpCall, request: object, headers?: Headers): Promise<Answer>;
  /** The same, and expects a reply that fits its schema; resolves with its data. */
  call<Data>(
    call: HttpCall & { reply: z.ZodType<{ data: Data }> },
    request: object,
    headers?: Headers,
  ): Promise<Data>;
};

/** To be called at the top of a test file. */
export function useJobApi() {
  const tables = useJobTables();
  const told = { lanes: [] as JobLane[], stops: [] as string[] };
  let server: HttpServer;
  const client = createJobClient(() => server.url());

  beforeAll(async () => {
    const { database, logger } = tables;
    server = createJobServer({
      database,
      logger,
      onJobAdded: (lane) => void told.lanes.push(lane),
      onStopWanted: (id) => void told.stops.push(id),
    });
    await server.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    Object.assign(told, { lanes: [], stops: [] });
  });

  return { tables, told, ...client };
}

export function createJobServer({
  database,
  logger,
  ...given
}: { database: Database; logger: Logger } & Partial<JobApiOptions>): HttpServer {
  const handlers = createJobHandlers({
    database,
    checkRequest: checkHead,
    onJobAdded: () => undefined,
    onStopWanted: () => undefined,
    logger,
    ...given,
    limits: { queueTimeoutMs: 60_000, ...given.limits },
  });
  return createHttpServer({
    host: '127.0.0.1',
    port: 0,
    portVariable: 'JOB_PORT',
    apiKeys: [],
    bodyLimit: 16 * 1024 * 1024,
    maxBodyOctets: 64 * 1024 * 1024,
    formatError: formatJobError,
    register: (app) => registerCalls(app, jobCalls, handlers, logger),
    checks: {},
    metrics: createMetrics(),
    logger,
  });
}

/** In the place of the threads: takes all that is JSON, but what has `"refused"`. */
const checkHead: JobApiOptions['checkRequest'] = async (submittedAs, octets) => {
  try {
    const body = decodeJson(octets);
    if (typeof body === 'object' && body !== null && 'refused' in body) {
      throw new ProbeTaskError('INVALID_REQUEST', 'links.0.remote: there is no node P9', { total: 1 });
    }
    if (submittedAs !== 'submit') {
      const type = submittedAs === 'bod_reoptimise' ? 'bod_reopt' : submittedAs;
      return { ok: true, type, idempotencyKey: undefined };
    }
    const { type, idempotency_key: key } = submissionSchema.parse(body);
    return { ok: true, type, idempotencyKey: key ?? undefined };
  } catch (error) {
    if (error instanceof ProbeTaskError) return { ok: false, error };
    throw error;
  }
};

export function createJobClient(url: () => string): JobClient {
  const fetchJson: JobClient['fetch'] = async (path, { method = 'GET', body, headers = {} } = {}) => {
    const given = body === undefined ? {} : { body: Buffer.from(body) };
    const response = await fetch(`${url()}${path}`, { method, headers, ...given });
    return { status: response.status, reply: await response.json() };
  };
  const ask: JobClient['ask'] = ({ method = 'POST', path }, request, headers) =>
    method === 'GET'
      ? fetchJson(`${path}?${queryOf(request)}`)
      : fetchJson(path, { method, body: JSON.stringify(request), ...(headers && { headers }) });
  return {
    fetch: fetchJson,
    ask,
    async call(call, request, headers) {
      const { status, reply } = await ask(call, request, headers);
      if (status !== 200) throw new Error(`${call.path}: ${status} ${JSON.stringify(reply)}`);
      return call.reply.parse(reply).data;
    },
  };
}

function queryOf(request: object): URLSearchParams {
  return new URLSearchParams(
    Object.entries(request).map(([name, value]): [string, string] => [name, String(value)]),
  );
}

/** What an error comes back as. */
export function refused(status: number, code: string, message: unknown): Answer {
  return { status, reply: { status: false, info: { code, message, retryable: status >= 429 }, data: {} } };
}
