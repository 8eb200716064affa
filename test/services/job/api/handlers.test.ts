// Every call over real HTTP: requests that are none, what the log has of them, and a database that is away.
import { expect, test } from 'vitest';
import { jobCalls, jobErrorSchema } from '../../../../contracts/job-api.ts';
import { jobExamples } from '../../../../contracts/job-examples.ts';
import { createDatabase } from '../../../../infra/database/database.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { createJobClient, createJobServer, refused, useJobApi } from './job-api.ts';

const api = useJobApi();
const { tables } = api;
type CallName = keyof typeof jobCalls;
const names = Object.keys(jobCalls).filter((name): name is CallName => Object.hasOwn(jobCalls, name));

test.each(names)('the example of %s is answered in its form', async (name) => {
  const { status, reply } = await api.ask(jobCalls[name], jobExamples[name].request);
  const isUnknown = name === 'checkStatus' || name === 'cancel';
  expect(status).toBe(isUnknown ? 404 : 200);
  const schema = isUnknown ? jobErrorSchema : jobCalls[name].reply;
  expect(schema.safeParse(reply)).toMatchObject({ success: true });
});

test.each(['[]', 'null', '"x"', '7'])('%s is no request of cancel', async (body) => {
  const { status, reply } = await api.fetch(jobCalls.cancel.path, { method: 'POST', body });
  expect([status, reply]).toMatchObject([400, { status: false, info: { code: 'INVALID_REQUEST' } }]);
});

test('cancel without an id is told so', async () => {
  expect(await api.ask(jobCalls.cancel, {})).toMatchObject({
    status: 400,
    reply: { info: { message: 'task_id: is missing' } },
  });
  expect(await api.fetch(jobCalls.cancel.path, { method: 'POST', body: '{' })).toEqual(
    refused(400, 'INVALID_JSON', 'the body is not JSON'),
  );
});

test('the log tells which job a request was about, and nothing of what it says', async () => {
  const request = { ...jobExamples.submit.request, note: 'correct-horse' };
  const { task_id } = await api.call(jobCalls.submit, request);
  await api.call(jobCalls.cancel, { task_id });
  const told = tables.logged.filter((line) => line.task_id === task_id);
  expect(told).toMatchObject([
    { msg: 'task stored', type: 'bod_pasta', request_id: expect.any(String) },
    { msg: 'task to be cancelled', state: 'FAILURE', request_id: expect.any(String) },
  ]);
  expect(JSON.stringify(tables.logged)).not.toContain('correct-horse');
});

test('while the database is away every call says so', async () => {
  const { logger } = tables;
  const database = createDatabase({ url: 'postgres://x@127.0.0.1:1/x', maxConnections: 1, logger });
  keepUntilTestEnd(database);
  const server = keepUntilTestEnd(createJobServer({ database, logger }));
  await server.start();
  const client = createJobClient(server.url);
  for (const name of names) {
    const answer = await client.ask(jobCalls[name], jobExamples[name].request);
    expect(answer, name).toEqual(refused(503, 'UNAVAILABLE', 'the database is away'));
  }
});
