// The list of jobs over real HTTP and Postgres: what is told of each, filters, pages, and how the database finds them.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { type JobEntry, jobCalls, jobListRequestSchema } from '../../../../contracts/job-api.ts';
import { encodeCursor } from '../../../../infra/database/page-cursor.ts';
import { listJobs } from '../../../../services/job/api/list-jobs.ts';
import { createExplainedDatabase } from '../../../helpers/explained-database.ts';
import { useJobApi } from './job-api.ts';

const api = useJobApi();
const { tables } = api;

function list(request: object) {
  return api.call(jobCalls.list, request);
}

test('each job is told with its times, the newest first, without what was submitted or computed', async () => {
  const failed = await tables.addJob({ type: 'dns_result', state: 'FAILURE', info: 'cancelled' });
  const waits = await tables.addJob({ request: { secret: 1 } });
  const done = await tables.addJob({ state: 'SUCCESS', result: { secret: 1 } });
  await tables.query(sql`
    update job_task set created_at = '2026-09-20T04:00:00Z', started_at = '2026-09-20T04:00:01.5Z',
      ended_at = '2026-09-20T04:00:02Z' where id = ${done.id}`);
  const { created_at, ended_at } = await tables.readJob(failed.id);
  const { created_at: submitted_at } = await tables.readJob(waits.id);
  expect(await api.ask(jobCalls.list, {})).toEqual({
    status: 200,
    reply: {
      status: true,
      info: [],
      data: {
        jobs: [
          {
            task_id: done.taskId,
            type: 'bod_pasta',
            task_state: 'SUCCESS',
            info: [],
            created_at: '2026-09-20T04:00:00.000Z',
            started_at: '2026-09-20T04:00:01.500Z',
            ended_at: '2026-09-20T04:00:02.000Z',
          },
          {
            task_id: waits.taskId,
            type: 'bod_pasta',
            task_state: 'PENDING',
            info: [],
            created_at: submitted_at.toISOString(),
            started_at: null,
            ended_at: null,
          },
          {
            task_id: failed.taskId,
            type: 'dns_result',
            task_state: 'FAILURE',
            info: 'cancelled',
            created_at: created_at.toISOString(),
            started_at: null,
            ended_at: ended_at?.toISOString(),
          },
        ],
        next_cursor: null,
      },
    },
  });
});

describe('filters', () => {
  test.each<[object, number[]]>([
    [{}, [3, 2, 1, 0]],
    [{ type: 'bod_pasta' }, [3, 0]],
    [{ type: 'bod_reopt' }, [2, 1]],
    [{ state: 'PENDING' }, [2, 0]],
    [{ type: 'bod_reopt', state: 'SUCCESS' }, [1]],
    [{ state: 'FAILURE' }, [3]],
    [{ type: 'dns_result' }, []],
    [{ type: '', state: '', limit: '', cursor: '' }, [3, 2, 1, 0]],
  ])('%j finds %j', async (request, found) => {
    const ids = [
      await tables.addJob(),
      await tables.addJob({ type: 'bod_reopt', state: 'SUCCESS', result: {} }),
      await tables.addJob({ type: 'bod_reopt' }),
      await tables.addJob({ state: 'FAILURE', info: 'x' }),
    ].map(({ taskId }) => taskId);
    const { jobs } = await list(request);
    expect(jobs.map(({ task_id: taskId }) => ids.indexOf(taskId))).toEqual(found);
  });

  test.each<[string, string, unknown]>([
    ['type=pasta', 'type', expect.stringContaining('expected one of bod_pasta, ')],
    ['state=pending', 'state', 'expected one of PENDING, SUCCESS, FAILURE'],
    ['limit=0', 'limit', 'expected 1 to 1000'],
    ['limit=1001', 'limit', 'expected 1 to 1000'],
    ['limit=1e1', 'limit', 'expected 1 to 1000'],
    ['cursor=x', 'cursor', 'expected a cursor as a reply gave it'],
    ['cursor=WyIxIG9yIHRydWUiXQ', 'cursor', 'expected a cursor as a reply gave it'],
  ])('%s is refused', async (query, path, reason) => {
    const { status, reply } = await api.fetch(`/api/job/list?${query}`);
    expect([status, reply]).toMatchObject([400, { info: { details: { faults: [{ path, reason }] } } }]);
  });
});

describe('pages', () => {
  test('follow each other, whatever is submitted or cleared away meanwhile', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await tables.addJob()).taskId);
    const numbersOf = (jobs: JobEntry[]) => jobs.map(({ task_id: taskId }) => ids.indexOf(taskId));
    const first = await list({ limit: 2 });
    expect(numbersOf(first.jobs)).toEqual([4, 3]);
    await tables.query(sql`delete from job_task where task_id = any (${[ids[3], ids[2]]}::uuid[])`);
    await tables.addJob();
    const second = await list({ limit: 1, cursor: first.next_cursor });
    expect(numbersOf(second.jobs)).toEqual([1]);
    const third = await list({ limit: 1, cursor: second.next_cursor });
    expect([numbersOf(third.jobs), third.next_cursor]).toEqual([[0], null]);
  });
});

test('a page of many jobs reads no more than itself', async () => {
  await tables.query(sql`
    insert into job_task (type, state, request_hash, result, ended_at)
    select case n % 3 when 0 then 'bod_pasta' else 'bod_reopt' end,
      case when n <= 5 then 'FAILURE' else 'SUCCESS' end, '', 'x', now()
    from generate_series(1, 30000) n`);
  const waiting = await tables.addJob();
  await tables.query(sql`
    with job as (
      insert into job_task (type, state, request_hash, result, ended_at)
      select 'bod_reopt', case when n < 2500 then 'SUCCESS' else 'PENDING' end, '', 'x', null
      from generate_series(1, 5000) n returning id, state)
    insert into job_run (id, lane, expires_at) select id, 0, now() from job where state = 'PENDING'`);
  const { database, explain } = createExplainedDatabase(tables.url, ['job_task', 'job_run']);
  const find = (request: object) => explain(() => listJobs(jobListRequestSchema.parse(request), database));
  const few = expect.toSatisfy((read) => read <= 40);
  try {
    // Before there are statistics of them, and afterwards.
    for (const statement of [sql`select`, sql`analyze job_task, job_run`]) {
      await tables.query(statement);
      expect(await find({ limit: '10' })).toEqual({ ways: ['job_task_pkey'], hasSort: false, read: 11 });
      expect(await find({ limit: '10', type: 'bod_reopt' })).toMatchObject({ hasSort: false, read: few });
      const failed = await find({ limit: '10', state: 'FAILURE' });
      expect(failed).toEqual({ ways: ['job_task_failed_idx'], hasSort: false, read: 5 });
      const ways = ['job_run_pkey', 'job_task_pkey'];
      const cursor = encodeCursor([String(Number(waiting.id) + 1)]);
      for (const more of [{}, { cursor }]) {
        const finding = await find({ limit: '10', state: 'PENDING', ...more });
        expect(finding).toEqual({ ways, hasSort: false, read: few });
      }
    }
    expect((await find({ type: 'dns_result' })).ways).toEqual(['job_task_list_idx']);
  } finally {
    await database.stop();
  }
});
