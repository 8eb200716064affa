// Requests that are none, in the words of the document, over real HTTP; and those that come while the database is away.
import { describe, expect, test } from 'vitest';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { dispatchExamples } from '../../../../contracts/dispatch-examples.ts';
import { createDatabase } from '../../../../infra/database/database.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import {
  type CallName,
  createDispatchClient,
  createDispatchServer,
  exampleHeaders,
  runOf,
  useDispatchApi,
} from './dispatch-api.ts';

const api = useDispatchApi();
const { tables } = api;

const runCalls: CallName[] = ['run', 'parallelRun'];
const calls: CallName[] = [...runCalls, 'stop', 'check', 'getlog'];

function refused(message: string, status = 400) {
  return { status, reply: { code: -1, message } };
}

test('every call of the contract is answered', async () => {
  expect(calls.toSorted()).toEqual(Object.keys(dispatchCalls).toSorted());
  for (const name of calls) expect((await api.ask(name, {})).reply).toHaveProperty('code', -1);
});

test.each(calls)('%s: what is no JSON is an encode error', async (name) => {
  const { path } = dispatchCalls[name];
  for (const body of ['', '{"nodes":["192.201.11.31",],}', Buffer.from([0x22, 0xff, 0x22])]) {
    expect(await api.post(path, body)).toEqual(refused('json encode error'));
  }
});

test.each(calls)('%s: a request without headers is told which', async (name) => {
  const { request } = dispatchExamples[name];
  expect(await api.ask(name, request, {})).toEqual(
    refused('param error, error: X-CORRELATION-ID: is missing; X-RESOURCE: is missing'),
  );
  expect(await api.ask(name, request, { ...exampleHeaders, 'X-SOURCE': 'orion' })).toEqual(
    refused('param error, error: X-SOURCE: says something else than X-RESOURCE'),
  );
});

describe.each(runCalls)('%s', (name) => {
  test('names all that is missing', async () => {
    expect(await api.ask(name, {}, {})).toEqual(
      refused(
        'param error, error: X-CORRELATION-ID: is missing; X-RESOURCE: is missing; nodes: is missing; user: is missing; name: is missing; tasks: is missing; params: is missing; fork_num: is missing',
      ),
    );
  });

  test.each([
    [{ nodes: ['8.8.8.8', '10.0.0.1'] }, 'nodes: 8.8.8.8 is in no network that is allowed here'],
    [{ nodes: ['169.254.169.254'] }, 'nodes: 169.254.169.254 is link-local'],
    [{ nodes: ['10.0.0.[1:3]'] }, 'nodes.0: expected an IP address, with or without a port'],
    [{ nodes: [] }, 'nodes: expected at least one node'],
    [{ nodes: Array(1001).fill('10.0.0.1') }, 'nodes: expected at most 1000 nodes'],
    [{ user: 'root -oProxyCommand=x' }, 'user: expected the name of a login'],
    [{ name: '' }, 'name: is empty'],
    [{ name: 'a\0' }, 'name: has control characters'],
    [{ tasks: null, content: null }, 'tasks: is missing'],
    [{ fork_num: '-l @/etc/passwd' }, 'fork_num: expected a whole number'],
    [
      { user: 7, fork_num: [] },
      'user: expected the name of a login, or null; fork_num: expected a whole number',
    ],
  ])('refuses %#', async (more, faults) => {
    expect(await api.ask(name, runOf('a', more))).toEqual(refused(`param error, error: ${faults}`));
  });

  test('refuses what may not be run, or is not there', async () => {
    const tasks = [{ name: 'x', 'ansible.builtin.debug': { msg: "{{ lookup('pipe', 'id') }}" } }];
    const { status, reply } = await api.ask(
      name,
      runOf('a', { tasks, params: { ansible_connection: 'local' } }),
    );
    expect(status).toBe(400);
    expect(reply).toMatchObject({
      code: -1,
      message: expect.stringMatching(/^param error, error: .*; .*ansible/),
    });
    expect(await tables.readRuns()).toEqual([]);
  });

  test('tells the first twenty of a thousand faults', async () => {
    const { status, reply } = await api.ask(name, runOf('a', { nodes: Array(1000).fill('x'.repeat(1000)) }));
    expect(status).toBe(400);
    expect(reply).toMatchObject({ message: expect.stringMatching(/; and 980 more$/) });
    expect(JSON.stringify(reply).length).toBeLessThan(8000);
  });

  test.each([
    ['[]', 'Invalid input: expected object, received array'],
    ['null', 'Invalid input: expected object, received null'],
    ['"x"', 'Invalid input: expected object, received string'],
  ])('refuses %s', async (body, reason) => {
    expect(await api.post(dispatchCalls[name].path, body)).toEqual(refused(`param error, error: ${reason}`));
  });

  test('takes nothing that an object inherits', async () => {
    const { path } = dispatchCalls[name];
    const body = JSON.stringify(runOf('a')).replace(/^\{/, '{"__proto__":{"user":"evil"},');
    expect(await api.post(path, body.replace('"user":"root",', ''))).toEqual(
      refused('param error, error: user: is missing'),
    );
  });

  test.each(['tasks', 'params', 'secrets', 'nodes', 'name'])(
    'refuses %s nested deeper than any stack',
    async (field) => {
      const depth = 200_000;
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
        const text = JSON.stringify(runOf('a', { [field]: '@' })).replace('"@"', nested);
        const { status, reply } = await api.post(dispatchCalls[name].path, text);
        expect([status, reply]).toMatchObject([
          400,
          { message: expect.stringMatching(/^param error, error: /) },
        ]);
      }
    },
  );
});

describe.each(['stop', 'check'] as const)('%s', (name) => {
  test.each([
    [{}, 'id and name are missing'],
    [{ id: 0, name: '' }, 'id and name are missing'],
    [{ id: 1.5 }, 'id: expected the id of a task'],
    [{ id: 1e300, name: 'a' }, 'id: expected the id of a task'],
    [{ id: '9'.repeat(19) }, 'id: expected the id of a task'],
    [{ name: 7 }, 'name: Invalid input: expected string, received number'],
  ])('refuses %j', async (key, faults) => {
    expect(await api.ask(name, key)).toEqual(refused(`param error, error: ${faults}`));
  });

  test('says that there is no such task', async () => {
    expect(await api.ask(name, { id: 1, name: 'task1' })).toEqual(refused('task not found...', 404));
  });
});

test('what HTTP itself refuses has its own status', async () => {
  expect(await api.post('/api/runs', '{}')).toEqual(refused('there is nothing at /api/runs', 404));
  expect(await api.post('/api/run', Buffer.alloc(2 * 1024 * 1024 + 1, ' '))).toEqual(
    refused('the body is larger than 2097152 bytes', 413),
  );
});

test('what was asked for stands in the log by its id alone', async () => {
  const { content } = await api.call(dispatchCalls.run, runOf('a', { params: { a: 'hunter2-hunter2' } }));
  await api.call(dispatchCalls.stop, { name: 'a' });
  expect(tables.logged.filter(({ level }) => level >= 30)).toMatchObject([
    { msg: 'task stored', task_id: String(content.id), request_id: expect.any(String) },
    { msg: 'task stopped', task_id: String(content.id), request_id: expect.any(String) },
  ]);
  expect(JSON.stringify(tables.logged)).not.toContain('hunter2');
});

test('while the database is away every call says so', async () => {
  const logger = createLogger('test', 'silent');
  const url = 'postgres://nobody@127.0.0.1:1/none';
  const database = keepUntilTestEnd(createDatabase({ url, maxConnections: 2, logger }));
  const server = keepUntilTestEnd(createDispatchServer({ database, logger }));
  await server.start();
  const client = createDispatchClient(server.url);
  for (const name of calls) {
    const body = runCalls.includes(name) ? runOf('a') : dispatchExamples[name].request;
    expect(await client.ask(name, body), name).toEqual(refused('the database is away', 500));
  }
});
