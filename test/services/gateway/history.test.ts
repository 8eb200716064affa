// The history over the bus; result-store.test.ts and slot-store.test.ts look at it more closely.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase } from '../../helpers/postgres.ts';
import { spawnService } from '../../helpers/processes.ts';
import { connectTestClient, until } from '../../helpers/test-client.ts';
import { firstDayS, insertResults } from './history-rows.ts';
import { useTwoGateways } from './two-gateways.ts';

const gateways = useTwoGateways();

describe('history', () => {
  const fill = insertResults({
    slot: 'generate_series(0, 60, 60)',
    task: 'generate_series(1, 2)',
    agent: 'generate_series(1, 2)',
    cell: 'generate_series(0, 4)',
  });

  test('of results comes newest first, chosen by the filters given, page by page', async () => {
    await gateways.execute(fill);
    const newest = await gateways.call('taskResultGet', { limit: 3 });
    expect(
      newest.results.map(({ scheduled_at, task_id, agent_id }) => [scheduled_at, task_id, agent_id]),
    ).toEqual(Array(3).fill(['2026-09-20T00:01:00.000Z', '2', 'agent-2']));
    const rest = await gateways.call('taskResultGet', { limit: 1000, cursor: newest.next_cursor });
    expect(rest).toMatchObject({ results: { length: 37 }, next_cursor: null });
    const chosen = await gateways.call('taskResultGet', {
      task_id: '1',
      agent_id: 'agent-1',
      domain: 'n12.example',
      from: '2026-09-20T08:00:00+08:00',
      to: firstDayS + 60,
    });
    expect(chosen.results).toMatchObject([{ task_id: '1', agent_id: 'agent-1', domain: 'n12.example' }]);
    await gateways.execute('delete from probe_result');
  });

  test('of slots comes newest first, with what came of each', async () => {
    await gateways.execute(
      fill,
      `insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
       select distinct scheduled_at, task_id, scheduled_at + interval '1 minute', 2, 2, 12, 1,
              '[{"reason": "AGENT_AWAY", "ids": ["agent-3"]}]'::jsonb
       from probe_result where scheduled_at > to_timestamp(${firstDayS})`,
      `update probe_result set status = 'NOERROR'`,
    );
    const page = await gateways.call('taskSlotGet', { limit: 1 });
    expect(page.slots).toMatchObject([
      {
        ...{
          task_id: '2',
          scheduled_at: '2026-09-20T00:01:00.000Z',
          agents: 2,
          runs: 2,
          cells: 12,
          missed: 1,
        },
        ...{ done: 10, late: 0, lost: 0, expired: 0, pending: 2 },
        skipped: [{ reason: 'AGENT_AWAY', count: 1, ids: ['agent-3'] }],
      },
    ]);
    const last = await gateways.call('taskSlotGet', { cursor: page.next_cursor });
    expect(last).toMatchObject({ slots: [{ task_id: '1' }], next_cursor: null });
    await gateways.execute('delete from probe_result', 'delete from probe_slot');
  });

  test.each(['taskResultGet', 'taskSlotGet'] as const)(
    '%s refuses a cursor that no reply gave',
    async (name) => {
      await expect(gateways.call(name, { cursor: 'W10' })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        details: { faults: [{ path: 'cursor' }] },
      });
    },
  );
});

test('readings of the history that take long leave a connection to the others, and more of them are OVERLOADED', async () => {
  const nats = keepUntilTestEnd(await startNatsServer());
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  const env = { NATS_URL: nats.url, DATABASE_URL: database.url, GATEWAY_DATABASE_CONNECTIONS: '2' };
  keepUntilTestEnd(await spawnService('gateway', env));
  const client = keepUntilTestEnd(await connectTestClient(nats.url));
  const blocker = new Client({ connectionString: database.url });
  await blocker.connect();
  try {
    await blocker.query('begin');
    await blocker.query('lock table probe_slot');
    const first = client.call('taskSlotGet', {});
    await until(async () => {
      const { rows } = await blocker.query(`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      return rows.length === 1;
    });
    const second = client.call('taskResultGet', {});
    expect(await client.call('taskGet', {})).toEqual([]);
    await expect(second).rejects.toMatchObject({ code: 'OVERLOADED' });
    await blocker.query('rollback');
    expect(await first).toEqual({ slots: [], next_cursor: null });
    expect(await client.call('taskResultGet', {})).toEqual({ results: [], next_cursor: null });
  } finally {
    await blocker.end();
  }
});
