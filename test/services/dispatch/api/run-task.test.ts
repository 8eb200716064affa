// Tasks that are stored to be run, over real HTTP and Postgres.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { testSeal } from '../dispatch-tables.ts';
import { pingTasks, runOf, useDispatchApi } from './dispatch-api.ts';

const api = useDispatchApi();
const { tables, told } = api;

test('a task is stored with its nodes and a run, and its content under a seal', async () => {
  const nodes = ['10.0.0.2', '10.0.0.1:2222', 'fd00::1', '10.0.0.2:22'];
  const more = { nodes, params: { port: 80 }, secrets: { token: 'hunter2-hunter2' }, timeout: 30 };
  const { content } = await api.call(dispatchCalls.run, runOf('a', more));
  const task = await tables.readTask(String(content.id));
  expect(task).toMatchObject({
    parent_id: null,
    name: 'a',
    is_parent: false,
    global_id: '16-16',
    source: 'hubble',
    nodes: ['10.0.0.2', '10.0.0.1:2222', 'fd00::1'],
    user_name: 'root',
    forks: 5,
    timeout_ms: 30_000,
    status: 0,
    err: null,
    started_at: null,
    ended_at: null,
  });
  expect(await tables.readNodes(task.id)).toMatchObject([
    { position: 0, node: '10.0.0.2', status: 0 },
    { position: 1, node: '10.0.0.1:2222', status: 0 },
    { position: 2, node: 'fd00::1', status: 0 },
  ]);
  const [run] = await tables.readRuns();
  expect(run).toMatchObject({ id: task.id, state: 0, attempt: 0, lapses: 0, is_stop_wanted: false });
  expect((run?.expires_at.getTime() ?? 0) - (run?.due_at.getTime() ?? 0)).toBe(60_000);
  expect(testSeal.open(task.work ?? Buffer.of())).toMatchObject({
    content: { kind: 'tasks' },
    params: { port: 80, token: 'hunter2-hunter2' },
    secretTexts: ['hunter2-hunter2'],
  });
  expect(told.added).toBe(1);
});

test('no row and no line of the log has a secret in the clear', async () => {
  const more = { params: { a: 'correct-horse' }, secrets: { b: 'battery-staple' } };
  await api.call(dispatchCalls.run, runOf('a', more));
  await api.call(dispatchCalls.parallelRun, runOf('b', more));
  await api.ask('run', runOf('a', more));
  await api.ask('run', runOf('c', { ...more, params: { 'no name': 'correct-horse' } }));
  const rows = await tables.query(sql`
    select encode(work, 'escape') as work, task::text as text from dispatch_task task`);
  expect(rows).toHaveLength(3);
  expect(JSON.stringify([rows, tables.logged])).not.toMatch(/correct-horse|battery-staple/);
});

test.each([
  [{ fork_num: 0 }, { forks: 1 }],
  [{ fork_num: -5 }, { forks: 1 }],
  [{ fork_num: '7' }, { forks: 7 }],
  [{ fork_num: 1_000_000 }, { forks: 50 }],
  [{ user: null }, { user_name: 'deploy' }],
  [{ user: '' }, { user_name: 'deploy' }],
  [{ timeout: null }, { timeout_ms: 3_600_000 }],
  [{ tasks: undefined, content: JSON.stringify(pingTasks) }, { status: 0 }],
  [{ tasks: ['web'], tasktype: 'ansible_role' }, { status: 0 }],
])('%j is stored as %j', async (more, columns) => {
  const { content } = await api.call(dispatchCalls.run, runOf('a', more));
  expect(await tables.readTask(String(content.id))).toMatchObject(columns);
});

test('the source may come as X-SOURCE', async () => {
  const headers = {
    'x-correlation-id': Buffer.from('拨测-1').toString('latin1'),
    'X-Source': 'orion',
  };
  const { content } = await api.call(dispatchCalls.run, runOf('a'), headers);
  expect(await tables.readTask(String(content.id))).toMatchObject({ global_id: '拨测-1', source: 'orion' });
});

describe('a name', () => {
  test('is never free again', async () => {
    const { content } = await api.call(dispatchCalls.run, runOf('a'));
    const taken = { code: -1, message: 'task name is duplicate', content: { id: content.id } };
    expect(await api.ask('run', runOf('a', { nodes: ['10.0.0.9'] }))).toEqual({ status: 400, reply: taken });
    await tables.query(sql`delete from dispatch_run`);
    await tables.query(sql`update dispatch_task set status = 2, ended_at = now(), work = null`);
    expect(await api.ask('run', runOf('a'))).toEqual({ status: 400, reply: taken });
    expect(await tables.readRuns()).toEqual([]);
    expect(told.added).toBe(1);
  });

  test('that fifty requests want at once is had by one', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.ask('run', runOf('a'))));
    const [run, ...others] = await tables.readRuns();
    expect(others).toEqual([]);
    const id = Number(run?.id);
    const duplicate = { code: -1, message: 'task name is duplicate', content: { id } };
    expect(answers.filter(({ status }) => status === 200)).toEqual([
      { status: 200, reply: { code: 0, content: { id } } },
    ]);
    expect(answers.filter(({ status }) => status === 400)).toEqual(
      Array.from({ length: 49 }, () => ({ status: 400, reply: duplicate })),
    );
    expect(await tables.readNodes(String(id))).toHaveLength(1);
  });

  test('may be what an object inherits, or looks like SQL', async () => {
    for (const name of ['__proto__', 'constructor', "'; drop table dispatch_task; --", '拨测 😀']) {
      const { content } = await api.call(dispatchCalls.run, runOf(name));
      expect(await tables.readTask(String(content.id))).toMatchObject({ name });
    }
  });
});

test('a thousand nodes are taken', async () => {
  const nodes = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  const { content } = await api.call(dispatchCalls.run, runOf('a', { nodes }));
  const stored = await tables.readNodes(String(content.id));
  expect(stored.map(({ node }) => node)).toEqual(nodes);
});

test('without Ansible nothing is stored, and the call says what is missing', async () => {
  told.fault = 'ansible-playbook is missing: apt-get install ansible-core';
  for (const name of ['run', 'parallelRun'] as const) {
    expect(await api.ask(name, runOf('a'))).toEqual({
      status: 500,
      reply: { code: -1, message: 'ansible-playbook is missing: apt-get install ansible-core' },
    });
  }
  told.fault = undefined;
  await api.call(dispatchCalls.run, runOf('a'));
  expect(told.added).toBe(1);
});
