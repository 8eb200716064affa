import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeReply } from '../../../../contracts/decode.ts';
import { rpcs } from '../../../../contracts/rpc.ts';
import { runTaskCommand } from '../../../../services/cli/task/run-task-command.ts';
import { createCommandRunner } from '../run-command-here.ts';
import { insertResult, insertSlot, startTaskServers, type TaskServers } from './task-servers.ts';

const task = createCommandRunner(runTaskCommand);
const at = (clock: string) => `2026-09-20T${clock}:17.123Z`;

let servers: TaskServers;
let env: { NATS_URL: string };

beforeAll(async () => {
  servers = await startTaskServers();
  env = { NATS_URL: servers.natsUrl };
  await task.run(['create', 'www.cli.test', '-s', '192.0.2.53'], env);

  const skipped = [
    { reason: 'OVERLAP', count: 1, ids: ['agent-2'] },
    { reason: 'AGENT_AWAY', count: 250, ids: ['agent-3', 'agent-4'] },
  ];
  await insertSlot(servers, { taskId: '1', scheduledAt: at('08:00'), cells: 3, skipped });
  await insertResult(servers, {
    taskId: '1',
    scheduledAt: at('08:00'),
    answers: ['192.0.2.1', '192.0.2.2'],
  });
  const unanswered = { taskId: '1', scheduledAt: at('08:00'), delayMs: null };
  await insertResult(servers, { ...unanswered, cell: 1, status: 'LOST', domain: 'b.cli.test' });
  await insertResult(servers, { ...unanswered, cell: 2, status: 'EXPIRED', domain: 'c.cli.test' });
  await insertSlot(servers, { taskId: '1', scheduledAt: at('08:05'), lagS: 240, cells: 2, missed: 4 });
  await insertResult(servers, { taskId: '1', scheduledAt: at('08:05'), finishedS: 300 });
  await insertSlot(servers, { taskId: '2', scheduledAt: at('08:06'), cells: 0, agents: 0 });
  await insertResult(servers, {
    taskId: '2',
    scheduledAt: at('08:06'),
    agentId: 'agent-2',
    status: 'NXDOMAIN',
  });
});
afterAll(() => servers?.stop());

describe('results', () => {
  test('are shown newest first, those that failed counted as such', async () => {
    const { exitCode, stdout, stderr } = await task.run(['results'], env);
    const place = '86/440000/440400 电信  192.0.2.53';
    expect(stdout.split('\n')).toEqual([
      'SCHEDULED             TASK  AGENT    PLACE                  SERVER      NAME          TYPE  STATUS    DELAY ms  ANSWERS',
      `2026-09-20T08:06:17Z     2  agent-2  ${place}  www.cli.test  A     NXDOMAIN      1.50  -`,
      `2026-09-20T08:05:17Z     1  agent-1  ${place}  www.cli.test  A     NOERROR       1.50  -`,
      `2026-09-20T08:00:17Z     1  agent-1  ${place}  c.cli.test    A     EXPIRED          -  -`,
      `2026-09-20T08:00:17Z     1  agent-1  ${place}  b.cli.test    A     LOST             -  -`,
      `2026-09-20T08:00:17Z     1  agent-1  ${place}  www.cli.test  A     NOERROR       1.50  192.0.2.1`,
      `${' '.repeat(112)}192.0.2.2`,
      '',
      '5 cells, 3 answered; NOERROR 2, NXDOMAIN 1, EXPIRED 1, LOST 1; p50 delay 1.50 ms',
      '',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test.each([
    [['1'], ['1/0', '1/2', '1/1', '1/0']],
    [['--agent', 'agent-2'], ['2/0']],
    [['--domain', 'b.cli.test'], ['1/1']],
    [['--status', 'EXPIRED'], ['1/2']],
    [
      ['--from', at('08:05')],
      ['2/0', '1/0'],
    ],
    [
      ['--to', String(Date.parse(at('08:05')) / 1000), '--limit', '2'],
      ['1/2', '1/1'],
    ],
    [['1', '--status', 'NXDOMAIN'], []],
  ])('of %j are %j', async (args, expected) => {
    const { stdout } = await task.run(['results', ...args, '--json'], env);
    const cells: Record<string, number> = { 'www.cli.test': 0, 'b.cli.test': 1, 'c.cli.test': 2 };
    const { results } = decodeReply(rpcs.taskResultGet, Buffer.from(stdout));
    expect(results.map(({ task_id: id, domain }) => `${id}/${cells[domain]}`)).toEqual(expected);
  });

  test('beyond the limit are told of, and found behind the cursor', async () => {
    const { stdout } = await task.run(['results', '--limit', '4'], env);
    expect(stdout).toMatch(/\nthere are older ones: a larger --limit shows them\n$/);
    const inJson = await task.run(['results', '--limit', '4', '--json'], env);
    expect(decodeReply(rpcs.taskResultGet, Buffer.from(inJson.stdout)).next_cursor).not.toBeNull();
  });

  test('of more than one page are read to the limit', async () => {
    await servers.execute(
      `insert into probe_result (scheduled_at, task_id, agent_id, cell, finished_at, device, domain, rtype, dns_server,
                                 status, truncated, tries, flags, answer, authority, additional)
       select $1::timestamptz, 9, 'agent-1', n, $1::timestamptz,
              '{"country": "86", "province": "1", "city": "1", "carrier": "x"}', 'n' || n || '.test', 'A', '',
              'TIMEOUT', false, 1, '{}', '[]', '[]', '[]'
       from generate_series(0, 1499) n`,
      [at('09:00')],
    );
    const { stdout } = await task.run(['results', '9', '--limit', '1400'], env);
    const names = stdout.split('\n').flatMap((line) => / n(\d+)\.test /.exec(line)?.[1] ?? []);
    expect(names).toEqual(Array.from({ length: 1400 }, (_, index) => String(1499 - index)));
  });

  test('say so where there is none', async () => {
    expect((await task.run(['results', '4711'], env)).stdout).toBe('no results\n');
  });

  test('put what does not fit below their line on a narrow terminal', async () => {
    const { stdout } = await task.runForTerminal(['results', '1', '--to', at('08:05')], env, 80);
    const below = '    PLACE 86/440000/440400 电信  SERVER 192.0.2.53\n';
    expect(stdout).toContain(`\u001b[31mLOST   \u001b[39m         -\n${below}2026`);
    expect(stdout).toContain(`${below}    192.0.2.1\n    192.0.2.2\n`);
  });
});

describe('slots', () => {
  test('show what was planned, what came of it and what was skipped', async () => {
    const { exitCode, stdout, stderr } = await task.run(['slots'], env);
    const title = 'AGENTS  CELLS  DONE  LATE  LOST  EXPIRED  PENDING  MISSED  SKIPPED';
    expect(stdout.split('\n')).toEqual([
      `SCHEDULED             TASK  PLANNED  ${title}`,
      '2026-09-20T08:06:17Z     2  +0.25 s       0      0     1     0     0        0        0       0  -',
      '2026-09-20T08:05:17Z     1   +240 s       1      2     1     1     0        0        1       4  -',
      '2026-09-20T08:00:17Z     1  +0.25 s       1      3     1     0     1        1        0       0  OVERLAP 1, AGENT_AWAY 250',
      '',
      '3 slots, 5 cells: 3 done, 1 lost, 1 expired, 1 pending',
      '',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('of one task and time are those alone', async () => {
    const { stdout } = await task.run(['slots', '1', '--from', at('08:01'), '--json'], env);
    const { slots, next_cursor } = decodeReply(rpcs.taskSlotGet, Buffer.from(stdout));
    expect(slots).toMatchObject([{ task_id: '1', scheduled_at: at('08:05'), missed: 4, pending: 1 }]);
    expect(next_cursor).toBeNull();
  });

  test('beyond the limit are told of', async () => {
    const { stdout } = await task.run(['slots', '--limit', '1'], env);
    expect(stdout).toMatch(/\n1 slot, 0 cells: .*\nthere are older ones: a larger --limit shows them\n$/);
  });

  test('put what does not fit below their line on a narrow terminal, where it is not 0', async () => {
    const { stdout } = await task.runForTerminal(['slots', '1'], env, 80);
    expect(stripVTControlCharacters(stdout)).toContain(
      'SCHEDULED             PLANNED  AGENTS  CELLS  DONE  LATE  LOST  EXPIRED  PENDING\n' +
        '2026-09-20T08:05:17Z   +240 s       1      2     1     1     0        0        1\n' +
        '    MISSED 4\n' +
        '2026-09-20T08:00:17Z  +0.25 s       1      3     1     0     1        1        0\n' +
        '    SKIPPED OVERLAP 1, AGENT_AWAY 250\n',
    );
  });
});

describe('show', () => {
  test('prints the fields of a task and its latest slots', async () => {
    const { exitCode, stdout } = await task.run(['show', '1'], env);
    expect(stdout).toMatch(/^TASK {10}1\nSTATUS {8}enabled\n/);
    expect(stdout).toMatch(/\nPINNED +no\n\nSCHEDULED +PLANNED +AGENTS .*\n2026-09-20T08:05:17Z /);
    expect(stdout).toMatch(/\n2 slots, 5 cells: 2 done, 1 lost, 1 expired, 1 pending\n$/);
    expect(exitCode).toBe(0);
  });

  test('gives both with --json', async () => {
    const { stdout } = await task.run(['show', '1', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({
      task: { task_id: '1', cycle: 60 },
      slots: [{ scheduled_at: at('08:05') }, { scheduled_at: at('08:00') }],
    });
  });
});
