// The one-shot path of a real gateway process: what a reply holds, and which requests are refused.
import { describe, expect, test } from 'vitest';
import { headers, subjects } from '../../../contracts/subjects.ts';
import { outcomeOf } from '../../helpers/scripted-agent.ts';
import { until } from '../../helpers/test-client.ts';
import { answerAll, inProvince, probe, servers, target, useGateway, verboseProbe } from './gateway-setup.ts';

const { startAgent, startAgents, client, gateway } = useGateway();

describe('a reply', () => {
  test('comes as soon as all cells are in, with the counts in its headers', async () => {
    await startAgents('early', answerAll, answerAll);
    const startedAt = performance.now();
    const reply = await client().request(
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
    const reply = await client().request(
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
    await client().call('oneShoot', { ...probe, ...inProvince('budget'), resp_timeout: 2 });
    const { order } = (await agent?.received(1)) ?? {};
    expect(order?.budget_ms).toBeGreaterThan(1500);
    expect(order?.budget_ms).toBeLessThan(1950);
    expect(order?.targets).toEqual([{ domain: 'x.example', rtype: 'A' }]);
  });

  test('carries AGENT_OVERLOADED rows of an agent that refuses, without waiting for more', async () => {
    await startAgents('refusing', ({ order, reply }) =>
      reply({ kind: 'refused', order_id: order.order_id, status: 'AGENT_OVERLOADED' }),
    );
    const { results } = await client().call('oneShootVerbose', {
      ...verboseProbe,
      ...inProvince('refusing'),
      resp_timeout: 60,
    });
    expect(results.map((row) => row.dns_response_status)).toEqual(['AGENT_OVERLOADED', 'AGENT_OVERLOADED']);
    await expect(client().call('oneShoot', { ...probe, ...inProvince('refusing') })).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
  });

  test('does not wait for an agent that announces itself but takes no orders', async () => {
    await startAgent({ id: 'ghost', place: { province: 'ghost' } });
    const { results } = await client().call('oneShootVerbose', {
      ...verboseProbe,
      ...inProvince('ghost'),
      resp_timeout: 60,
    });
    expect(results.map((row) => row.dns_response_status)).toEqual(['AGENT_NO_REPLY', 'AGENT_NO_REPLY']);
  });
});

describe('a request', () => {
  test('for a group takes the agents of its places and those configured with it', async () => {
    await startAgents('grouped', answerAll);
    await startAgent({ id: 'configured', place: { province: 'elsewhere' }, groups: [31], script: answerAll });
    await client().call('groupDetailSet', { group_id: 31, details: [{ country: 86, province: 'grouped' }] });
    const ask = () => client().call('oneShootVerbose', { ...verboseProbe, group_id: 31 });
    expect(new Set((await ask()).results.map((row) => row.agent_id))).toEqual(
      new Set(['grouped-0', 'configured']),
    );
    await client().call('groupDetailDelete', { group_id: 31 });
    expect(new Set((await ask()).results.map((row) => row.agent_id))).toEqual(new Set(['configured']));
  });

  test('for an unknown group or region is NO_AGENTS', async () => {
    await expect(client().call('oneShoot', { ...probe, group_id: 4242 })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
    await expect(client().call('oneShoot', { ...probe, regions: [['nowhere']] })).rejects.toMatchObject({
      code: 'NO_AGENTS',
    });
  });

  test('without servers goes to the resolvers of the region, most specific first, else to those of the agent', async () => {
    const [agent] = await startAgents('resolvers', answerAll);
    const serversAsked = async () => {
      const { results } = await client().call('oneShootVerbose', {
        target: [target],
        ...inProvince('resolvers'),
      });
      return results.map((row) => row.dns_server);
    };
    expect(await serversAsked()).toEqual(['192.0.2.53']);
    await client().call('localDnsSet', {
      country: 86,
      province: 'resolvers',
      ips: ['192.0.2.61', '192.0.2.62'],
    });
    expect(await serversAsked()).toEqual(['192.0.2.61', '192.0.2.62']);
    const place = { country: '86', province: 'resolvers', city: '440400', carrier: '电信' };
    await client().call('localDnsSet', { ...place, ips: ['192.0.2.63'] });
    expect(await serversAsked()).toEqual(['192.0.2.63']);
    await client().call('localDnsDelete', place);
    await client().call('localDnsDelete', { country: '86', province: 'resolvers' });
    expect(await serversAsked()).toEqual(['192.0.2.53']);
    expect(agent?.orders).toHaveLength(4);
  });

  test('to an agent without any resolver has NO_RESOLVER rows', async () => {
    await startAgent({ id: 'bare', place: { province: 'bare' }, resolvers: [], script: answerAll });
    const request = { target: [target], ...inProvince('bare') };
    const { results } = await client().call('oneShootVerbose', request);
    expect(results).toMatchObject([
      { dns_response_status: 'NO_RESOLVER', dns_server: '', delay: null, tries: 0 },
    ]);
    expect(await client().call('oneShoot', { ...request, target })).toEqual({ results: [] });
  });

  test('beyond what the gateway holds is OVERLOADED at once', async () => {
    const [agent] = await startAgents('busy', () => undefined);
    const held = Array.from({ length: 8 }, () =>
      client().call('oneShootVerbose', { ...verboseProbe, ...inProvince('busy'), resp_timeout: 1 }),
    );
    await agent?.received(8);
    await expect(
      client().call('oneShootVerbose', { ...verboseProbe, ...inProvince('busy'), resp_timeout: 1 }),
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
    await expect(client().call('oneShootVerbose', request)).rejects.toMatchObject({
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
      client().call('oneShoot', request),
      client().call('oneShoot', { ...probe, ...inProvince('servers') }),
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
    const large = client().call('oneShootVerbose', { ...request, probe_data: { dns_servers: servers } });
    await expect(large).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 8 * 1024 * 1024 },
    });
    await client().call('oneShoot', { ...probe, ...inProvince('huge') });
    expect((await gateway().readLog()).some((line) => line.includes('bus is away'))).toBe(false);
  });

  test('carries its trace id into the log, else its message id', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const options = { headers: { [headers.traceParent]: `00-${trace}-b7ad6b7169203331-01` } };
    await startAgents('traced', answerAll);
    await client().call('oneShoot', { ...probe, ...inProvince('traced') }, options);
    await client().call(
      'oneShoot',
      { ...probe, ...inProvince('traced') },
      { headers: { [headers.messageId]: 'id-77' } },
    );
    // The log line of a request is written after its reply is sent.
    const loggedIds = async () =>
      (await gateway().readLog()).map((line): unknown => JSON.parse(line).request_id);
    await until(async () => (await loggedIds()).includes(trace));
    await until(async () => (await loggedIds()).includes('id-77'));
  });
});

describe('the service protocol', () => {
  test('answers PING, INFO and STATS by name and id', async () => {
    const ping = (await client().request('$SRV.PING', '')).json<{ name: string; id: string; type: string }>();
    expect(ping).toMatchObject({ name: 'probe-gateway', type: 'io.nats.micro.v1.ping_response' });
    const info = (await client().request(`$SRV.INFO.${ping.name}`, '')).json<{
      endpoints: { subject: string }[];
    }>();
    expect(info.endpoints.map(({ subject }) => subject).sort()).toEqual(Object.values(subjects).sort());
    const stats = (await client().request(`$SRV.STATS.${ping.name}.${ping.id}`, '')).json<{
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
