// The one-shot path of a real gateway process, with agents that behave and agents that do not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxOutcomeMessageOctets } from '../../../contracts/agent.ts';
import { headers, internalSubjects, subjects } from '../../../contracts/subjects.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import {
  outcomeOf,
  type ReceivedOrder,
  type ScriptedAgent,
  startScriptedAgent,
} from '../../helpers/scripted-agent.ts';
import { connectTestClient, readMetric, type TestClient, until } from '../../helpers/test-client.ts';

const servers = ['192.0.2.1', '192.0.2.2'];
const target = { type: 'domain', rtype: 'A', data: 'x.example' } as const;
const probe = { target, probe_data: { dns_servers: servers } };
const verboseProbe = { ...probe, target: [target] };

let nats: TestNatsServer;
let database: TestDatabase;
let gateway: TestService;
let client: TestClient;
const agents: ScriptedAgent[] = [];

/** Each test has a province of its own, so that it meets its own agents only. */
async function startAgents(province: string, ...scripts: ((received: ReceivedOrder) => void)[]) {
  const started: ScriptedAgent[] = [];
  for (const [index, script] of scripts.entries()) {
    const id = `${province}-${index}`;
    started.push(await startScriptedAgent({ natsUrl: nats.url, id, place: { province }, script }));
  }
  agents.push(...started);
  return started;
}

function answerAll({ cellCount, answer }: ReceivedOrder): void {
  answer(...Array.from({ length: cellCount }, (_, cell) => cell));
}

function inProvince(province: string) {
  return { regions: [[86, province]] };
}

function dropped(reason: string): Promise<number> {
  return readMetric(gateway.metricsUrl, 'probe_agent_replies_dropped_total', `reason="${reason}"`);
}

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

describe('a reply', () => {
  test('comes as soon as all cells are in, with the counts in its headers', async () => {
    await startAgents('early', answerAll, answerAll);
    const startedAt = performance.now();
    const reply = await client.request(
      subjects.oneShoot,
      JSON.stringify({ ...probe, ...inProvince('early'), resp_timeout: 60 }),
    );
    expect(reply.json()).toEqual({ results: ['192.0.2.0', '192.0.2.1'] });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(reply.headers?.get(headers.expected)).toBe('4');
    expect(reply.headers?.get(headers.answered)).toBe('4');
    expect(reply.headers?.has('Status')).toBe(false);
  });

  test('leaves before the deadline with what came, and rows for what did not', async () => {
    await startAgents(
      'partial',
      answerAll,
      ({ answer }) => answer(1),
      () => undefined,
    );
    const startedAt = performance.now();
    const reply = await client.request(
      subjects.oneShootVerbose,
      JSON.stringify({ ...verboseProbe, ...inProvince('partial'), resp_timeout: 1 }),
    );
    const elapsedMs = performance.now() - startedAt;
    expect(elapsedMs).toBeGreaterThan(700);
    expect(elapsedMs).toBeLessThan(1000);
    const { results } = reply.json<{
      results: { agent_id: string; dns_server: string; dns_response_status: string }[];
    }>();
    expect(results.map((row) => [row.agent_id, row.dns_server, row.dns_response_status])).toEqual([
      ['partial-0', '192.0.2.1', 'NOERROR'],
      ['partial-0', '192.0.2.2', 'NOERROR'],
      ['partial-1', '192.0.2.1', 'AGENT_NO_REPLY'],
      ['partial-1', '192.0.2.2', 'NOERROR'],
      ['partial-2', '192.0.2.1', 'AGENT_NO_REPLY'],
      ['partial-2', '192.0.2.2', 'AGENT_NO_REPLY'],
    ]);
    expect(reply.headers?.get(headers.expected)).toBe('6');
    expect(reply.headers?.get(headers.answered)).toBe('3');
  });

  test('tells the agents a budget below the time that is left', async () => {
    const [agent] = await startAgents('budget', answerAll);
    await client.call('oneShoot', { ...probe, ...inProvince('budget'), resp_timeout: 2 });
    const { order } = (await agent?.received(1)) ?? {};
    expect(order?.budget_ms).toBeGreaterThan(1500);
    expect(order?.budget_ms).toBeLessThan(1950);
    expect(order?.targets).toEqual([{ domain: 'x.example', rtype: 'A' }]);
  });

  test('carries AGENT_OVERLOADED rows of an agent that refuses, without waiting for more', async () => {
    await startAgents('refusing', ({ order, reply }) =>
      reply({ kind: 'refused', order_id: order.order_id, status: 'AGENT_OVERLOADED' }),
    );
    const { results } = await client.call('oneShootVerbose', {
      ...verboseProbe,
      ...inProvince('refusing'),
      resp_timeout: 60,
    });
    expect(results.map((row) => row.dns_response_status)).toEqual(['AGENT_OVERLOADED', 'AGENT_OVERLOADED']);
    await expect(client.call('oneShoot', { ...probe, ...inProvince('refusing') })).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
  });

  test('does not wait for an agent that announces itself but takes no orders', async () => {
    agents.push(await startScriptedAgent({ natsUrl: nats.url, id: 'ghost', place: { province: 'ghost' } }));
    const { results } = await client.call('oneShootVerbose', {
      ...verboseProbe,
      ...inProvince('ghost'),
      resp_timeout: 60,
    });
    expect(results.map((row) => row.dns_response_status)).toEqual(['AGENT_NO_REPLY', 'AGENT_NO_REPLY']);
  });
});

describe('an agent', () => {
  test('that answers twice, for cells not its own, for another order or with garbage changes nothing', async () => {
    await startAgents('liar', (received) => {
      const { order, reply, answer } = received;
      reply('not json');
      reply(new Uint8Array([0xff, 0x00]));
      reply('{"kind":"outcomes","order_id":"x"}');
      reply({ kind: 'outcomes', order_id: 'of someone else', outcomes: [outcomeOf(0)] });
      reply({ kind: 'outcomes', order_id: order.order_id, outcomes: [outcomeOf(99)] });
      answer(0);
      reply({
        kind: 'outcomes',
        order_id: order.order_id,
        outcomes: [outcomeOf(0, { status: 'SERVFAIL' }), outcomeOf(1)],
      });
    });
    const before = await Promise.all(['garbage', 'foreign', 'duplicate'].map(dropped));
    const { results } = await client.call('oneShootVerbose', { ...verboseProbe, ...inProvince('liar') });
    expect(results.map((row) => row.dns_response_status)).toEqual(['NOERROR', 'NOERROR']);
    const after = await Promise.all(['garbage', 'foreign', 'duplicate'].map(dropped));
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([3, 2, 1]);
  });

  test('that answers late is dropped and counted, and the next request is not touched by it', async () => {
    const [agent] = await startAgents('late', () => undefined);
    await expect(
      client.call('oneShoot', { ...probe, ...inProvince('late'), resp_timeout: 1 }),
    ).rejects.toMatchObject({ code: 'AGENTS_SILENT' });
    const before = await dropped('late');
    const first = await agent?.received(1);
    if (first !== undefined) answerAll(first);
    await until(async () => (await dropped('late')) === before + 1);
  });

  test('cannot answer for another agent', async () => {
    // The thief learns of the other's order by listening to everything, as a client without permissions could.
    const stolen: string[] = [];
    const spy = client.raw.subscribe('probe.agent.honest-0.order', {
      callback: (_error, message) => stolen.push(message.reply ?? ''),
    });
    const [honest, thief] = await startAgents('honest', () => undefined, answerAll);
    const pending = client.call('oneShootVerbose', {
      ...verboseProbe,
      ...inProvince('honest'),
      resp_timeout: 1,
    });
    const order = await thief?.received(1);
    await honest?.received(1);
    order?.reply({
      kind: 'outcomes',
      order_id: honest?.orders[0]?.order.order_id ?? '',
      outcomes: [outcomeOf(0)],
    });
    const { results } = await pending;
    spy.unsubscribe();
    expect(stolen).toHaveLength(1);
    expect(results.map((row) => [row.agent_id, row.dns_response_status])).toEqual([
      ['honest-0', 'AGENT_NO_REPLY'],
      ['honest-0', 'AGENT_NO_REPLY'],
      ['honest-1', 'NOERROR'],
      ['honest-1', 'NOERROR'],
    ]);
  });

  test('is asked no more once it drains, unless another process took its id', async () => {
    const [agent] = await startAgents('draining', answerAll);
    await agent?.announce({ session: 'an older process', state: 'draining' });
    await client.call('oneShoot', { ...probe, ...inProvince('draining') });
    await agent?.announce({ state: 'draining' });
    await expect(client.call('oneShoot', { ...probe, ...inProvince('draining') })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
  });

  test('sends an outcome larger than a message in parts', async () => {
    const result = 'y'.repeat(maxOutcomeMessageOctets * 2);
    await startAgents('large', ({ order, reply, answer }) => {
      const record = { name: 'x.example.', ttl: 60, rdclass: 'IN', rdtype: 'A', result };
      const text = JSON.stringify(outcomeOf(0, { answer: [record] }));
      const half = Math.ceil(text.length / 2);
      reply({
        kind: 'fragment',
        order_id: order.order_id,
        cell: 0,
        part: 1,
        parts: 2,
        text: text.slice(half),
      });
      reply({
        kind: 'fragment',
        order_id: order.order_id,
        cell: 0,
        part: 0,
        parts: 2,
        text: text.slice(0, half),
      });
      answer(1);
    });
    const { results } = await client.call('oneShoot', { ...probe, ...inProvince('large') });
    expect(results).toEqual([result, '192.0.2.1']);
  });
});

describe('a request', () => {
  test('for a group takes the agents of its places and those configured with it', async () => {
    await startAgents('grouped', answerAll);
    agents.push(
      await startScriptedAgent({
        natsUrl: nats.url,
        id: 'configured',
        place: { province: 'elsewhere' },
        groups: [31],
        script: answerAll,
      }),
    );
    await client.call('groupDetailSet', { group_id: 31, details: [{ country: 86, province: 'grouped' }] });
    const ask = () => client.call('oneShootVerbose', { ...verboseProbe, group_id: 31 });
    expect(new Set((await ask()).results.map((row) => row.agent_id))).toEqual(
      new Set(['grouped-0', 'configured']),
    );
    await client.call('groupDetailDelete', { group_id: 31 });
    expect(new Set((await ask()).results.map((row) => row.agent_id))).toEqual(new Set(['configured']));
  });

  test('for an unknown group or region is NO_AGENTS', async () => {
    await expect(client.call('oneShoot', { ...probe, group_id: 4242 })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
    await expect(client.call('oneShoot', { ...probe, regions: [['nowhere']] })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
  });

  test('without servers goes to the resolvers of the region, most specific first, else to those of the agent', async () => {
    const [agent] = await startAgents('resolvers', answerAll);
    const serversAsked = async () => {
      const { results } = await client.call('oneShootVerbose', {
        target: [target],
        ...inProvince('resolvers'),
      });
      return results.map((row) => row.dns_server);
    };
    expect(await serversAsked()).toEqual(['192.0.2.53']);
    await client.call('localDnsSet', {
      country: 86,
      province: 'resolvers',
      ips: ['192.0.2.61', '192.0.2.62'],
    });
    expect(await serversAsked()).toEqual(['192.0.2.61', '192.0.2.62']);
    const place = { country: '86', province: 'resolvers', city: '440400', carrier: '电信' };
    await client.call('localDnsSet', { ...place, ips: ['192.0.2.63'] });
    expect(await serversAsked()).toEqual(['192.0.2.63']);
    await client.call('localDnsDelete', place);
    await client.call('localDnsDelete', { country: '86', province: 'resolvers' });
    expect(await serversAsked()).toEqual(['192.0.2.53']);
    expect(agent?.orders).toHaveLength(4);
  });

  test('to an agent without any resolver has NO_RESOLVER rows', async () => {
    agents.push(
      await startScriptedAgent({
        natsUrl: nats.url,
        id: 'bare',
        place: { province: 'bare' },
        resolvers: [],
        script: answerAll,
      }),
    );
    const request = { target: [target], ...inProvince('bare') };
    const { results } = await client.call('oneShootVerbose', request);
    expect(results).toMatchObject([
      { dns_response_status: 'NO_RESOLVER', dns_server: '', delay: null, tries: 0 },
    ]);
    expect(await client.call('oneShoot', { ...request, target })).toEqual({ results: [] });
  });

  test('beyond what the gateway holds is OVERLOADED at once', async () => {
    const [agent] = await startAgents('busy', () => undefined);
    const held = Array.from({ length: 8 }, () =>
      client.call('oneShootVerbose', { ...verboseProbe, ...inProvince('busy'), resp_timeout: 1 }),
    );
    await agent?.received(8);
    await expect(
      client.call('oneShootVerbose', { ...verboseProbe, ...inProvince('busy'), resp_timeout: 1 }),
    ).rejects.toMatchObject({ code: 'OVERLOADED' });
    for (const { results } of await Promise.all(held)) expect(results).toHaveLength(2);
  });

  test('of a million cells is refused with both numbers', async () => {
    await startAgents('million', answerAll);
    const request = {
      target: Array.from({ length: 1000 }, () => target),
      probe_data: { dns_servers: Array.from({ length: 1000 }, (_, index) => `192.0.2.${index % 256}`) },
      ...inProvince('million'),
    };
    await expect(client.call('oneShootVerbose', request)).rejects.toMatchObject({
      code: 'PLAN_TOO_LARGE',
      details: { cells: 1_000_000, limit: 10_000 },
    });
  });

  test('with 100,000 servers, more than a megabyte, is refused and others go on meanwhile', async () => {
    await startAgents('servers', answerAll);
    const request = {
      target,
      probe_data: { dns_servers: Array.from({ length: 100_000 }, (_, index) => `10.0.${index % 256}.1`) },
      ...inProvince('servers'),
    };
    expect(JSON.stringify(request).length).toBeGreaterThan(1024 * 1024);
    const [large, small] = await Promise.allSettled([
      client.call('oneShoot', request),
      client.call('oneShoot', { ...probe, ...inProvince('servers') }),
    ]);
    expect(large).toMatchObject({ reason: { code: 'PLAN_TOO_LARGE' } });
    expect(small.status).toBe('fulfilled');
  });

  test('whose reply is larger than a message is told both sizes, and the connection stays', async () => {
    const result = 'z'.repeat(60_000);
    await startAgents('huge', ({ order, cellCount, reply }) => {
      const record = { name: 'x.example.', ttl: 60, rdclass: 'IN', rdtype: 'A', result };
      for (let cell = 0; cell < cellCount; cell += 1) {
        reply({
          kind: 'outcomes',
          order_id: order.order_id,
          outcomes: [outcomeOf(cell, { answer: [record] })],
        });
      }
    });
    const request = { ...inProvince('huge'), target: Array.from({ length: 75 }, () => target) };
    const large = client.call('oneShootVerbose', { ...request, probe_data: { dns_servers: servers } });
    await expect(large).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 8 * 1024 * 1024 },
    });
    await client.call('oneShoot', { ...probe, ...inProvince('huge') });
    expect((await gateway.readLog()).some((line) => line.includes('bus is away'))).toBe(false);
  });

  test('carries its trace id into the log, else its message id', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const options = { headers: { [headers.traceParent]: `00-${trace}-b7ad6b7169203331-01` } };
    await startAgents('traced', answerAll);
    await client.call('oneShoot', { ...probe, ...inProvince('traced') }, options);
    await client.call(
      'oneShoot',
      { ...probe, ...inProvince('traced') },
      { headers: { [headers.messageId]: 'id-77' } },
    );
    // The log line of a request is written after its reply is sent.
    const loggedIds = async () =>
      (await gateway.readLog()).map((line): unknown => JSON.parse(line).request_id);
    await until(async () => (await loggedIds()).includes(trace));
    await until(async () => (await loggedIds()).includes('id-77'));
  });
});

describe('a message nobody can be told about', () => {
  test('without a reply subject or with one of ours is counted, and publishes nothing', async () => {
    const seen: string[] = [];
    const spy = client.raw.subscribe('probe.agent.victim.order', {
      callback: (_error, message) => seen.push(message.string()),
    });
    const refused = () =>
      readMetric(
        gateway.metricsUrl,
        'probe_rpc_requests_total',
        `subject="${subjects.taskGet}",code="INVALID_REQUEST"`,
      );
    const before = await refused();
    client.raw.publish(subjects.taskGet, 'null');
    for (const reply of [
      'probe.agent.victim.order',
      internalSubjects.heartbeat,
      '$SRV.PING',
      subjects.taskGet,
    ]) {
      client.raw.publish(subjects.taskGet, 'null', { reply });
    }
    await until(async () => (await refused()) === before + 5);
    await client.raw.flush();
    spy.unsubscribe();
    expect(seen).toEqual([]);
  });
});

describe('heartbeats', () => {
  test('that are garbage are counted and harm nothing', async () => {
    const before = await readMetric(gateway.metricsUrl, 'probe_heartbeats_refused_total');
    for (const body of ['', 'x', '{}', '{"agent_id":"a b"}', new Uint8Array([0xff])]) {
      client.raw.publish(internalSubjects.heartbeat, body);
    }
    await until(
      async () => (await readMetric(gateway.metricsUrl, 'probe_heartbeats_refused_total')) === before + 5,
    );
    expect((await client.call('agentGet', {})).map(({ agent_id }) => agent_id)).not.toContain('a b');
  });
});

describe('the service protocol', () => {
  test('answers PING, INFO and STATS by name and id', async () => {
    const ping = (await client.request('$SRV.PING', '')).json<{ name: string; id: string; type: string }>();
    expect(ping).toMatchObject({ name: 'probe-gateway', type: 'io.nats.micro.v1.ping_response' });
    const info = (await client.request(`$SRV.INFO.${ping.name}`, '')).json<{
      endpoints: { subject: string }[];
    }>();
    expect(info.endpoints.map(({ subject }) => subject).sort()).toEqual(Object.values(subjects).sort());
    const stats = (await client.request(`$SRV.STATS.${ping.name}.${ping.id}`, '')).json<{
      endpoints: {
        subject: string;
        num_requests: number;
        num_errors: number;
        average_processing_time: number;
      }[];
    }>();
    const oneShoot = stats.endpoints.find(({ subject }) => subject === subjects.oneShoot);
    expect(oneShoot?.num_requests).toBeGreaterThan(oneShoot?.num_errors ?? 0);
    expect(oneShoot?.average_processing_time).toBeGreaterThan(0);
  });
});
