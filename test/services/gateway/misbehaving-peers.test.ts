// A real gateway process among agents and callers that misbehave.
import { describe, expect, test } from 'vitest';
import { maxOutcomeMessageOctets } from '../../../contracts/agent.ts';
import { internalSubjects, subjects } from '../../../contracts/subjects.ts';
import { outcomeOf } from '../../helpers/scripted-agent.ts';
import { readMetric, until } from '../../helpers/test-client.ts';
import { answerAll, inProvince, probe, useGateway, verboseProbe } from './gateway-setup.ts';

const { startAgents, client, gateway, dropped } = useGateway();

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
    const { results } = await client().call('oneShootVerbose', { ...verboseProbe, ...inProvince('liar') });
    expect(results.map((row) => row.dns_response_status)).toEqual(['NOERROR', 'NOERROR']);
    const after = await Promise.all(['garbage', 'foreign', 'duplicate'].map(dropped));
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([3, 2, 1]);
  });

  test('that answers late is dropped and counted, and the next request is not touched by it', async () => {
    const [agent] = await startAgents('late', () => undefined);
    await expect(
      client().call('oneShoot', { ...probe, ...inProvince('late'), resp_timeout: 1 }),
    ).rejects.toMatchObject({ code: 'AGENTS_SILENT' });
    const before = await dropped('late');
    const first = await agent?.received(1);
    if (first !== undefined) answerAll(first);
    await until(async () => (await dropped('late')) === before + 1);
  });

  test('cannot answer for another agent', async () => {
    // The thief learns of the other's order by listening to everything, as a client without permissions could.
    const stolen: string[] = [];
    const spy = client().raw.subscribe('probe.agent.honest-0.order', {
      callback: (_error, message) => stolen.push(message.reply ?? ''),
    });
    const [honest, thief] = await startAgents('honest', () => undefined, answerAll);
    const pending = client().call('oneShootVerbose', {
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
    await client().call('oneShoot', { ...probe, ...inProvince('draining') });
    await agent?.announce({ state: 'draining' });
    await expect(client().call('oneShoot', { ...probe, ...inProvince('draining') })).rejects.toMatchObject({
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
    const { results } = await client().call('oneShoot', { ...probe, ...inProvince('large') });
    expect(results).toEqual([result, '192.0.2.1']);
  });
});

describe('a message nobody can be told about', () => {
  test('without a reply subject or with one of ours is counted, and publishes nothing', async () => {
    const seen: string[] = [];
    const spy = client().raw.subscribe('probe.agent.victim.order', {
      callback: (_error, message) => seen.push(message.string()),
    });
    const refused = () =>
      readMetric(
        gateway().metricsUrl,
        'probe_rpc_requests_total',
        `subject="${subjects.taskGet}",code="INVALID_REQUEST"`,
      );
    const before = await refused();
    client().raw.publish(subjects.taskGet, 'null');
    for (const reply of [
      'probe.agent.victim.order',
      internalSubjects.heartbeat,
      '$SRV.PING',
      subjects.taskGet,
    ]) {
      client().raw.publish(subjects.taskGet, 'null', { reply });
    }
    client().raw.publish('$SRV.INFO', '', { reply: 'probe.agent.victim.order' });
    await until(async () => (await refused()) === before + 5);
    // The gateway answers in order: what it would have sent before is on its way when this reply is there.
    await client().request('$SRV.PING', '');
    await client().raw.flush();
    spy.unsubscribe();
    expect(seen).toEqual([]);
  });
});

describe('heartbeats', () => {
  test('that are garbage are counted and harm nothing', async () => {
    const before = await readMetric(gateway().metricsUrl, 'probe_heartbeats_refused_total');
    for (const body of ['', 'x', '{}', '{"agent_id":"a b"}', new Uint8Array([0xff])]) {
      client().raw.publish(internalSubjects.heartbeat, body);
    }
    await until(
      async () => (await readMetric(gateway().metricsUrl, 'probe_heartbeats_refused_total')) === before + 5,
    );
    expect((await client().call('agentGet', {})).map(({ agent_id }) => agent_id)).not.toContain('a b');
  });
});
