import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeReply } from '../../../../contracts/decode.ts';
import { rpcs } from '../../../../contracts/rpc.ts';
import type { Task } from '../../../../contracts/task.ts';
import { runTaskCommand } from '../../../../services/cli/task/run-task-command.ts';
import { createCommandRunner } from '../run-command-here.ts';
import { startTaskServers, type TaskServers } from './task-servers.ts';

const task = createCommandRunner(runTaskCommand);

let servers: TaskServers;
let env: { NATS_URL: string };

beforeAll(async () => {
  servers = await startTaskServers();
  env = { NATS_URL: servers.natsUrl };
});
afterAll(() => servers?.stop());

async function createTask(...args: string[]): Promise<Task> {
  const { stdout } = await task.run(['create', ...args, '--json'], env);
  return decodeReply(rpcs.taskCreate, Buffer.from(stdout));
}

/** A task to work on: the command is not what makes it. */
async function storeTask(...names: string[]): Promise<string> {
  const target = names.map((data) => ({ type: 'domain', data }) as const);
  const { task_id: id } = await servers.client.call('taskCreate', { target, cycle: 60 });
  return id;
}

async function listTasks(...args: string[]): Promise<Task[]> {
  const { stdout } = await task.run(['list', ...args, '--json'], env);
  return decodeReply(rpcs.taskGet, Buffer.from(stdout));
}

describe('create', () => {
  test('prints every field of the new task', async () => {
    const args = ['a.cli.test', 'b.cli.test', '-t', 'A', '-t', 'mx', '-s', '192.0.2.1', '-c', '0'];
    const { exitCode, stdout, stderr } = await task.run(
      ['create', ...args, '--window', '08:00,20:00', '--service-type', 'dnsHijack', '--paused'],
      env,
    );
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^TASK {10}[1-9]\d*$/),
      'STATUS        paused',
      'TYPE          dns',
      'SERVICE TYPE  dnsHijack',
      'CYCLE         once',
      'TARGETS       a.cli.test A',
      '              a.cli.test MX',
      '              b.cli.test A',
      '              b.cli.test MX',
      'SERVERS       192.0.2.1',
      'GROUP         all agents',
      'WINDOW        08:00 to 20:00',
      'UID           -',
      'GID           -',
      'PINNED        no',
      '',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('runs every minute unless told otherwise, and prints the reply with --json', async () => {
    expect(await createTask('x.cli.test')).toMatchObject({
      cycle: 60,
      status: 1,
      target: [{ type: 'domain', rtype: 'A', data: 'x.cli.test' }],
      probe_data: { dns_servers: [] },
    });
  });

  test('takes domain groups', async () => {
    await servers.execute(`insert into domain_group (name, domains) values ('cli', '{a.cli.test}')`);
    const { target } = await createTask('x.cli.test', '--domain-group', '1', '-t', 'AAAA');
    expect(target).toEqual([
      { type: 'domain', rtype: 'AAAA', data: 'x.cli.test' },
      { type: 'domain_group', rtype: 'AAAA', domain_group_id: 1 },
    ]);
  });

  test('makes one task of a key, however often it runs', async () => {
    const args = ['keyed.cli.test', '--idempotency-key', 'once only'];
    const first = await createTask(...args);
    expect(await createTask(...args)).toEqual(first);
    const { exitCode, stderr } = await task.run(
      ['create', 'other.cli.test', '--idempotency-key', 'once only'],
      env,
    );
    expect(stderr).toMatch(/^task: CONFLICT: .*\n$/);
    expect(exitCode).toBe(3);
  });

  test('of a group that does not exist is told by code and message, exit code 3', async () => {
    const { exitCode, stdout, stderr } = await task.run(['create', 'x.cli.test', '-g', '4711'], env);
    expect(stderr).toBe('task: NOT_FOUND: there is no group 4711\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });
});

describe('pause, resume and delete', () => {
  test('print a line for each task and end with 0', async () => {
    const ids = [await storeTask('a.cli.test'), await storeTask('b.cli.test')];
    const stored = async () =>
      (await servers.client.call('taskGet', {}))
        .filter(({ task_id: id }) => ids.includes(id))
        .map(({ status }) => status);

    const paused = await task.run(['pause', ...ids], env);
    expect(paused).toEqual({
      exitCode: 0,
      stdout: ids.map((id) => `task ${id} paused\n`).join(''),
      stderr: '',
    });
    expect(await stored()).toEqual([0, 0]);

    const resumed = await task.run(['resume', ...ids, '--json'], env);
    expect(JSON.parse(resumed.stdout)).toMatchObject(ids.map((id) => ({ task_id: id, status: 1 })));
    expect(await stored()).toEqual([1, 1]);

    const deleted = await task.run(['delete', ...ids], env);
    expect(deleted.stdout).toBe(ids.map((id) => `task ${id} deleted\n`).join(''));
    expect(await stored()).toEqual([]);
  });

  test('go on behind a task that fails, and end with 1', async () => {
    const id = await storeTask('a.cli.test');
    const ids = ['999999999', id, '888888888'];
    const { exitCode, stdout, stderr } = await task.run(['pause', ...ids], env);
    expect(stdout).toBe(`task ${id} paused\n`);
    expect(stderr.split('\n')).toEqual([
      'task: 999999999: NOT_FOUND: there is no task 999999999',
      'task: 888888888: NOT_FOUND: there is no task 888888888',
      '',
    ]);
    expect(exitCode).toBe(1);

    const inJson = await task.run(['delete', ...ids, '--json'], env);
    expect(JSON.parse(inJson.stdout)).toEqual([
      { task_id: '999999999', error: expect.objectContaining({ code: 'NOT_FOUND' }) },
      { task_id: id },
      { task_id: '888888888', error: expect.objectContaining({ code: 'NOT_FOUND' }) },
    ]);
    expect({ exitCode: inJson.exitCode, stderr: inJson.stderr }).toEqual({ exitCode: 1, stderr: '' });
  });
});

describe('list', () => {
  test('shows a line for each task, and those of one status alone', async () => {
    await servers.execute('truncate probe_task restart identity');
    await createTask('a.cli.test', 'b.cli.test', 'c.cli.test', '-s', '192.0.2.1', '-c', '300');
    await createTask('例子.cli.test', '--paused', '--window', '2026-01-01,2026-12-31');
    const { exitCode, stdout } = await task.run(['list'], env);
    expect(stdout.split('\n')).toEqual([
      'TASK  STATUS   CYCLE  SERVICE TYPE  TARGETS                        SERVERS    GROUP  WINDOW',
      '   1  enabled  300 s  dnsMonitor    a.cli.test A, b.cli.test A +1  192.0.2.1      -  -',
      '   2  paused    60 s  dnsMonitor    例子.cli.test A                -              -  2026-01-01 to 2026-12-31',
      '',
      '2 tasks, 1 paused',
      '',
    ]);
    expect(exitCode).toBe(0);
    expect((await listTasks('--paused')).map(({ task_id: id }) => id)).toEqual(['2']);
    expect((await listTasks('--enabled')).map(({ task_id: id }) => id)).toEqual(['1']);
  });

  test('reads as many pages as there are, also of tasks too large for a page in one message', async () => {
    await servers.execute('truncate probe_task restart identity');
    const target = (data: string) => ({ type: 'domain', rtype: 'A', data });
    const long = Array.from({ length: 80 }, () => target(`${'x'.repeat(60)}.cli.test`));
    await servers.execute(
      `insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned)
       select 'dns', 'dnsMonitor', 60, '{"dns_servers": []}', $1, (n % 1000 <> 7)::integer, false
       from generate_series(1, 1200) n`,
      [JSON.stringify([target('a.test'), target('b.test'), ...long])],
    );
    const { stdout } = await task.run(['list'], env);
    const ids = stdout.split('\n').flatMap((line) => /^ *(\d+) {2}/.exec(line)?.[1] ?? []);
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, index) => String(index + 1)));
    expect(stdout.split('\n').slice(-2)).toEqual(['1200 tasks, 2 paused', '']);

    expect((await listTasks('--paused')).map(({ task_id: id }) => id)).toEqual(['7', '1007']);
    const limited = await task.run(['list', '--limit', '3'], env);
    expect(limited.stdout).toMatch(/\n3 tasks, 0 paused\nthere are more: a larger --limit shows them\n$/);
  });

  test('says so where there is none', async () => {
    await servers.execute('truncate probe_task restart identity');
    expect(await task.run(['list'], env)).toEqual({ exitCode: 0, stdout: 'no tasks\n', stderr: '' });
    expect(await task.run(['list', '--json'], env)).toEqual({ exitCode: 0, stdout: '[]\n', stderr: '' });
  });

  test('is coloured on a terminal, and puts columns that do not fit below their line', async () => {
    await servers.execute('truncate probe_task restart identity');
    await createTask('www.cli.test', '-s', '192.0.2.1', '-s', '192.0.2.2', '-s', '192.0.2.3', '--paused');
    const { stdout } = await task.runForTerminal(['list'], env, 60);
    expect(stdout).toContain('   1  \u001b[33mpaused\u001b[39m   60 s  dnsMonitor    www.cli.test A\n');
    expect(stdout).toContain('\n    SERVERS 192.0.2.1, 192.0.2.2 +1\n');
  });
});

describe('a task that is not there', () => {
  test('is NOT_FOUND for show, exit code 3', async () => {
    const { exitCode, stdout, stderr } = await task.run(['show', '999999999'], env);
    expect(stderr).toBe('task: NOT_FOUND: there is no task 999999999\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('is an error envelope with --json', async () => {
    const { exitCode, stdout } = await task.run(['show', '1000000', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'NOT_FOUND', status: 404 } });
    expect(exitCode).toBe(3);
  });
});

describe('the command', () => {
  test('prints help within 100 columns, also behind a command', async () => {
    const { exitCode, stdout, stderr } = await task.run(['--help'], env);
    expect(stdout).toMatch(/^Usage:\n {2}npm run task -- list/m);
    for (const part of ['create NAME', 'results [ID]', 'Exit codes:\n  0 ', 'NATS_URL', 'Examples:\n']) {
      expect(stdout).toContain(part);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await task.run(['create', '--help'], env)).stdout).toBe(stdout);
  });

  test('tells wrong usage one fault per line before anything is sent, exit code 2', async () => {
    const nobody = { NATS_URL: 'nats://127.0.0.1:1' };
    const { exitCode, stdout, stderr } = await task.run(['pause', '7', 'x', '0'], nobody);
    expect(stderr.split('\n')).toEqual([
      'task: ID "x": expected a task id, digits only, as list shows it',
      'task: ID "0": expected a task id, digits only, as list shows it',
      'try: npm run task -- --help',
      '',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('tells of options that npm took', async () => {
    const taken = { ...env, npm_lifecycle_event: 'task', npm_config_paused: 'true' };
    const { exitCode, stderr } = await task.run(['create', 'taken.cli.test'], taken);
    expect(stderr).toMatch(/^task: --paused: npm took it; did you forget -- after npm run task\?\n/);
    expect(exitCode).toBe(2);
    expect(JSON.stringify(await servers.client.call('taskGet', {}))).not.toContain('taken.cli.test');
  });

  test('says in one line that no NATS server is there, exit code 3, whatever the number of tasks', async () => {
    const { exitCode, stdout, stderr } = await task.run(['delete', '1', '2', '3'], {
      NATS_URL: 'nats://127.0.0.1:1',
    });
    expect(stderr).toMatch(/^task: UNAVAILABLE: no NATS server answers at .*\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('indents JSON on a terminal', async () => {
    const { stdout } = await task.runForTerminal(['results', '--json'], env, 60);
    expect(stdout).toMatch(/\{\n {2}"results": \[\],\n {2}"next_cursor": null\n\}\n$/);
  });
});
