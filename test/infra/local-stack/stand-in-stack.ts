// The local stack with stand-in services, run by the tests as a process of its own.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Client } from 'pg';
import { resolveDataFolder } from '../../../infra/local-stack/data-folder.ts';
import { runStackProcess } from '../../../infra/local-stack/run-stack.ts';
import type { StackService } from '../../../infra/local-stack/services.ts';

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
    ...(port ? { port: { variable: 'SECOND_PORT', preferred: Number(STAND_IN_API_PORT) } } : {}),
  };
}

const natsPort = Number(process.env.STAND_IN_NATS_PORT ?? 0);
const firstMetrics = Number(process.env.STAND_IN_METRICS_PORT ?? 0);

await runStackProcess(
  {
    services: [standIn('first'), standIn('second')],
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
    ports: { nats: natsPort, postgres: 0, exampleZone: 0, firstMetrics },
    restart: { firstPauseMs: 10, longestPauseMs: 100, maxFailures: 3, stableAfterMs: 60_000 },
  },
);
