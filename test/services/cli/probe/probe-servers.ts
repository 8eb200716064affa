// What a probe from the shell needs: nats-server, a gateway, two agents and a DNS server.
import { vi } from 'vitest';
import { createBus } from '../../../../infra/bus/nats-bus.ts';
import { createProbeClient } from '../../../../infra/bus/probe-client.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { startNatsServer } from '../../../helpers/nats.ts';
import { createTestDatabase } from '../../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../../helpers/processes.ts';
import {
  replyTo,
  type ScriptedDnsServer,
  type ScriptedQuery,
  startScriptedDnsServer,
} from '../../../helpers/scripted-dns-server.ts';

export type ProbeServers = {
  natsUrl: string;
  databaseUrl: string;
  dns: ScriptedDnsServer;
  /** Its address as `-s` takes it. */
  server: string;
  /** In 86/110000/110100 联通. */
  agentInBeijing: TestService;
  /** In 86/440000/440100 电信. */
  agentInGuangdong: TestService;
  stop(): Promise<void>;
};

/** Resolves when the gateway knows both agents. */
export async function startProbeServers(): Promise<ProbeServers> {
  const [nats, database, dns] = await Promise.all([
    startNatsServer(),
    createTestDatabase(),
    startScriptedDnsServer(answer),
  ]);
  const [gateway, agentInBeijing, agentInGuangdong] = await Promise.all([
    spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: database.url }),
    spawnAgent(nats.url, 'agent-bj', ['110000', '110100', '联通']),
    spawnAgent(nats.url, 'agent-gd', ['440000', '440100', '电信']),
  ]);
  await waitForAgents(nats.url, 2);

  return {
    natsUrl: nats.url,
    databaseUrl: database.url,
    dns,
    server: `${dns.address}:${dns.port}`,
    agentInBeijing,
    agentInGuangdong,
    async stop() {
      await Promise.all([gateway, agentInBeijing, agentInGuangdong].map((service) => service.stop()));
      await Promise.all([database.drop(), dns.stop(), nats.stop()]);
    },
  };
}

function spawnAgent(
  natsUrl: string,
  id: string,
  [province, city, carrier]: [string, string, string],
): Promise<TestService> {
  return spawnService('agent', {
    NATS_URL: natsUrl,
    AGENT_ID: id,
    AGENT_COUNTRY: '86',
    AGENT_PROVINCE: province,
    AGENT_CITY: city,
    AGENT_CARRIER: carrier,
  });
}

async function waitForAgents(natsUrl: string, count: number): Promise<void> {
  const bus = createBus({
    config: { servers: [natsUrl] },
    name: 'test',
    logger: createLogger('test', 'silent'),
  });
  await bus.start();
  const client = createProbeClient(bus);
  await vi.waitUntil(async () => (await client.call('agentGet', {})).length === count, 10_000);
  await bus.stop();
}

/** An alias with two addresses; `silent…` gets no answer and `nope…` none but its rcode. */
function answer(query: ScriptedQuery): void {
  const { name } = query;
  if (name.startsWith('silent')) return;
  const address = (data: string) => ({ type: 'A', name: 'web.cli.test', ttl: 60, data }) as const;
  const alias = { type: 'CNAME', name, ttl: 60, data: 'web.cli.test' } as const;
  const reply = name.startsWith('nope')
    ? replyTo(query, { rcode: 3 })
    : replyTo(query, { answers: [alias, address('192.0.2.1'), address('192.0.2.2')] });
  query.send(reply);
}
