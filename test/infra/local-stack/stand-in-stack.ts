// The local stack with stand-in services, run by the tests as a process of its own.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { resolveDataFolder } from '../../../infra/local-stack/data-folder.ts';
import { runStackProcess } from '../../../infra/local-stack/run-stack.ts';
import type { StackService } from '../../../infra/local-stack/services.ts';
import { StackError } from '../../../infra/local-stack/stack-error.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(sql);
  await client.end();
}

function standIn(name: string): StackService {
  const { STAND_IN_BROKEN, STAND_IN_UNREADY, STAND_IN_API_PORT } = process.env;
  const kind = STAND_IN_BROKEN === name ? 'configuration' : STAND_IN_UNREADY === name ? 'unready' : undefined;
  const port = name === 'second' && STAND_IN_API_PORT !== undefined;
  const fault = kind === undefined ? {} : { STAND_IN_FAULT: kind };
  return {
    name,
    script: 'test/infra/local-stack/stand-in-service.ts',
    env: { STAND_IN_NAME: name, ...fault },
    ...(name === 'first' ? { folder: { variable: 'FIRST_FOLDER', name: 'of-the-first' } } : {}),
    ...(port ? { port: { variable: 'SECOND_PORT', preferred: Number(STAND_IN_API_PORT) } } : {}),
  };
}

/** Tools that are there, that cannot be had, or that come with the file `tools` in the data folder, whatever is asked (`stubborn`). */
async function provideTools(signal: AbortSignal | undefined): Promise<void> {
  if (process.env.STAND_IN_TOOLS === 'missing') {
    throw new StackError('PROGRAM_MISSING', 'the second does nothing without a tool: install it');
  }
  const { STAND_IN_TOOLS: kind } = process.env;
  if (kind !== 'slow' && kind !== 'stubborn') return;
  const file = join(resolveDataFolder(process.env), 'tools');
  const until = kind === 'slow' ? { signal } : {};
  await waitUntil(async () => (existsSync(file) ? true : null), { timeoutMs: 60_000, ...until });
}

const natsPort = Number(process.env.STAND_IN_NATS_PORT ?? 0);
const firstMetrics = Number(process.env.STAND_IN_METRICS_PORT ?? 0);

await runStackProcess(
  {
    services: [standIn('first'), standIn('second')],
    provideTools: ({ signal }) => provideTools(signal),
    migrate: (databaseUrl) => execute(databaseUrl, 'create table if not exists visit (id int)'),
    seed: (databaseUrl) => execute(databaseUrl, 'insert into visit values (1)'),
    startExampleZone: async ({ host, port }) => {
      const server = createServer();
      server.listen(port, host);
      await once(server, 'listening');
      return { address: `${host}:${port}`, stop: async () => void server.close() };
    },
  },
  {
    dataFolder: resolveDataFolder(process.env),
    env: process.env,
    isDurable: false,
    ...(process.env.STAND_IN_STUBBORN === undefined ? {} : { sameKeystrokeMs: 0 }),
    ...(process.env.STAND_IN_UNREADY === undefined ? {} : { readyTimeoutMs: 500 }),
    ...(process.env.STAND_IN_TOOLS_TIMEOUT === undefined
      ? {}
      : { toolsTimeoutMs: Number(process.env.STAND_IN_TOOLS_TIMEOUT) }),
    ports: { nats: natsPort, postgres: 0, exampleZone: 0, firstMetrics },
    restart: { firstPauseMs: 10, longestPauseMs: 100, maxFailures: 3, stableAfterMs: 60_000 },
  },
);
