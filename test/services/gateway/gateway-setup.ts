// A real gateway process with a bus and a database of its own, for a file of tests; agents are scripted.
import { afterAll, beforeAll } from 'vitest';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import { type ReceivedOrder, type ScriptedAgent, startScriptedAgent } from '../../helpers/scripted-agent.ts';
import { connectTestClient, readMetric, type TestClient } from '../../helpers/test-client.ts';

export const servers = ['192.0.2.1', '192.0.2.2'];
export const target = { type: 'domain', rtype: 'A', data: 'x.example' } as const;
export const probe = { target, probe_data: { dns_servers: servers } };
export const verboseProbe = { ...probe, target: [target] };

export function answerAll({ cellCount, answer }: ReceivedOrder): void {
  answer(...Array.from({ length: cellCount }, (_, cell) => cell));
}

export function inProvince(province: string) {
  return { regions: [[86, province]] };
}

export type ScriptedAgentOptions = Omit<Parameters<typeof startScriptedAgent>[0], 'natsUrl'>;

/** Starts it all before the tests of the calling file, and ends it after them. */
export function useGateway() {
  let nats: TestNatsServer;
  let database: TestDatabase;
  let gateway: TestService;
  let client: TestClient;
  const agents: ScriptedAgent[] = [];

  beforeAll(async () => {
    nats = await startNatsServer();
    database = await createTestDatabase();
    gateway = await spawnService('gateway', {
      NATS_URL: nats.url,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'debug',
      GATEWAY_MAX_PROBES: '8',
    });
    client = await connectTestClient(nats.url);
  });

  afterAll(async () => {
    for (const agent of agents) await agent.stop();
    await client.stop();
    await gateway.stop();
    await database.drop();
    await nats.stop();
  });

  async function startAgent(options: ScriptedAgentOptions): Promise<ScriptedAgent> {
    const agent = await startScriptedAgent({ natsUrl: nats.url, ...options });
    agents.push(agent);
    return agent;
  }

  return {
    startAgent,
    /** Each test has a province of its own, so that it meets its own agents only. */
    async startAgents(province: string, ...scripts: ((received: ReceivedOrder) => void)[]) {
      const started: ScriptedAgent[] = [];
      for (const [index, script] of scripts.entries()) {
        started.push(await startAgent({ id: `${province}-${index}`, place: { province }, script }));
      }
      return started;
    },
    client: () => client,
    gateway: () => gateway,
    dropped: (reason: string) =>
      readMetric(gateway.metricsUrl, 'probe_agent_replies_dropped_total', `reason="${reason}"`),
  };
}
