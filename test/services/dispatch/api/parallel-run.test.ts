// Tasks of several nodes that are run apart, over real HTTP and Postgres.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { testSeal } from '../dispatch-tables.ts';
import { runOf, useDispatchApi } from './dispatch-api.ts';

const api = useDispatchApi();
const { tables, told } = api;
const nodes = ['10.0.0.2', '10.0.0.1:2222', 'fd00::1'];

test('each node has a task of its own, and one stands for all', async () => {
  const { content } = await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
  const { id, children } = content;
  expect(children.map(({ node }) => node)).toEqual(nodes);
  expect(await tables.readTask(String(id))).toMatchObject({
    name: 'a',
    is_parent: true,
    parent_id: null,
    nodes,
    work: null,
    status: 0,
  });
  expect(await tables.readNodes(String(id))).toEqual([]);
  for (const child of children) {
    const task = await tables.readTask(String(child.id));
    expect(task).toMatchObject({
      name: `${child.node}_a`,
      parent_id: String(id),
      is_parent: false,
      global_id: '16-16',
      source: 'hubble',
      nodes: [child.node],
      user_name: 'root',
      forks: 1,
      timeout_ms: 3_600_000,
      status: 0,
    });
    expect(testSeal.open(task.work ?? Buffer.of())).toMatchObject({ content: { kind: 'tasks' } });
    expect(await tables.readNodes(task.id)).toMatchObject([{ position: 0, node: child.node }]);
  }
  expect((await tables.readRuns()).map((run) => Number(run.id))).toEqual(children.map((child) => child.id));
  expect(told.added).toBe(1);
});

test('runs of one family have keys of their own', async () => {
  await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
  const [row] = await tables.query(sql<{ count: number }>`
    select count(distinct run_key)::integer as count from dispatch_task`);
  expect(row?.count).toBe(4);
});

describe('where a name is taken, nothing is stored', () => {
  test.each(['a', '10.0.0.1:2222_a'])('%s', async (name) => {
    const { content } = await api.call(dispatchCalls.run, runOf(name));
    expect(await api.ask('parallelRun', runOf('a', { nodes }))).toEqual({
      status: 400,
      reply: { code: -1, message: 'task name is duplicate', content: { id: content.id } },
    });
    expect(await tables.readRuns()).toHaveLength(1);
    const [row] = await tables.query(sql<{ count: number }>`
      select count(*)::integer as count from dispatch_task`);
    expect(row?.count).toBe(1);
  });

  test('by twenty requests at once', async () => {
    const body = runOf('a', { nodes });
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask('parallelRun', body)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19);
    expect(await tables.readRuns()).toHaveLength(3);
  });
});

test('the name of a child is not free', async () => {
  const { content } = await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
  expect(await api.ask('run', runOf('fd00::1_a'))).toMatchObject({
    status: 400,
    reply: { content: { id: content.children[2]?.id } },
  });
});

test('a thousand nodes are taken', async () => {
  const many = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  const { content } = await api.call(dispatchCalls.parallelRun, runOf('x'.repeat(255), { nodes: many }));
  expect(content.children.map(({ node }) => node)).toEqual(many);
  expect(await tables.readRuns()).toHaveLength(1000);
});

test('what is too large for so many nodes is refused', async () => {
  const many = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  const tasks = [{ debug: { msg: 'x'.repeat(50_000) } }];
  const params = { text: 'x'.repeat(50_000) };
  expect(await api.ask('parallelRun', runOf('a', { nodes: many, tasks, params }))).toEqual({
    status: 400,
    reply: { code: -1, message: 'param error, error: tasks: is too large for so many nodes' },
  });
});
