// Gateway and agents as real processes on a real bus: the whole way of a probe.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepUntilTestEnd } from '../helpers/cleanup.ts';
import { startNatsServer, type TestNatsServer } from '../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { spawnService, type TestService } from '../helpers/processes.ts';
import { replyTo, type Script, startScriptedDnsServer } from '../helpers/scripted-dns-server.ts';
import { connectTestClient, type TestClient, until } from '../helpers/test-client.ts';

const target = { type: 'domain', rtype: 'A', data: 'x.example' } as const;

let nats: TestNatsServer;
let database: TestDatabase;
let gateway: TestService;
let client: TestClient;

beforeAll(async () => {
  nats = await startNatsServer();
  database = await createTestDatabase();
  gateway = await spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: database.url });
  client = await connectTestClient(nats.url);
});
afterAll(async () => {
  await client.stop();
  await gateway.stop();
  await database.drop();
  await nats.stop();
});

async function startAgent(id: string, province: string): Promise<TestService> {
  const agent = await spawnService('agent', {
    NATS_URL: nats.url,
    AGENT_ID: id,
    AGENT_COUNTRY: '86',
    AGENT_PROVINCE: province,
    AGENT_CITY: '1',
    AGENT_CARRIER: '电信',
  });
  await until(async () => (await client.call('agentGet', {})).some(({ agent_id }) => agent_id === id));
  return agent;
}

async function startDns(script: Script): Promise<{ text: string; received(count: number): Promise<void> }> {
  const server = keepUntilTestEnd(await startScriptedDnsServer(script));
  return { text: `${server.address}:${server.port}`, received: (count) => server.received(count) };
}

const answerA: Script = (query) =>
  query.send(replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: '192.0.2.7' }] }));

describe('a probe', () => {
  test('from an agent killed mid-order has AGENT_NO_REPLY rows for it and the rows of the others', async () => {
    keepUntilTestEnd(await startAgent('survivor', 'kill'));
    const victim = await startAgent('victim', 'kill');
    const { text: quick } = await startDns(answerA);
    const held: (() => void)[] = [];
    const slow = await startDns((query, number) => held.push(() => answerA(query, number)));
    const startedAt = performance.now();
    const pending = client.call('oneShootVerbose', {
      target: [target],
      probe_data: { dns_servers: [quick, slow.text] },
      regions: [[86, 'kill']],
      resp_timeout: 3,
    });
    await slow.received(2);
    await victim.kill();
    for (const answer of held) answer();
    const { results } = await pending;
    // The caller's own limit: the test shares two cores with all it started.
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(results.map((row) => [row.agent_id, row.dns_server])).toEqual([
      ['survivor', quick],
      ['survivor', slow.text],
      ['victim', quick],
      ['victim', slow.text],
    ]);
    expect(results.slice(0, 2).map((row) => row.dns_response_status)).toEqual(['NOERROR', 'NOERROR']);
    expect(results[3]).toMatchObject({ dns_response_status: 'AGENT_NO_REPLY', delay: null });
  });

  test('tells rcode, refusal, silence and garbage of servers apart, each in its row', async () => {
    keepUntilTestEnd(await startAgent('judge', 'faults'));
    const scripts: [Script, string][] = [
      [answerA, 'NOERROR'],
      [(query) => query.send(replyTo(query, { rcode: 3 })), 'NXDOMAIN'],
      [(query) => query.send(replyTo(query, { rcode: 5 })), 'REFUSED'],
      [() => undefined, 'TIMEOUT'],
      [(query) => query.send(replyTo(query).subarray(0, -1)), 'TIMEOUT'],
      [(query) => query.send(Buffer.concat([replyTo(query), Buffer.from([1])])), 'MALFORMED'],
    ];
    const servers: string[] = [];
    for (const [script] of scripts) servers.push((await startDns(script)).text);
    const { results } = await client.call('oneShootVerbose', {
      target: [target],
      probe_data: { dns_servers: [...servers, '127.0.0.1:1'] },
      regions: [[86, 'faults']],
      resp_timeout: 1,
    });
    const statuses = results.map((row) => row.dns_response_status);
    expect(statuses).toEqual([...scripts.map(([, status]) => status), 'CONN_REFUSED']);
    for (const { delay, dns_response_status: status } of results) {
      if (['NOERROR', 'NXDOMAIN', 'REFUSED'].includes(status)) expect(delay).toBeGreaterThan(0);
      else expect(delay).toBeNull();
    }
  });

  test('of 9,000 cells over three agents is whole', async () => {
    for (const id of ['a', 'b', 'c']) keepUntilTestEnd(await startAgent(id, 'many'));
    const { text } = await startDns(answerA);
    const targets = Array.from({ length: 3000 }, (_, index) => ({ ...target, data: `n${index}.example` }));
    const { results } = await client.call('oneShootVerbose', {
      target: targets,
      probe_data: { dns_servers: [text] },
      regions: [[86, 'many']],
      resp_timeout: 15,
    });
    expect(results).toHaveLength(9000);
    expect(results.every((row) => row.dns_response_status === 'NOERROR')).toBe(true);
    expect(results.map((row) => row.domain)).toEqual(
      [...targets, ...targets, ...targets].map(({ data }) => data),
    );
  });
});
