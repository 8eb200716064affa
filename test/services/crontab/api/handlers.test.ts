// Requests that are none as a whole, over real HTTP; and those that come while the database is away.
import { describe, expect, test } from 'vitest';
import { crontabCalls } from '../../../../contracts/crontab-api.ts';
import { createDatabase } from '../../../../infra/database/database.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { type CallName, createCrontabClient, createCrontabServer, useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

const batchCalls: CallName[] = [
  'addTask',
  'updateTask',
  'runAgainTask',
  'deleteTask',
  'pauseTask',
  'resumeTask',
];
const calls: CallName[] = [...batchCalls, 'queryTaskStatus', 'listTask', 'preview'];

function fault(msg: string) {
  return { status: 400, reply: { state: 1, msg, data: {} } };
}

test('every call of the contract is answered', async () => {
  expect(calls.toSorted()).toEqual(Object.keys(crontabCalls).toSorted());
  for (const name of calls) expect((await api.ask(name, {})).status).not.toBe(404);
});

describe.each(batchCalls)('%s', (name) => {
  test.each([
    [{}, 'task_list: expected a list of tasks'],
    [{ task_list: null }, 'task_list: expected a list of tasks'],
    [{ task_list: 'x' }, 'task_list: expected a list of tasks'],
    [{ task_list: [] }, 'task_list: expected at least one task'],
    [{ task_list: Array(10_001).fill(1) }, 'task_list: expected at most 10000 tasks'],
    [{ task_list: Array(1_000_000).fill(1) }, 'task_list: expected at most 10000 tasks'],
    [[{}], 'request: Invalid input: expected object, received array'],
    ['x', 'request: Invalid input: expected object, received string'],
    [null, 'request: Invalid input: expected object, received null'],
  ])('refuses request %#', async (request, msg) => {
    expect(await api.ask(name, request)).toEqual(fault(msg));
  });
});

test.each([
  ['queryTaskStatus', { task_list: [] }, 'task_list: expected at least one task'],
  ['queryTaskStatus', { task_list: Array(1001).fill({}) }, 'task_list: expected at most 1000 tasks'],
  ['queryTaskStatus', { limit: 0 }, /^limit: /],
  ['queryTaskStatus', { limit: 1001 }, /^limit: /],
  ['queryTaskStatus', { status: 6 }, /^status: /],
  ['queryTaskStatus', { from: 'yesterday' }, /^from: /],
  ['listTask', { limit: 1.5 }, /^limit: /],
  ['listTask', { name: 'a\0' }, 'name: has control characters'],
  ['listTask', { module: 2 ** 40 }, /^module: /],
] as const)('%s refuses %j', async (name, request, msg) => {
  const { status, reply } = await api.ask(name, request);
  expect({ status, reply }).toEqual({
    status: 400,
    reply: { state: 1, msg: typeof msg === 'string' ? msg : expect.stringMatching(msg), data: {} },
  });
});

describe('a body', () => {
  test.each([
    ['', 'the body is empty'],
    ['{task_list:[{name:"任务名称",}]}', 'the body is not JSON'],
    [Buffer.from([0x22, 0xff, 0x22]), 'the body is not UTF-8'],
  ])('that is no JSON is refused: %j', async (body, msg) => {
    expect(await api.post('/crontab/add_task', body)).toEqual(fault(msg));
  });

  test('may be nested deeper than any stack', async () => {
    const depth = 200_000;
    const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(await api.post('/crontab/add_task', nested)).toMatchObject({ status: 400, reply: { state: 1 } });
    expect(await api.post('/crontab/add_task', `{"task_list":[${nested},{"name":${nested}}]}`)).toMatchObject(
      {
        status: 200,
        reply: { data: { task_result: [{ state: 1 }, { state: 5 }] } },
      },
    );
  });

  test('that is too large is refused', async () => {
    expect(await api.post('/crontab/add_task', Buffer.alloc(16 * 1024 * 1024 + 1, ' '))).toMatchObject({
      status: 413,
      reply: { state: 1, data: {} },
    });
  });
});

test('there is nothing at other paths', async () => {
  expect(await api.post('/crontab/drop_task', '{}')).toMatchObject({
    status: 404,
    reply: { state: 1, data: {} },
  });
});

test('what was changed stands in the log, with the id of the request', async () => {
  const id = await tables.addTask();
  await api.call('pauseTask', { task_list: [{ task_id: id }, { name: 'nobody' }] });
  expect(tables.logged).toContainEqual(
    expect.objectContaining({ msg: 'tasks paused', tasks: 1, refused: 1, request_id: expect.any(String) }),
  );
});

test('while the database is away every call but the preview says so', async () => {
  const logger = createLogger('test', 'silent');
  const url = 'postgres://nobody@127.0.0.1:1/none';
  const database = keepUntilTestEnd(createDatabase({ url, maxConnections: 2, logger }));
  const server = keepUntilTestEnd(createCrontabServer({ database, logger }));
  await server.start();
  const client = createCrontabClient(server.url);
  for (const name of calls.filter((call) => call !== 'preview')) {
    expect(await client.ask(name, { task_list: [{ name: 'a' }] })).toEqual({
      status: 503,
      reply: { state: -1, msg: 'the database is away', data: {} },
    });
  }
  expect(await client.call('preview', { start_time: '@hourly' })).toMatchObject({ times: expect.any(Array) });
});
