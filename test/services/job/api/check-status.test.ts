// What callers are told of their jobs, over real HTTP and Postgres.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { jobCalls } from '../../../../contracts/job-api.ts';
import { jobExamples } from '../../../../contracts/job-examples.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import { connectRaw, type RawConnection } from '../../../infra/http/scripted-http-server.ts';
import { createJobClient, createJobServer, refused, useJobApi } from './job-api.ts';

const api = useJobApi();
const { tables } = api;
const type = 'bod_pasta';

function check(taskId: string) {
  return api.ask(jobCalls.checkStatus, { task_id: taskId, type });
}

test.each([
  ['waits', {}],
  ['is under way', { leasedFor: 60_000 }],
])('a job that %s is pending', async (_how, row) => {
  const { taskId } = await tables.addJob(row);
  expect(await check(taskId)).toEqual({
    status: 200,
    reply: {
      status: true,
      info: [],
      data: { task_id: taskId, task_state: 'PENDING', task_status: 'PENDING', info: [], data: [] },
    },
  });
});

test('a job that failed says why', async () => {
  const { taskId } = await tables.addJob({ state: 'FAILURE', info: 'took longer than 600 s, “so”' });
  expect(await api.call(jobCalls.checkStatus, { task_id: taskId, type })).toEqual({
    task_id: taskId,
    task_state: 'FAILURE',
    task_status: 'FAILURE',
    info: 'took longer than 600 s, “so”',
    data: [],
  });
});

test('a job that succeeded has its result, as in the document', async () => {
  const { data } = jobExamples.checkStatus.reply;
  const { taskId } = await tables.addJob({ state: 'SUCCESS', result: data.data });
  const reply = { status: true, info: [], data: { ...data, task_id: taskId } };
  expect(await check(taskId)).toEqual({ status: 200, reply });
  expect(await api.call(jobCalls.checkStatus, { task_id: taskId, type })).toEqual(reply.data);
});

test('a result of megabytes comes as it is kept', async () => {
  const result = Buffer.from(`{"info": {}, "data": "${'拨测 '.repeat(500_000)}"}`);
  const { taskId } = await tables.addJob({ state: 'SUCCESS', result });
  const url = await startServer();
  const response = await fetch(`${url}/api/job/check_status?task_id=${taskId}&type=${type}`);
  const octets = Buffer.from(await response.arrayBuffer());
  expect(octets.subarray(-result.length - 2, -2).equals(result)).toBe(true);
  expect(octets.subarray(0, 52).toString()).toBe(
    `{"status":true,"info":[],"data":{"task_id":"${taskId.slice(0, 8)}`,
  );
  expect(octets.subarray(-2).toString()).toBe('}}');
});

test('an id is found in capital letters, too', async () => {
  const { taskId } = await tables.addJob();
  expect(await check(taskId.toUpperCase())).toMatchObject({
    status: 200,
    reply: { data: { task_id: taskId } },
  });
});

describe('an id', () => {
  test.each([
    '90bce047-3a99-4c84-af3a-73b48e296724',
    'no-such-task',
    '1',
    "' or true --",
    '90bce047-3a99-4c84-af3a-73b48e29672',
    'x'.repeat(255),
  ])('that no job has is not found: %j', async (taskId) => {
    await tables.addJob();
    expect(await check(taskId)).toEqual(refused(404, 'NOT_FOUND', 'there is no such task'));
  });

  test('of a job of another type is told both types', async () => {
    const { taskId } = await tables.addJob({ type: 'nonbod_pasta' });
    expect(await check(taskId)).toMatchObject({
      status: 409,
      reply: {
        status: false,
        info: {
          code: 'CONFLICT',
          message: 'this task is of type nonbod_pasta, not bod_pasta',
          details: { type: 'nonbod_pasta' },
        },
      },
    });
  });
});

describe('a request', () => {
  const types =
    'expected one of bod_pasta, nonbod_pasta, bod_modified, bod_reopt, nonbod_reopt, bod_congest_reopt, dns_result';

  test.each<[string, { path: string; reason: unknown }[]]>([
    [
      '',
      [
        { path: 'task_id', reason: 'is missing' },
        { path: 'type', reason: 'is missing' },
      ],
    ],
    ['?task_id=1', [{ path: 'type', reason: 'is missing' }]],
    ['?task_id=&type=bod_pasta', [{ path: 'task_id', reason: 'is missing' }]],
    ['?task_id=1&type=pasta', [{ path: 'type', reason: types }]],
    [`?type=bod_pasta&task_id=${'x'.repeat(256)}`, [{ path: 'task_id', reason: expect.any(String) }]],
    ['?task_id=%00&type=bod_pasta', [{ path: 'task_id', reason: 'has control characters' }]],
    ['?task_id=1&type=bod_pasta&task_id=2', [{ path: 'task_id', reason: 'is given more than once' }]],
  ])('%j is told all that is wrong with it', async (query, faults) => {
    const { status, reply } = await api.fetch(`/api/job/check_status${query}`);
    expect([status, reply]).toMatchObject([
      400,
      { status: false, info: { code: 'INVALID_REQUEST', details: { faults, total: faults.length } } },
    ]);
  });
});

describe('a result larger than what goes unread', () => {
  async function addLargeResult(): Promise<string> {
    const { id, taskId } = await tables.addJob({ state: 'SUCCESS', result: {} });
    await tables.query(
      sql`update job_task set result = convert_to(repeat('1', 20 << 20), 'UTF8') where id = ${id}`,
    );
    return taskId;
  }

  /** A caller that does not read on after the beginning. */
  async function beginToRead(url: string, taskId: string): Promise<RawConnection> {
    const slow = await connectRaw(Number(new URL(url).port));
    slow.socket.write(`GET /api/job/check_status?task_id=${taskId}&type=${type} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await slow.readUntil('HTTP/1.1 200 OK');
    slow.socket.pause();
    return slow;
  }

  test('is told to so many callers at once, the others are to ask again', async () => {
    const taskId = await addLargeResult();
    const { taskId: small } = await tables.addJob({ state: 'SUCCESS', result: { info: {}, data: [] } });
    const url = await startServer({ maxResultOctets: 1024 * 1024 });
    const client = createJobClient(() => url);
    const ask = (id: string) => client.ask(jobCalls.checkStatus, { task_id: id, type });
    const slow = await beginToRead(url, taskId);
    expect(await ask(taskId)).toEqual(refused(429, 'OVERLOADED', 'other results are being sent: ask again'));
    expect(await ask(small)).toMatchObject({ status: 200 });
    slow.socket.destroy();
    await until(async () => {
      const { status, body } = await fetch(`${url}/api/job/check_status?task_id=${taskId}&type=${type}`);
      await body?.cancel();
      return status === 200;
    });
  });

  test('breaks off when it is cleared away meanwhile', async () => {
    const taskId = await addLargeResult();
    const slow = await beginToRead(await startServer(), taskId);
    await tables.query(sql`delete from job_task`);
    slow.socket.resume();
    const reply = await slow.readAll();
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\ncontent-length: 209716\d\d\r\n/);
    expect(reply.length).toBeLessThan(20 << 20);
    expect(tables.logged).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'a result was broken off' }),
    );
  });
});

async function startServer(limits: { maxResultOctets?: number } = {}): Promise<string> {
  const { database, logger } = tables;
  const server = createJobServer({ database, logger, limits: { queueTimeoutMs: 60_000, ...limits } });
  await server.start();
  return keepUntilTestEnd(server).url();
}
