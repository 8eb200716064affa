import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCliRunner } from './run-cli.ts';
import { startTaskServers, type TaskServers } from './task/task-servers.ts';

const task = createCliRunner('task');

let servers: TaskServers;
let env: { NATS_URL: string };

beforeAll(async () => {
  servers = await startTaskServers();
  env = { NATS_URL: servers.natsUrl };
});
afterAll(() => servers?.stop());

async function storeTasks(count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const target = [{ type: 'domain', data: `n${ids.length}.cli.test` } as const];
    const { task_id: id } = await servers.client.call('taskCreate', { target, cycle: 60 });
    ids.push(id);
  }
  return ids;
}

async function storedStatuses(ids: string[]): Promise<number[]> {
  const tasks = await servers.client.call('taskGet', {});
  return tasks.filter(({ task_id: id }) => ids.includes(id)).map(({ status }) => status);
}

describe('the process', () => {
  test('prints what came of it and ends with 0', async () => {
    const args = ['create', 'www.cli.test', '-c', '300', '--paused'];
    const { exitCode, stdout, stderr } = await task.run(args, env);
    expect(stdout).toMatch(/^TASK {10}\d+\nSTATUS {8}paused\n(.+\n)*PINNED {8}no\n$/);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('ends with 1 where a task could not be changed, told on standard error', async () => {
    const [id = ''] = await storeTasks(1);
    const { exitCode, stdout, stderr } = await task.run(['pause', '999999999', id], env);
    expect(stderr).toBe('task: 999999999: NOT_FOUND: there is no task 999999999\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: `task ${id} paused\n` });
  });

  test('tells wrong usage on standard error and ends with 2', async () => {
    const { exitCode, stdout, stderr } = await task.run(['pause'], env);
    expect(stderr).toBe('task: ID is missing\ntry: npm run task -- --help\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('tells of a task that is not there on standard error and ends with 3', async () => {
    const { exitCode, stdout, stderr } = await task.run(['show', '999999999'], env);
    expect(stderr).toBe('task: NOT_FOUND: there is no task 999999999\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });
});

describe('a pipe that nobody reads', () => {
  test('is written to without a word', async () => {
    const { stdout, stderr } = await task.runWithoutReader(['list'], env);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });

  test('keeps no task from being changed', async () => {
    const ids = await storeTasks(20);
    const { stdout, stderr } = await task.runWithoutReader(['pause', ...ids], env);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
    expect(await storedStatuses(ids)).toEqual(ids.map(() => 0));
  });
});

describe('Ctrl-C while tasks are changed', () => {
  test('leaves the lines of those that are done', async () => {
    const [first = '', second = '', third = ''] = await storeTasks(3);
    await servers.execute('begin');
    try {
      await servers.execute('select from probe_task where task_id = $1 for update', [second]);
      const child = task.start(['pause', first, second, third], env);
      const closed = once(child, 'close');
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      await once(child.stdout, 'data');
      child.kill('SIGINT');
      expect(await closed).toEqual([130, null]);
      expect(output).toBe(`task ${first} paused\n`);
    } finally {
      await servers.execute('rollback');
    }
    expect(await storedStatuses([first])).toEqual([0]);
    expect(await storedStatuses([third])).toEqual([1]);
  });
});

describe('on a terminal', () => {
  const clearLine = '\r\u001b[K';

  test('is coloured', async () => {
    await servers.execute('truncate probe_task restart identity');
    await storeTasks(1);
    const { stdout } = await task.runOnTerminal(['list'], env);
    expect(stdout).toContain('   1  \u001b[32menabled\u001b[39m   60 s  dnsMonitor    n0.cli.test A  ');
  });

  test('keeps the lines of changed tasks apart from the time that passes', async () => {
    const ids = await storeTasks(3);
    const { stdout } = await task.runOnTerminal(['delete', '999999999', ...ids], env);
    const lines = stdout.split('\r\n').map((line) => line.split(clearLine).at(-1));
    const done = ids.map((id) => `task ${id} deleted`);
    expect(lines).toEqual(['task: 999999999: NOT_FOUND: there is no task 999999999', ...done, '']);
    expect(stdout.startsWith(`${clearLine}deleting … 0.0 s${clearLine}`)).toBe(true);
  });

  test('indents JSON', async () => {
    const { stdout } = await task.runOnTerminal(['results', '--json'], env);
    expect(stdout).toMatch(/\{\r\n {2}"results": \[\],\r\n {2}"next_cursor": null\r\n\}\r\n$/);
  });
});
