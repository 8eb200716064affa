// The users of the deployed bus: each may do what its role needs, and is refused everything else.
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  gatewayQueue,
  internalSubjects,
  isCallableSubject,
  orderSubject,
  subjects,
  wakeSubject,
} from '../../../contracts/subjects.ts';
import { maxPayloadBytes } from '../../../infra/local-stack/nats-server.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { type DeployedNats, startDeployedNats } from './deployed-nats.ts';
import { findRefused } from './refusals.ts';

const agents = ['agent-440400-ct', 'agent-110100-cu', 'agent-310100-cm'];
const users = ['caller', 'task-reader', 'operator', 'gateway', 'scheduler', 'crontab', 'job', ...agents];
const requests = Object.values(subjects);

/** Every operation of the system, and some that nobody has a right to: who may do it. */
const rights: Record<string, string[]> = {
  ...Object.fromEntries(requests.map((subject) => [`publish ${subject}`, ['caller', 'crontab']])),
  [`publish ${subjects.taskGet}`]: ['caller', 'task-reader', 'crontab'],
  [`publish ${subjects.agentGet}`]: ['caller', 'operator', 'crontab'],
  [`publish ${subjects.oneShootVerbose}`]: ['caller', 'crontab', 'job'],
  [`publish ${internalSubjects.discover}`]: ['gateway'],
  [`publish ${internalSubjects.definitionsChanged}`]: ['gateway'],
  [`publish ${internalSubjects.heartbeat}`]: agents,
  'publish $SRV.PING': ['operator'],
  'publish _INBOX.gateway.g1.order.o1': ['gateway', ...agents],
  'publish _INBOX.gateway.g1.other': ['gateway'],
  'publish _INBOX.caller.c1': ['gateway'],
  'publish _INBOX.crontab.c1': ['gateway'],
  'publish _INBOX.job.j1': ['gateway'],
  // A reply of the gateway, once it was asked.
  'publish probe.task.get:1f': ['crontab'],
  'publish probe.task.unknown': ['crontab'],
  'publish orders.invoice.create': ['crontab'],
  'publish $SYS.REQ.SERVER.PING': [],
  'publish $JS.API.INFO': [],
  'publish $KV.bucket.key': [],
  'publish $O.bucket.C.object': [],
  'publish $MQTT.sub.1': [],
  'publish _R_.a.b': [],
  'publish _GR_.a.b': [],
  ...Object.fromEntries(
    requests.flatMap((subject) => [
      [`subscribe ${subject} ${gatewayQueue}`, ['gateway']],
      [`subscribe ${subject}`, []],
      [`subscribe ${subject} another-queue`, []],
    ]),
  ),
  [`subscribe ${internalSubjects.heartbeat}`]: ['gateway'],
  [`subscribe ${internalSubjects.definitionsChanged}`]: ['gateway'],
  [`subscribe ${internalSubjects.discover}`]: agents,
  'subscribe $SRV.PING': ['gateway'],
  'subscribe probe.task.*': ['task-reader'],
  'subscribe probe.task.get:1f': ['task-reader'],
  ...Object.fromEntries(
    agents.flatMap((id) => [
      [`publish ${orderSubject(id)}`, ['gateway']],
      [`publish ${wakeSubject(id)}`, ['scheduler']],
      [`subscribe ${orderSubject(id)}`, [id]],
      [`subscribe ${wakeSubject(id)}`, [id]],
    ]),
  ),
  ...Object.fromEntries(users.slice(0, -agents.length).map((user) => [`subscribe _INBOX.${user}.>`, [user]])),
  'subscribe _INBOX.>': [],
  'subscribe probe.agent.*.order': [],
  'subscribe probe.agent.>': [],
  'subscribe probe.>': [],
  'subscribe $SYS.>': [],
  'subscribe >': [],
};

let bus: DeployedNats;

beforeAll(async () => {
  bus = await startDeployedNats('nats.conf');
});
afterAll(() => bus.stop());

test('the table of rights names every user', () => {
  expect(bus.users.filter((user) => user !== 'leaf-gd')).toEqual(users);
});

test.each(users)('%s may do what its role needs and nothing else', async (user) => {
  const connection = await bus.connectAs(user);
  const refused = await findRefused(connection, Object.keys(rights));
  await connection.close();
  const others = Object.keys(rights).filter((operation) => !rights[operation]?.includes(user));
  expect(refused).toEqual(others);
});

test('the crontab service may ask what its API lets through', () => {
  const published = Object.keys(rights).filter((operation) => operation.startsWith('publish '));
  for (const operation of published) {
    const isAllowed = rights[operation]?.includes('crontab');
    expect(isCallableSubject(operation.slice('publish '.length)), operation).toBe(isAllowed);
  }
});

describe('a login', () => {
  test.each([
    ['none', {}],
    ['a wrong password', { user: 'caller', pass: 'wrong' }],
    ['the password of another', { user: 'gateway', pass: '4e2-NATS_CALLER_PASSWORD' }],
    ['that of a leaf node', { user: 'leaf-gd', pass: '4e2-NATS_LEAF_GD_PASSWORD' }],
  ])('is refused with %s', async (_case, login) => {
    await expect(connect({ servers: bus.url, reconnect: false, ...login })).rejects.toMatchObject({
      code: 'AUTHORIZATION_VIOLATION',
    });
  });

  test('learns of messages as large as those of the local stack', async () => {
    const connection = await bus.connectAs('caller');
    expect(connection.info?.max_payload).toBe(maxPayloadBytes);
    await connection.close();
  });
});

describe('a reply subject of the caller’s own making', () => {
  test('takes the reply, and no request, for one who reads tasks', async () => {
    const [reader, gateway, caller] = await Promise.all([
      bus.connectAs('task-reader'),
      bus.connectAs('gateway'),
      bus.connectAs('caller'),
    ]);
    for (const connection of [reader, gateway, caller]) keepUntilTestEnd({ stop: () => connection.close() });
    for (const subject of [subjects.taskGet, subjects.taskDelete]) {
      gateway.subscribe(subject, {
        queue: gatewayQueue,
        callback: (_error, message) => message.respond('done'),
      });
    }
    await gateway.flush();
    const heard = reader.subscribe('probe.task.*', { max: 1 });
    await reader.flush();
    await caller.request(subjects.taskDelete);
    reader.publish(subjects.taskGet, '', { reply: 'probe.task.get:1f' });
    const messages: string[] = [];
    for await (const { subject } of heard) messages.push(subject);
    expect(messages).toEqual(['probe.task.get:1f']);
  });

  test('takes several replies of the gateway at once, and none that was not asked for', async () => {
    const [reader, gateway] = await Promise.all([bus.connectAs('task-reader'), bus.connectAs('gateway')]);
    for (const connection of [reader, gateway]) keepUntilTestEnd({ stop: () => connection.close() });
    const requested = gateway.subscribe(subjects.taskGet, { queue: gatewayQueue, max: 2 });
    await gateway.flush();
    for (let count = 0; count < 2; count += 1)
      reader.publish(subjects.taskGet, '', { reply: 'probe.task.get:2e' });
    const replies: string[] = [];
    for await (const { reply = '' } of requested) replies.push(`publish ${reply}`);
    expect(replies).toEqual(['publish probe.task.get:2e', 'publish probe.task.get:2e']);
    expect(await findRefused(gateway, [...replies, 'publish probe.task.get:3d'])).toEqual([
      'publish probe.task.get:3d',
    ]);
  });
});
