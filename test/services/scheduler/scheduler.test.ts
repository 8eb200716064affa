// The scheduler as a whole in this process, on a real Postgres and without a bus: what it repeats, and what its metrics tell.
import { sql } from 'kysely';
import { Client } from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createBus } from '../../../infra/bus/nats-bus.ts';
import { createMetrics, type Metrics } from '../../../infra/metrics.ts';
import { createScheduler } from '../../../services/scheduler/scheduler.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';
import { until } from '../../helpers/test-client.ts';

const tables = useRecurringTables();
let metrics: Metrics;
let scheduler: ReturnType<typeof createScheduler>;

beforeEach(() => {
  metrics = createMetrics();
  scheduler = createScheduler({
    database: tables.database,
    // Never started: agents look for themselves.
    bus: createBus({ config: { servers: ['nats://127.0.0.1:1'] }, name: 'test', logger: tables.logger }),
    limits: { timeZone: 'UTC', maxCells: 1000 },
    turnsAtOnce: 2,
    retentionDays: 7,
    metrics,
    logger: tables.logger,
  });
  onTestFinished(() => scheduler.stop());
});

async function read(name: string): Promise<number | undefined> {
  const value = await metrics.registry.getSingleMetric(name)?.get();
  return value?.values[0]?.value;
}

test('removes old sessions, makes partitions and tells how many there are', async () => {
  await tables.addAgent('gone', { heardIn: -25 * 3_600_000 });
  await tables.addAgent('here');
  await tables.query(sql`select from probe_slot`);
  await scheduler.start();
  const sessions = () => tables.query(sql`select agent_id from agent_session`);
  await until(async () => (await sessions()).length === 1);
  await until(async () => (await read('probe_partitions_days_ahead')) === 3);
  expect(await read('probe_partitions')).toBe(10);
  await until(async () => scheduler.isScheduling());
});

test('tells how many days have their partitions though upkeep fails', async () => {
  const [row] = await tables.query(sql<{ name: string }>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'probe_result'::regclass and relname ~ '_[0-9]+$' order by relname offset 2 limit 1`);
  const tomorrow = row?.name ?? '';
  await tables.query(sql`alter table probe_result detach partition ${sql.table(tomorrow)}`);
  onTestFinished(async () => {
    await tables.query(sql`drop table ${sql.table(tomorrow)}`);
  });
  const reader = new Client({ connectionString: tables.url });
  await reader.connect();
  onTestFinished(() => reader.end());
  await tables.query(sql`
    create table if not exists probe_slot_20200101 partition of probe_slot
    for values from ('2020-01-01') to ('2020-01-02')`);
  await reader.query('begin');
  await reader.query('select from probe_slot_20200101');

  await scheduler.start();
  await until(async () =>
    tables.logged.some(({ work, msg }) => work === 'upkeep' && msg === 'a turn failed'),
  );
  await until(async () => (await read('probe_partitions_days_ahead')) === 0);
  expect(await read('probe_partitions')).toBe(10);
});

test('an agent that was away when everything was has runs, a task that runs once waits for its agent', async () => {
  await tables.addAgent('back-soon', { groups: [1], place: ['1', '1', '1', 'x'], heardIn: -300_000 });
  await tables.query(
    sql`insert into probe_group_detail values (1, '1', '*', '*', '*'), (2, '2', '*', '*', '*')`,
  );
  const once = await tables.addTask({ cycle: 0, group_id: 1, updatedIn: -5000 });
  const forNobody = await tables.addTask({ cycle: 0, group_id: 2, updatedIn: -5000 });
  await scheduler.start();
  const slots = () => tables.query(sql`select task_id, agents, skipped from probe_slot`);
  await until(async () => (await slots()).length === 1);
  expect(await slots()).toEqual([{ task_id: once, agents: 1, skipped: [] }]);
  const [later] = await tables.query(
    sql`select next_at > now() as is_later, last_at from probe_task where task_id = ${forNobody}`,
  );
  expect(later).toEqual({ is_later: true, last_at: null });
});
