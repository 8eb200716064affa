// The services with the logins of a deployment: everything they need is allowed, on the bus and in the database.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, RequestStrategy } from 'nats';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { crontabCalls } from '../../../contracts/crontab-api.ts';
import { dispatchCalls } from '../../../contracts/dispatch-api.ts';
import { internalSubjects } from '../../../contracts/subjects.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import type { TestService } from '../../helpers/processes.ts';
import {
  replyTo,
  type ScriptedDnsServer,
  startScriptedDnsServer,
} from '../../helpers/scripted-dns-server.ts';
import { until } from '../../helpers/test-client.ts';
import { grantAgents } from './agent-database-login.ts';
import { type DeployedNats, startDeployedNats } from './deployed-nats.ts';
import {
  connectCaller,
  crontabKey,
  dispatchKey,
  jobKey,
  readRefusals,
  startDeployedAgent,
  startDeployedCrontab,
  startDeployedDispatch,
  startDeployedGateway,
  startDeployedJob,
  startDeployedScheduler,
} from './deployed-services.ts';

const target = { type: 'domain', rtype: 'A', data: 'x.example' } as const;
const identitySchema = z.object({ name: z.string() });
const submittedSchema = z.object({ data: z.object({ task_id: z.string() }) });
const checkedSchema = z.object({ data: z.object({ task_state: z.string(), data: z.unknown() }) });

let nats: DeployedNats;
let database: TestDatabase;
let agentLogin: Awaited<ReturnType<typeof grantAgents>>;
let services: TestService[];
let crontab: TestService;
let dispatch: TestService;
let job: TestService;
let dispatchFolder: string;
let dns: ScriptedDnsServer;
let caller: Awaited<ReturnType<typeof connectCaller>>;

beforeAll(async () => {
  dispatchFolder = await mkdtemp(join(tmpdir(), 'probe-task-dispatch-'));
  [nats, database, dns] = await Promise.all([
    startDeployedNats('nats.conf'),
    createTestDatabase(),
    startScriptedDnsServer((query) =>
      query.send(replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: '192.0.2.7' }] })),
    ),
  ]);
  agentLogin = await grantAgents(database);
  const [timed, dispatching, computing, ...others] = await Promise.all([
    startDeployedCrontab(nats, database.url),
    startDeployedDispatch(database.url, dispatchFolder),
    startDeployedJob(nats, database.url),
    startDeployedAgent(nats, 'agent-440400-ct', agentLogin.url),
    startDeployedScheduler(nats, database.url),
    startDeployedGateway(nats, database.url),
    startDeployedGateway(nats, database.url),
  ]);
  crontab = timed;
  dispatch = dispatching;
  job = computing;
  services = [timed, dispatching, computing, ...others];
  caller = await connectCaller(nats);
  await until(async () => (await caller.client.call('agentGet', {})).length === 1);
});
afterAll(async () => {
  await caller.stop();
  await Promise.all(services.map((service) => service.stop()));
  await rm(dispatchFolder, { recursive: true, force: true });
  await dns.stop();
  await database.drop();
  await agentLogin.drop();
  await nats.stop();
});

function dnsServers(): { dns_servers: string[] } {
  return { dns_servers: [`${dns.address}:${dns.port}`] };
}

test('a one-shot probe goes from the caller to the agent and back', async () => {
  const { results } = await caller.client.call('oneShootVerbose', {
    target: [target],
    probe_data: dnsServers(),
  });
  expect(results.map((row) => [row.agent_id, row.dns_response_status])).toEqual([
    ['agent-440400-ct', 'NOERROR'],
  ]);
});

test('a recurring task goes from the caller through scheduler and agent into the history', async () => {
  const { task_id } = await caller.client.call('taskCreate', {
    cycle: 0,
    target: [target],
    probe_data: dnsServers(),
  });
  await until(async () => (await caller.client.call('taskResultGet', { task_id })).results.length > 0);
  const { results } = await caller.client.call('taskResultGet', { task_id });
  expect(results.map((row) => [row.agent_id, row.dns_response_status])).toEqual([
    ['agent-440400-ct', 'NOERROR'],
  ]);
});

test('a timed request goes from the crontab service to the gateway and back', async () => {
  const task = {
    name: 'tasks',
    enable: 2,
    module: 1,
    type: 2,
    start_time: '@daily',
    method: 'nats',
    url: 'probe.task.get',
  };
  await callCrontab(crontabCalls.addTask, { task_list: [task] });
  await callCrontab(crontabCalls.runAgainTask, { task_list: [{ name: 'tasks' }] });
  const readLog = async () => (await callCrontab(crontabCalls.queryTaskStatus, { status: 2 })).data.log_list;
  await until(async () => (await readLog()).length > 0);
  expect(await readLog()).toMatchObject([
    { name: 'tasks', run_type: 3, err: '', resp: expect.stringMatching(/^\[/) },
  ]);
});

test('the crontab service lets nobody in without its key', async () => {
  const response = await fetch(`${crontab.url}${crontabCalls.listTask.path}`, { method: 'POST', body: '{}' });
  expect([response.status, await response.json()]).toMatchObject([401, { state: 1, data: {} }]);
});

test.each([
  ['without its key', undefined, 401, undefined],
  ['for a task that is not there', dispatchKey, 404, 'task not found...'],
])('the dispatch service refuses a call %s', async (_case, key, status, message) => {
  const response = await askDispatch('check', { id: 1, name: 'none' }, key);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code: -1, ...(message === undefined ? {} : { message }) });
});

test('the dispatch service reaches no node outside of its networks, and keeps its folder closed', async () => {
  const run = {
    nodes: ['127.0.0.1'],
    user: null,
    name: 'here',
    tasks: [{ command: 'true' }],
    params: {},
    fork_num: 1,
  };
  const response = await askDispatch('run', run, dispatchKey);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: -1,
    message: expect.stringMatching(/^param error, error: .*127\.0\.0\.1/),
  });
  expect((await stat(dispatchFolder)).mode & 0o777).toBe(0o700);
});

test('a job that probes goes from the job service over the gateway to the agent and back', async () => {
  const submission = { type: 'dns_result', target: [target], probe_data: dnsServers() };
  const submitted = await askJob('/api/job/submit', { method: 'POST', body: JSON.stringify(submission) });
  const { task_id: id } = submittedSchema.parse(await submitted.json()).data;
  const check = async () => {
    const response = await askJob(`/api/job/check_status?task_id=${id}&type=dns_result`);
    return checkedSchema.parse(await response.json()).data;
  };
  await until(async () => (await check()).task_state !== 'PENDING');
  expect(await check()).toMatchObject({
    task_state: 'SUCCESS',
    data: { data: { results: [{ agent_id: 'agent-440400-ct', dns_response_status: 'NOERROR' }] } },
  });
});

test('the job service lets nobody in without its key', async () => {
  const response = await fetch(`${job.url}/api/job/list`);
  expect([response.status, await response.json()]).toMatchObject([401, { status: false, data: {} }]);
});

test.each([
  ['read tasks', 'select from probe_task'],
  ['change tasks', 'update probe_task set status = 0'],
  ['change results', "update probe_result set status = 'NOERROR'"],
  ['delete results', 'delete from probe_result'],
  ['make work', 'insert into probe_run default values'],
  ['make tables', 'create table of_the_agent ()'],
  ['drop tables', 'drop table probe_run'],
])('an agent’s database login may not %s', async (_deed, statement) => {
  const client = new Client({ connectionString: agentLogin.url });
  await client.connect();
  keepUntilTestEnd({ stop: () => client.end() });
  // insufficient_privilege
  await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
});

test('making that login a second time changes nothing', async () => {
  await expect(grantAgents(database)).resolves.toMatchObject({ url: agentLogin.url });
});

test('gateways hear of the groups that one of them changed', async () => {
  const ear = await nats.connectAs('gateway');
  keepUntilTestEnd({ stop: () => ear.close() });
  const changes = ear.subscribe(internalSubjects.definitionsChanged, { max: 1 });
  await ear.flush();
  await caller.client.call('groupDetailSet', {
    group_id: 1,
    details: [{ country: '86', province: '440000', city: null, carrier: null }],
  });
  for await (const { subject } of changes) expect(subject).toBe(internalSubjects.definitionsChanged);
});

test('the service protocol counts the gateways for an operator', async () => {
  const operator = await nats.connectAs('operator');
  keepUntilTestEnd({ stop: () => operator.close() });
  const replies = await operator.requestMany('$SRV.PING', '', {
    strategy: RequestStrategy.Count,
    maxMessages: 2,
    maxWait: 5000,
  });
  const names: string[] = [];
  for await (const reply of replies) names.push(identitySchema.parse(reply.json()).name);
  expect(names).toEqual(['probe-gateway', 'probe-gateway']);
});

test('a caller whose inbox is that of another role gets nothing', async () => {
  const connection = await connect({
    servers: nats.url,
    user: 'caller',
    pass: nats.passwordOf('caller'),
    inboxPrefix: '_INBOX.operator',
  });
  keepUntilTestEnd({ stop: () => connection.close() });
  await expect(connection.request('probe.task.get', '', { timeout: 5000 })).rejects.toMatchObject({
    code: 'PERMISSIONS_VIOLATION',
  });
});

test('the services were refused nothing', async () => {
  const logs = await Promise.all(services.map((service) => readRefusals(service)));
  expect(logs.flat()).toEqual([]);
});

async function callCrontab<Reply>(
  { path, reply }: { path: string; reply: z.ZodType<Reply> },
  body: unknown,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${crontabKey}` };
  const response = await fetch(`${crontab.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers,
  });
  return reply.parse(await response.json());
}

function askJob(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${job.url}${path}`, { ...init, headers: { authorization: `Bearer ${jobKey}` } });
}

function askDispatch(call: 'check' | 'run', body: unknown, key: string | undefined): Promise<Response> {
  return fetch(`${dispatch.url}${dispatchCalls[call].path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      'x-correlation-id': '1-1',
      'x-resource': 'test',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
  });
}
