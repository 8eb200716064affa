// Two replicas plan and call while callers disable, enable, change, rerun and delete tasks: the books add up all the same.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDatabase } from '../../../../infra/database/database.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import { deleteTasks } from '../../../../services/crontab/api/delete-tasks.ts';
import { runTasksAgain } from '../../../../services/crontab/api/run-tasks-again.ts';
import { pauseTasks, resumeTasks } from '../../../../services/crontab/api/switch-tasks.ts';
import { updateTasks } from '../../../../services/crontab/api/update-tasks.ts';
import { createCrontabRuns } from '../../../../services/crontab/run/crontab-runs.ts';
import { messageIdOf } from '../../../../services/crontab/run/run-store.ts';
import { startCallbackSink } from '../../../helpers/callback-sink.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';
import { until } from '../../../helpers/test-client.ts';
import { createTestCaller } from '../callback/callback-setup.ts';
import { type StoredLog, useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();
const networks = createNetworkPolicy({ allow: [], deny: [] });

/** Seconds that a row tells of: the one that was called, passed over or cancelled, or all that were missed. */
function secondsOf({ scheduled_at: at, status, missed }: StoredLog): number[] {
  const count = status === 5 ? missed : 1;
  return Array.from({ length: count }, (_, index) => at.getTime() + index * 1000);
}

test('no second of a task is called twice, or both called and given up, and none of a task left alone is missing', async () => {
  const sink = keepUntilTestEnd(await startCallbackSink());
  const other = keepUntilTestEnd(
    createDatabase({ url: tables.url, maxConnections: 4, logger: tables.logger }),
  );
  const anchorAt = Math.floor((await tables.readNow()) / 1000) * 1000;
  const schedule = { start_time: '* * * * * *', anchorAt, nextAt: anchorAt + 1000, redo_param: '0 0.2' };
  const addTask = (path: string, overlap: 'skip' | 'allow') =>
    tables.addTask({ ...schedule, overlap, url: `${sink.url}${path}`, target: sink.url });
  const alone = [await addTask('/alone', 'allow'), await addTask('/alone', 'skip')];
  const changing: string[] = [];
  for (let index = 0; index < 20; index += 1) {
    changing.push(await addTask(index % 4 === 0 ? '/bad' : '/good', index % 2 === 0 ? 'skip' : 'allow'));
  }
  sink.answer('/bad', 500);
  for (const database of [tables.database, other]) {
    const replica = createCrontabRuns({
      database,
      upkeepDatabase: database,
      caller: createTestCaller(),
      replica: randomUUID(),
      concurrency: 200,
      retentionDays: 15,
      metrics: createMetrics(),
      logger: tables.logger,
    });
    await keepUntilTestEnd(replica).start();
  }

  const random = createSeededRandom(5);
  const pick = () => Array.from({ length: 1 + random.below(5) }, () => ({ task_id: random.pick(changing) }));
  const changes = [
    () => pauseTasks(pick(), tables.database),
    () => resumeTasks(pick(), tables.database),
    () => resumeTasks(pick(), tables.database),
    () => runTasksAgain(pick(), tables.database),
    () =>
      updateTasks(
        pick().map((key) => ({
          ...key,
          start_time: random.pick(['* * * * * *', '@every 1s', '*/2 * * * * *']),
        })),
        { database: tables.database, networks },
      ),
    () =>
      updateTasks(
        pick().map((key) => ({ ...key, enable: 2 })),
        { database: tables.database, networks },
      ),
  ];
  let changeCount = 0;
  async function changeOn(): Promise<void> {
    await random.pick(changes)();
    changeCount += 1;
  }
  await until(async () => {
    await Promise.all([changeOn(), changeOn()]);
    return sink.callsTo('/alone').length >= 10;
  });
  const deleted = changing.slice(0, 5).map((id) => ({ task_id: id }));
  await deleteTasks(deleted, tables.database);
  await tables.query(sql`update crontab_task set next_at = 'infinity'`);
  await until(async () => (await tables.readRuns()).length === 0);

  expect(changeCount).toBeGreaterThan(50);
  expect(tables.logged.filter(({ level }) => level >= 50)).toEqual([]);
  const log = await tables.readLog();
  const calls = log
    .filter(({ status }) => status === 2 || status === 3)
    .map((row) => messageIdOf(row.run_id));
  expect(sink.calls.map(({ messageId }) => messageId).toSorted()).toEqual(calls.toSorted());
  // One entry for each try of a run, and one run, or none, for each second of a task.
  const bySecond = Map.groupBy(
    log.filter(({ run_type: type, try: tries }) => type !== 3 && tries === 0),
    (row) => row.task_id,
  );
  for (const [id, rows] of bySecond) {
    const seconds = rows.flatMap(secondsOf);
    expect(new Set(seconds).size, `task ${id}`).toBe(seconds.length);
    if (!alone.includes(id)) continue;
    const lastAt = Math.max(...seconds);
    expect(seconds.toSorted((one, two) => one - two)).toEqual(
      Array.from({ length: (lastAt - anchorAt) / 1000 }, (_, index) => anchorAt + (index + 1) * 1000),
    );
  }
});
