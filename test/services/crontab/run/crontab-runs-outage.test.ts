// A replica whose database dies while callbacks are under way, and comes back.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDatabase } from '../../../../infra/database/database.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createCrontabRuns } from '../../../../services/crontab/run/crontab-runs.ts';
import { messageIdOf } from '../../../../services/crontab/run/run-store.ts';
import { startCallbackSink } from '../../../helpers/callback-sink.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { startOwnPostgres } from '../../../helpers/own-postgres.ts';
import { until } from '../../../helpers/test-client.ts';
import { createTestCaller } from '../callback/callback-setup.ts';
import { createCrontabRows } from '../crontab-tables.ts';

const logger = pino({ enabled: false });

test('what came of calls is stored when the database is back, and no time is called twice or lost', async () => {
  const postgres = await startOwnPostgres();
  const database = createDatabase({ url: postgres.url, maxConnections: 4, logger });
  onTestFinished(() => database.stop());
  const rows = createCrontabRows((statement) =>
    database.run(async (db) => (await statement.execute(db)).rows),
  );
  const sink = keepUntilTestEnd(await startCallbackSink());
  const anchorAt = Math.floor((await rows.readNow()) / 1000) * 1000;
  const schedule = { start_time: '@every 1s', anchorAt, nextAt: anchorAt + 1000, overlap: 'allow' } as const;
  const paths = ['/a', '/b', '/c', '/d', '/e'];
  for (const path of paths) {
    await rows.addTask({ ...schedule, url: `${sink.url}${path}`, target: sink.url });
  }
  const replica = keepUntilTestEnd(
    createCrontabRuns({
      database,
      upkeepDatabase: database,
      caller: createTestCaller(),
      replica: randomUUID(),
      concurrency: 200,
      retentionDays: 15,
      metrics: createMetrics(),
      logger,
    }),
  );
  await replica.start();
  await until(async () => paths.every((path) => sink.callsTo(path).length >= 2));
  for (const path of paths) sink.hold(path);
  const before = sink.calls.length;
  await until(async () => sink.calls.length >= before + paths.length);

  await postgres.stopImmediately();
  for (const path of paths) sink.release(path);
  await postgres.restart();

  const back = sink.calls.length;
  await until(async () => sink.calls.length >= back + 2 * paths.length);
  await database.run((db) => sql`update crontab_task set next_at = 'infinity'`.execute(db));
  // What a claim gave whose answer was lost waits for the end of its lease.
  await vi.waitUntil(async () => (await rows.readRuns()).length === 0, { interval: 50, timeout: 25_000 });

  const log = await rows.readLog();
  const called = log.filter(({ status }) => status === 2).map((row) => messageIdOf(row.run_id));
  expect(log.filter(({ status }) => status === 3)).toEqual([]);
  expect(new Set(called).size).toBe(called.length);
  expect(sink.calls.map(({ messageId }) => messageId).toSorted()).toEqual(called.toSorted());
  // Each second is a call, or stands in a row of those that were missed.
  for (const task of Map.groupBy(log, (row) => row.task_id).values()) {
    let next = anchorAt + 1000;
    for (const { scheduled_at: at, status, missed } of task) {
      expect(at.getTime()).toBe(next);
      next = at.getTime() + (status === 5 ? missed : 1) * 1000;
    }
  }
}, 90_000);
