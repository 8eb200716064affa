// Jobs that are submitted, over real HTTP and Postgres: what is stored, and what is stored once only.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { JobType } from '../../../../contracts/job.ts';
import { jobCalls } from '../../../../contracts/job-api.ts';
import { refused, useJobApi } from './job-api.ts';

const api = useJobApi();
const { tables, told } = api;
const path = '/api/job/submit';

function submit(body: string, headers: Record<string, string> = {}) {
  return api.fetch(path, { method: 'POST', body, headers });
}

test('a job is stored as its octets came, with a run', async () => {
  const body = ' {"type": "bod_pasta",\n "links": [], "名": 1.0}';
  const { status, reply } = await submit(body);
  const [job] = await tables.readJobs();
  expect([status, reply]).toEqual([200, { status: true, info: [], data: { task_id: job?.task_id } }]);
  expect(job).toMatchObject({
    type: 'bod_pasta',
    state: 'PENDING',
    idempotency_key: null,
    request_hash: createHash('sha256').update(`bod_pasta\0${body}`).digest(),
    result: null,
    info: null,
    started_at: null,
    ended_at: null,
  });
  expect(job?.request?.toString()).toBe(body);
  const [run] = await tables.readRuns();
  expect(run).toMatchObject({ id: job?.id, lane: 0, state: 0, attempt: 0, lapses: 0, is_stop_wanted: false });
  expect((run?.expires_at.getTime() ?? 0) - (run?.due_at.getTime() ?? 0)).toBe(60_000);
  expect(told.lanes).toEqual([0]);
});

test.each<[string, string, JobType]>([
  ['POST', '/pasta/async_bod_pasta', 'bod_pasta'],
  ['POST', '/api/pasta/async_bod_pasta', 'bod_pasta'],
  ['PUT', '/pasta/async_bod_pasta', 'bod_modified'],
  ['PUT', '/api/pasta/async_bod_pasta', 'bod_modified'],
  ['POST', '/pasta/async_nonbod_pasta', 'nonbod_pasta'],
  ['POST', '/api/pasta/async_nonbod_pasta', 'nonbod_pasta'],
  ['POST', '/reopt/async_bod_reoptimize', 'bod_reopt'],
  ['POST', '/api/reopt/async_bod_reoptimize', 'bod_reopt'],
  ['POST', '/reopt/async_nonbod_reoptimize', 'nonbod_reopt'],
  ['POST', '/api/reopt/async_nonbod_reoptimize', 'nonbod_reopt'],
])('%s %s is a job of type %s', async (method, url, type) => {
  expect(await api.fetch(url, { method, body: '{}' })).toMatchObject({ status: 200 });
  expect(await tables.readJobs()).toMatchObject([{ type, request: Buffer.from('{}') }]);
});

test('a probe is for workers of its own', async () => {
  await api.call(jobCalls.submit, { type: 'dns_result' });
  expect(await tables.readRuns()).toMatchObject([{ lane: 1 }]);
  expect(told.lanes).toEqual([1]);
});

test('what the check refuses is told in its words, and not stored', async () => {
  expect(await api.ask(jobCalls.asyncBodPasta, { refused: true })).toEqual({
    status: 400,
    reply: {
      status: false,
      info: {
        code: 'INVALID_REQUEST',
        message: 'links.0.remote: there is no node P9',
        retryable: false,
        details: { total: 1 },
      },
      data: {},
    },
  });
  expect(await submit('{')).toEqual(refused(400, 'INVALID_JSON', 'the body is not JSON'));
  expect(await submit('')).toEqual(refused(400, 'INVALID_JSON', 'the body is empty'));
  expect([await tables.readJobs(), await tables.readRuns(), told.lanes]).toEqual([[], [], []]);
});

test('a body of megabytes is stored', async () => {
  const body = `{"type":"bod_pasta","x":"${'拨测'.repeat(500_000)}"}`;
  expect(await submit(body)).toMatchObject({ status: 200 });
  const [job] = await tables.readJobs();
  expect(job?.request?.equals(Buffer.from(body))).toBe(true);
});

test('a body of twenty megabytes is refused, and the next one is taken', async () => {
  expect(await submit('x'.repeat(20 * 1024 * 1024))).toEqual(
    refused(413, 'PAYLOAD_TOO_LARGE', 'the body is larger than 16777216 bytes'),
  );
  expect(await submit('{"type":"bod_pasta"}')).toMatchObject({ status: 200 });
});

describe('a submission with an idempotency key', () => {
  const body = '{"type":"bod_pasta","idempotency_key":"order-1"}';

  test('is the same job when it is repeated, also when that has ended', async () => {
    const first = await submit(body);
    expect(await submit(body)).toEqual(first);
    expect(told.lanes).toEqual([0]);
    await tables.query(sql`delete from job_run`);
    await tables.query(sql`update job_task set state = 'SUCCESS', request = null, ended_at = now()`);
    expect(await submit(body)).toEqual(first);
    expect(await tables.readJobs()).toMatchObject([{ idempotency_key: 'order-1', state: 'SUCCESS' }]);
    expect([await tables.readRuns(), told.lanes]).toEqual([[], [0]]);
  });

  test('may have it in the header, on every path', async () => {
    const headers = { 'Idempotency-Key': ' 订单-1 ' };
    const key = { 'Idempotency-Key': Buffer.from(headers['Idempotency-Key']).toString('latin1') };
    const first = await api.call(jobCalls.asyncBodPasta, { a: 1 }, key);
    expect(await api.call(jobCalls.asyncBodPasta, { a: 1 }, key)).toEqual(first);
    expect(await tables.readJobs()).toMatchObject([{ idempotency_key: '订单-1' }]);
  });

  test('may have it in both when they are the same', async () => {
    expect(await submit(body, { 'Idempotency-Key': 'order-1' })).toMatchObject({ status: 200 });
    expect(await submit(body, { 'Idempotency-Key': 'order-2' })).toMatchObject({
      status: 400,
      reply: {
        info: { message: 'idempotency_key: says something else than the header Idempotency-Key' },
      },
    });
    expect(await tables.readJobs()).toHaveLength(1);
  });

  test('that another request has is refused, with the task of that', async () => {
    const { task_id } = await api.call(jobCalls.asyncBodPasta, { a: 1 }, { 'Idempotency-Key': 'k' });
    const taken = {
      status: 409,
      reply: {
        status: false,
        info: {
          code: 'CONFLICT',
          message: 'another request has this idempotency key',
          retryable: false,
          details: { task_id },
        },
        data: {},
      },
    };
    expect(await api.ask(jobCalls.asyncBodPasta, { a: 2 }, { 'Idempotency-Key': 'k' })).toEqual(taken);
    // The same octets, for something else.
    expect(await api.ask(jobCalls.asyncNonbodPasta, { a: 1 }, { 'Idempotency-Key': 'k' })).toEqual(taken);
    expect(await tables.readJobs()).toHaveLength(1);
  });

  test('that thirty make at once is one job, and all are told its id', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => submit(body)));
    const [job, ...others] = await tables.readJobs();
    expect(others).toEqual([]);
    for (const { status, reply } of answers) {
      expect([status, reply]).toMatchObject([200, { data: { task_id: job?.task_id } }]);
    }
    expect(await tables.readRuns()).toHaveLength(1);
    expect(told.lanes).toEqual([0]);
  });

  test.each([
    ['', 'is empty'],
    ['x'.repeat(256), 'Too big: expected string to have <=255 characters'],
    ['a\tb', 'has control characters'],
    ['\xff', 'is not UTF-8'],
  ])('%j is told what is wrong with it', async (key, reason) => {
    expect(await submit('{"type":"bod_pasta"}', { 'Idempotency-Key': key })).toMatchObject({
      status: 400,
      reply: { info: { code: 'INVALID_REQUEST', message: `Idempotency-Key: ${reason}` } },
    });
  });
});

test('submissions without a key are jobs of their own', async () => {
  const first = await submit('{"type":"bod_pasta"}');
  expect(await submit('{"type":"bod_pasta"}')).not.toEqual(first);
  expect(await tables.readRuns()).toHaveLength(2);
});
