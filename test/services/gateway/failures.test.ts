// What callers get while servers die: Postgres away, NATS killed, gateways killed and stopped.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFailed, onTestFinished, type TestContext, test } from 'vitest';
import { decodeReply } from '../../../contracts/decode.ts';
import { type RpcInput, rpcs } from '../../../contracts/rpc.ts';
import { subjects } from '../../../contracts/subjects.ts';
import { migrateToLatest } from '../../../infra/database/migrate.ts';
import { startPostgres } from '../../../infra/local-stack/postgres.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase } from '../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import { type ReceivedOrder, startScriptedAgent } from '../../helpers/scripted-agent.ts';
import { connectTestClient, readMetric, until } from '../../helpers/test-client.ts';

const probe: RpcInput<'oneShoot'> = {
  target: { type: 'domain', rtype: 'A', data: 'x.example' },
  probe_data: { dns_servers: ['192.0.2.1'] },
};

async function startNats(): Promise<TestNatsServer> {
  return keepUntilTestEnd(await startNatsServer());
}

/** Postgres is away unless a URL is given: port 1 of loopback refuses. */
function startGateway(
  nats: TestNatsServer,
  databaseUrl = 'postgres://nobody@127.0.0.1:1/none',
): Promise<TestService> {
  return spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: databaseUrl });
}

async function startAgent(nats: TestNatsServer, script: (received: ReceivedOrder) => void) {
  return keepUntilTestEnd(await startScriptedAgent({ natsUrl: nats.url, id: 'one', script }));
}

/** As `keepUntilTestEnd`, for a test beside which others run. */
function keeperOf({ onTestFinished: atEnd }: TestContext) {
  return <Item extends { stop(): Promise<unknown> }>(item: Item): Item => {
    atEnd(async () => void (await item.stop()));
    return item;
  };
}

async function query(url: string, sql: string) {
  const connection = new Client({ connectionString: url });
  await connection.connect();
  try {
    return await connection.query(sql);
  } finally {
    await connection.end();
  }
}

const others = 'pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
const idleInTransaction = `select pid from ${others} and state like 'idle in transaction%'`;
const terminateOthers = `select pg_terminate_backend(pid) from ${others}`;

async function backendsOf(url: string): Promise<number[]> {
  return (await query(url, `select pid from ${others}`)).rows.map(({ pid }) => pid);
}

function answerAll({ cellCount, answer }: ReceivedOrder): void {
  answer(...Array.from({ length: cellCount }, (_, cell) => cell));
}

describe('while Postgres is away', () => {
  test('one-shot probes work, and what needs it is UNAVAILABLE', async () => {
    const nats = await startNats();
    keepUntilTestEnd(await startGateway(nats));
    await startAgent(nats, answerAll);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    expect(await client.call('oneShoot', probe)).toEqual({ results: ['192.0.2.0'] });
    const away = { code: 'UNAVAILABLE' };
    await expect(client.call('taskGet', {})).rejects.toMatchObject(away);
    await expect(client.call('localDnsGet', {})).rejects.toMatchObject(away);
    await expect(
      client.call('taskCreate', { cycle: 60, target: [{ type: 'domain', data: 'x.example' }] }),
    ).rejects.toMatchObject(away);
    await expect(client.call('oneShoot', { ...probe, group_id: 5 })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
  });

  test('a Postgres that accepts and never answers costs a caller seconds, not its reply', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    onTestFinished(() => new Promise((resolve) => silent.close(() => resolve())));
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const nats = await startNats();
    keepUntilTestEnd(await startGateway(nats, `postgres://nobody@127.0.0.1:${port}/none`));
    await startAgent(nats, answerAll);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    const [tasks, results] = await Promise.allSettled([
      client.call('taskGet', {}),
      client.call('oneShoot', probe),
    ]);
    expect(tasks).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
    expect(results).toMatchObject({ value: { results: ['192.0.2.0'] } });
  });
});

describe('Postgres', () => {
  test('killed and back again: known groups stay known meanwhile, and tasks come back with it', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-failures-'));
    onTestFinished(() => rm(dataFolder, { recursive: true, force: true }));
    // Started by root, Postgres runs under another account and has to pass through here.
    await chmod(dataFolder, 0o711);
    const postgres = await startPostgres({ dataFolder, preferredPort: 0 });
    await migrateToLatest(postgres.url);
    const nats = await startNats();
    const gateway = keepUntilTestEnd(await startGateway(nats, postgres.url));
    await startAgent(nats, answerAll);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    await client.call('groupDetailSet', { group_id: 5, details: [{ country: 86 }] });

    await postgres.stop({ isForced: true });
    await expect(client.call('taskGet', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await client.call('oneShoot', { ...probe, group_id: 5 })).toEqual({ results: ['192.0.2.0'] });
    const ready = await fetch(`${gateway.metricsUrl}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { checks: { database: false } }]);

    const revived = keepUntilTestEnd(await startPostgres({ dataFolder, preferredPort: postgres.port }));
    expect(revived.port).toBe(postgres.port);
    expect(await client.call('taskGet', {})).toEqual([]);
    expect(await client.call('groupDetailGet', {})).toHaveLength(1);
  });
});

describe('a database that stands still or ends connections', () => {
  test('loses no write that was acknowledged, and a probe does not wait for it', async () => {
    const database = await createTestDatabase();
    onTestFinished(database.drop);
    const nats = await startNats();
    const env = { NATS_URL: nats.url, DATABASE_URL: database.url, GATEWAY_DATABASE_CONNECTIONS: '1' };
    keepUntilTestEnd(await spawnService('gateway', env));
    await startAgent(nats, answerAll);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    await client.call('taskGet', {});
    const pids = await backendsOf(database.url);
    const signalBackends = (signal: NodeJS.Signals) => {
      for (const pid of pids) process.kill(pid, signal);
    };
    signalBackends('SIGSTOP');
    onTestFailed(() => signalBackends('SIGCONT'));
    const target = [{ type: 'domain', data: 'x.example' }] as const;
    const stalled = Array.from({ length: 4 }, () =>
      client.call('taskCreate', { cycle: 60, target: [...target] }).then(
        () => 'OK',
        (error: unknown) => error,
      ),
    );
    const startedAt = performance.now();
    expect(
      await client.call('oneShoot', { ...probe, group_id: 77, regions: [[86]], resp_timeout: 1 }),
    ).toEqual({
      results: ['192.0.2.0'],
    });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    // The one that has the connection; the others waited for it.
    const codes = (await Promise.all(stalled)).map((result) =>
      typeof result === 'object' && result !== null && 'code' in result ? result.code : result,
    );
    expect(codes.toSorted()).toEqual(['OVERLOADED', 'OVERLOADED', 'OVERLOADED', 'UNAVAILABLE']);
    signalBackends('SIGCONT');

    const written = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        client.call('domainGroupCreate', { name: `group ${index}`, domains: ['x.example'] }),
      ),
    );
    const { rows } = await query(database.url, 'select id from domain_group order by id');
    expect(rows.map(({ id }) => id)).toEqual(written.map(({ id }) => id).sort((one, other) => one - other));
    expect((await query(database.url, idleInTransaction)).rows).toEqual([]);
  });

  test('that ends connections in use harms the callers that used them, not the gateway', async () => {
    const database = await createTestDatabase();
    onTestFinished(database.drop);
    const nats = await startNats();
    const gateway = keepUntilTestEnd(await startGateway(nats, database.url));
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    const codes = new Set<unknown>();
    for (let round = 0; round < 20; round += 1) {
      const calls = Promise.allSettled(Array.from({ length: 20 }, () => client.call('taskGet', {})));
      await query(database.url, terminateOthers);
      for (const result of await calls) {
        codes.add(result.status === 'fulfilled' ? 'OK' : result.reason.code);
      }
    }
    expect([...codes].filter((code) => code !== 'OK' && code !== 'UNAVAILABLE')).toEqual([]);
    expect(codes).toContain('UNAVAILABLE');
    // The pool may still hold connections whose end it has not heard of: each of them costs one call at most.
    await until(async () => {
      const [result] = await Promise.allSettled([client.call('taskGet', {})]);
      return result.status === 'fulfilled';
    });
    expect((await fetch(`${gateway.metricsUrl}/healthz`)).status).toBe(200);
  });
});

describe('two gateways', () => {
  test('share the load', async () => {
    const nats = await startNats();
    const gateways = [keepUntilTestEnd(await startGateway(nats)), keepUntilTestEnd(await startGateway(nats))];
    await startAgent(nats, answerAll);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    const calls = 200;
    await Promise.all(Array.from({ length: calls }, () => client.call('oneShoot', probe)));
    const served = await Promise.all(
      gateways.map(({ metricsUrl }) =>
        readMetric(metricsUrl, 'probe_rpc_requests_total', `subject="${subjects.oneShoot}",code="OK"`),
      ),
    );
    expect(served.reduce((sum, count) => sum + count)).toBe(calls);
    for (const count of served) expect(count).toBeGreaterThan(calls / 10);
  });

  test('one killed mid-request loses only what it held; its callers have an error by their deadline', async () => {
    const nats = await startNats();
    const victim = await startGateway(nats);
    const survivor = keepUntilTestEnd(await startGateway(nats));
    const calls = 40;
    // Agents answer when all orders are there and the victim is gone: every request is in flight when it dies.
    const agent = await startAgent(nats, () => undefined);
    const client = keepUntilTestEnd(await connectTestClient(nats.url));
    const startedAt = performance.now();
    const pending = Promise.allSettled(
      Array.from({ length: calls }, () => client.call('oneShoot', { ...probe, resp_timeout: 3 })),
    );
    await agent.received(calls);
    const held = await readMetric(victim.metricsUrl, 'probe_rpc_in_flight');
    await victim.kill();
    for (const order of agent.orders) answerAll(order);
    const settled = await pending;
    expect(performance.now() - startedAt).toBeLessThan(4500);
    expect(held).toBeGreaterThan(0);
    const lost = settled.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(held);
    for (const failure of lost) expect(failure).toMatchObject({ reason: { code: 'TIMEOUT' } });
    const served = `subject="${subjects.oneShoot}",code="OK"`;
    expect(await readMetric(survivor.metricsUrl, 'probe_rpc_requests_total', served)).toBe(calls - held);
    // What comes now goes to the survivor.
    const next = client.call('oneShoot', probe);
    answerAll(await agent.received(calls + 1));
    expect(await next).toEqual({ results: ['192.0.2.0'] });
  });
});

// They wait for most of their time, which they may do side by side.
describe.concurrent('nats-server', () => {
  test('killed mid-gather leaves the gateway able to serve once it is back', async (context) => {
    const keep = keeperOf(context);
    const nats = keep(await startNatsServer());
    const gateway = keep(await startGateway(nats));
    const agent = keep(await startScriptedAgent({ natsUrl: nats.url, id: 'one', script: () => undefined }));
    const client = keep(await connectTestClient(nats.url));
    const doomed = client.call('oneShoot', { ...probe, resp_timeout: 1 });
    const outcome = expect(doomed).rejects.toMatchObject({
      code: expect.stringMatching(/^(TIMEOUT|UNAVAILABLE)$/),
    });
    await agent.received(1);
    await nats.kill();
    await outcome;
    await nats.restart();
    await until(async () => (await fetch(`${gateway.metricsUrl}/readyz`)).status === 200);
    await client.raw.flush();
    await agent.announce();
    const served = client.request(subjects.oneShoot, JSON.stringify(probe));
    answerAll(await agent.received(2));
    expect(decodeReply(rpcs.oneShoot, (await served).data)).toEqual({ results: ['192.0.2.0'] });
  });

  test('away makes /readyz say so, and /healthz not', async (context) => {
    const keep = keeperOf(context);
    const nats = keep(await startNatsServer());
    const gateway = keep(await startGateway(nats));
    await nats.kill();
    await until(async () => (await fetch(`${gateway.metricsUrl}/readyz`)).status === 503);
    const ready = await (await fetch(`${gateway.metricsUrl}/readyz`)).json();
    expect(ready).toMatchObject({ status: 'not ready', checks: { bus: false, database: false } });
    expect((await fetch(`${gateway.metricsUrl}/healthz`)).status).toBe(200);
    await nats.restart();
  });
});

describe.concurrent('SIGTERM', () => {
  test('gives what was gathered to a caller whose time is longer than a stop takes', async (context) => {
    const keep = keeperOf(context);
    const nats = keep(await startNatsServer());
    const gateway = await startGateway(nats);
    const script = ({ answer }: ReceivedOrder) => answer(0);
    const agent = keep(await startScriptedAgent({ natsUrl: nats.url, id: 'one', script }));
    const client = keep(await connectTestClient(nats.url));
    const pending = client.call('oneShootVerbose', {
      target: [{ type: 'domain', data: 'x.example' }],
      probe_data: { dns_servers: ['192.0.2.1', '192.0.2.2'] },
      resp_timeout: 60,
    });
    await agent.received(1);
    await gateway.stop();
    const { results } = await pending;
    expect(results.map((row) => row.dns_response_status)).toEqual(['NOERROR', 'AGENT_NO_REPLY']);
  });

  test('lets requests in flight have their reply and takes no further ones', async (context) => {
    const keep = keeperOf(context);
    const nats = keep(await startNatsServer());
    const gateway = await startGateway(nats);
    const agent = keep(await startScriptedAgent({ natsUrl: nats.url, id: 'one', script: () => undefined }));
    const client = keep(await connectTestClient(nats.url));
    const pending = client.call('oneShoot', { ...probe, resp_timeout: 10 });
    const order = await agent.received(1);
    gateway.signal('SIGTERM');
    await until(async () => {
      const reply = client.call('agentGet', {}, { timeoutMs: 1000 });
      return reply.then(
        () => false,
        (error: unknown) => error instanceof Error && 'code' in error && error.code === 'UNAVAILABLE',
      );
    });
    answerAll(order);
    expect(await pending).toEqual({ results: ['192.0.2.0'] });
    await gateway.stop();
  });
});
