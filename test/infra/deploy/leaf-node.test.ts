// The leaf node of a region: its agents work for the hub, and it learns nothing of other regions.

import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { internalSubjects, orderSubject, subjects } from '../../../contracts/subjects.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase } from '../../helpers/postgres.ts';
import { replyTo, startScriptedDnsServer } from '../../helpers/scripted-dns-server.ts';
import { until } from '../../helpers/test-client.ts';
import { type DeployedNats, startDeployedNats } from './deployed-nats.ts';
import {
  connectCaller,
  readRefusals,
  startDeployedAgent,
  startDeployedGateway,
} from './deployed-services.ts';
import { findRefused } from './refusals.ts';

let hub: DeployedNats;

beforeAll(async () => {
  hub = await startDeployedNats('nats.conf');
});
afterAll(() => hub.stop());

function hubUrl(password = hub.passwordOf('leaf-gd')): string {
  return `"nats-leaf://leaf-gd:${password}@127.0.0.1:${hub.leafPort}"`;
}

function startLeaf(password?: string): Promise<DeployedNats> {
  return startDeployedNats('leaf.conf', { NATS_HUB_URL: hubUrl(password) });
}

test('an agent behind it answers a probe that was asked at the hub', async () => {
  const leaf = keepUntilTestEnd(await startLeaf());
  const database = await createTestDatabase();
  keepUntilTestEnd({ stop: () => database.drop() });
  const [gateway, agent] = await Promise.all([
    startDeployedGateway(hub, database.url),
    startDeployedAgent(leaf, 'agent-gd-1'),
  ]);
  for (const service of [gateway, agent]) keepUntilTestEnd(service);
  const { client } = keepUntilTestEnd(await connectCaller(hub));
  await until(async () =>
    (await client.call('agentGet', {})).some(({ agent_id }) => agent_id === 'agent-gd-1'),
  );
  const dns = keepUntilTestEnd(
    await startScriptedDnsServer((query) =>
      query.send(replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: '192.0.2.7' }] })),
    ),
  );
  const { results } = await client.call('oneShootVerbose', {
    target: [{ type: 'domain', rtype: 'A', data: 'x.example' }],
    probe_data: { dns_servers: [`${dns.address}:${dns.port}`] },
  });
  expect(results.map((row) => [row.agent_id, row.dns_response_status])).toEqual([['agent-gd-1', 'NOERROR']]);
  expect([...(await readRefusals(gateway)), ...(await readRefusals(agent))]).toEqual([]);
});

test('its agents are refused what is not their own', async () => {
  const leaf = keepUntilTestEnd(await startLeaf());
  const agent = await leaf.connectAs('agent-gd-1');
  keepUntilTestEnd({ stop: () => agent.close() });
  const own = [
    `publish ${internalSubjects.heartbeat}`,
    'publish _INBOX.gateway.g1.order.o1',
    `subscribe ${internalSubjects.discover}`,
    `subscribe ${orderSubject('agent-gd-1')}`,
  ];
  const foreign = [
    `publish ${orderSubject('agent-gd-2')}`,
    `publish ${subjects.taskDelete}`,
    `subscribe ${orderSubject('agent-gd-2')}`,
    `subscribe ${internalSubjects.heartbeat}`,
    'subscribe >',
  ];
  expect(await findRefused(agent, [...own, ...foreign])).toEqual(foreign);
});

test('a wrong password does not let it in', async () => {
  const leaf = keepUntilTestEnd(await startLeaf('wrong'));
  await expect(leaf.run.waitForLine(/Authorization Violation/i)).resolves.toContain('Authorization');
});

test('one in wrong hands hears no orders of other regions and asks nothing', async () => {
  // Without users or permissions of its own.
  const rogue = keepUntilTestEnd(
    await startNatsServer({ extraConfig: `leafnodes { remotes: [{ url: ${hubUrl()} }] }` }),
  );
  const [gateway, listener] = await Promise.all([hub.connectAs('gateway'), connect({ servers: rogue.url })]);
  for (const connection of [gateway, listener]) keepUntilTestEnd({ stop: () => connection.close() });

  const overheard = new Set<string>();
  listener.subscribe('probe.>', { callback: (_error, { subject }) => void overheard.add(subject) });
  listener.subscribe(orderSubject('agent-440400-ct'), {
    callback: (_error, { subject }) => void overheard.add(subject),
  });
  await until(async () => {
    gateway.publish(orderSubject('agent-440400-ct'));
    gateway.publish(orderSubject('agent-gd-1'));
    return overheard.has(orderSubject('agent-gd-1'));
  });
  expect([...overheard]).toEqual([orderSubject('agent-gd-1')]);

  const arrived: string[] = [];
  gateway.subscribe(subjects.taskDelete, {
    queue: 'gateway',
    callback: (_error, { subject }) => void arrived.push(subject),
  });
  gateway.subscribe(internalSubjects.heartbeat, {
    callback: (_error, { subject }) => void arrived.push(subject),
  });
  await until(async () => {
    listener.publish(subjects.taskDelete);
    listener.publish(internalSubjects.heartbeat);
    await listener.flush();
    return arrived.length > 0;
  });
  expect(new Set(arrived)).toEqual(new Set([internalSubjects.heartbeat]));
});
