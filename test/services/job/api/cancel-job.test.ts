// Jobs that are cancelled: before anybody works on them, meanwhile, and when they are over.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { jobCalls } from '../../../../contracts/job-api.ts';
import { createDatabase } from '../../../../infra/database/database.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import { connectRaw } from '../../../infra/http/scripted-http-server.ts';
import { createJobClient, createJobServer, refused, useJobApi } from './job-api.ts';

const api = useJobApi();
const { tables, told } = api;
const leased = { leasedFor: 60_000, claimedBy: '5d5b3b5e-0f0f-4c3e-8a51-1f5b7c1f0e11' };

function cancel(taskId: string) {
  return api.call(jobCalls.cancel, { task_id: taskId });
}

/** Plays the part of the replica that works on it, when that has been told to stop. */
async function endWhenWanted(state: 'SUCCESS' | 'FAILURE', info: string | null): Promise<void> {
  await until(async () => (await tables.readRuns()).every((run) => run.is_stop_wanted));
  await tables.query(sql`
    with gone as (delete from job_run returning id)
    update job_task job set state = ${state}, info = ${info}, request = null, ended_at = now()
    from gone where job.id = gone.id`);
}

test('what nobody works on is over at once', async () => {
  const { id, taskId } = await tables.addJob();
  const { id: otherId } = await tables.addJob();
  expect(await cancel(taskId)).toEqual({ task_id: taskId, task_state: 'FAILURE' });
  const job = await tables.readJob(id);
  expect(job).toMatchObject({ state: 'FAILURE', info: 'cancelled', request: null, result: null });
  expect(job.ended_at).toBeInstanceOf(Date);
  expect(await tables.readRuns()).toMatchObject([{ id: otherId, is_stop_wanted: false }]);
  expect(told.stops).toEqual([]);
});

test('what somebody works on is told to stop, and the reply comes when it has', async () => {
  const { id, taskId } = await tables.addJob(leased);
  const { id: otherId } = await tables.addJob(leased);
  const cancelled = cancel(taskId);
  await until(async () => told.stops.length > 0);
  expect(told.stops).toEqual([id]);
  expect(await tables.readRuns()).toMatchObject([
    { id, state: 1, is_stop_wanted: true },
    { id: otherId, state: 1, is_stop_wanted: false },
  ]);
  await tables.query(sql`delete from job_run where id = ${otherId}`);
  await endWhenWanted('FAILURE', 'cancelled');
  expect(await cancelled).toEqual({ task_id: taskId, task_state: 'FAILURE' });
});

test('what succeeds meanwhile has succeeded', async () => {
  const { taskId } = await tables.addJob(leased);
  const cancelled = cancel(taskId);
  await endWhenWanted('SUCCESS', null);
  expect(await cancelled).toEqual({ task_id: taskId, task_state: 'SUCCESS' });
});

test('what is given back meanwhile is over', async () => {
  const { id, taskId } = await tables.addJob(leased);
  const cancelled = cancel(taskId);
  await until(async () => told.stops.length > 0);
  await tables.query(sql`update job_run set state = 0, lease_until = null, claimed_by = null`);
  expect(await cancelled).toEqual({ task_id: taskId, task_state: 'FAILURE' });
  expect(await tables.readJob(id)).toMatchObject({ info: 'cancelled' });
  expect(await tables.readRuns()).toEqual([]);
});

test.each(['SUCCESS', 'FAILURE'] as const)('what is over as a %s stays so', async (state) => {
  const { id, taskId } = await tables.addJob({ state, info: 'as it was', endedIn: -60_000 });
  const before = await tables.readJob(id);
  expect(await cancel(taskId)).toEqual({ task_id: taskId, task_state: state });
  expect(await tables.readJob(id)).toEqual(before);
});

test('twenty calls at once cancel it once', async () => {
  const { id, taskId } = await tables.addJob();
  const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(taskId)));
  expect(new Set(answers.map(({ task_state: state }) => state))).toEqual(new Set(['FAILURE']));
  expect(await tables.readJob(id)).toMatchObject({ info: 'cancelled' });
});

test('what does not stop in time is still pending, and was told once', async () => {
  const { id, taskId } = await tables.addJob(leased);
  const stops: string[] = [];
  const client = await startServer({ stopWaitMs: 250, onStopWanted: (stopped) => void stops.push(stopped) });
  const data = await client.call(jobCalls.cancel, { task_id: taskId });
  expect(data).toEqual({ task_id: taskId, task_state: 'PENDING' });
  expect(await tables.readRuns()).toMatchObject([{ is_stop_wanted: true }]);
  expect(stops).toEqual([id]);
});

test('a stop of the service ends the wait', async () => {
  const { taskId } = await tables.addJob(leased);
  const client = await startServer();
  const answer = client.ask(jobCalls.cancel, { task_id: taskId });
  await until(async () => (await tables.readRuns()).some((run) => run.is_stop_wanted));
  await client.stop();
  expect(await answer).toMatchObject({ status: 503, reply: { info: { code: 'UNAVAILABLE' } } });
});

test('a caller that leaves ends it, too', async () => {
  const { taskId } = await tables.addJob(leased);
  const client = await startServer();
  const leaving = await connectRaw(client.port());
  const body = JSON.stringify({ task_id: taskId });
  leaving.socket.write(
    `POST ${jobCalls.cancel.path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(async () => (await tables.readRuns()).some((run) => run.is_stop_wanted));
  leaving.socket.destroy();
  await until(async () => tables.logged.some(({ code }) => code === 'UNAVAILABLE'));
});

test.each(['90bce047-3a99-4c84-af3a-73b48e296724', 'x'])('%s is not found', async (taskId) => {
  await tables.addJob();
  expect(await api.ask(jobCalls.cancel, { task_id: taskId })).toEqual(
    refused(404, 'NOT_FOUND', 'there is no such task'),
  );
  expect(await tables.readRuns()).toMatchObject([{ is_stop_wanted: false }]);
});

async function startServer({
  stopWaitMs = 10_000,
  onStopWanted,
}: {
  stopWaitMs?: number;
  onStopWanted?: (id: string) => void;
} = {}) {
  const database = createDatabase({ url: tables.url, maxConnections: 2, logger: tables.logger });
  const server = createJobServer({
    database,
    logger: tables.logger,
    limits: { queueTimeoutMs: 60_000, stopWaitMs },
    ...(onStopWanted && { onStopWanted }),
  });
  await server.start();
  keepUntilTestEnd(server);
  keepUntilTestEnd(database);
  return {
    ...createJobClient(server.url),
    stop: server.stop,
    port: () => Number(new URL(server.url()).port),
  };
}
