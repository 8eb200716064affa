// The repeated work of a replica, and what its metrics tell of it.
import type { Database } from '../../../infra/database/database.ts';
import {
  type DayPartitionedTable,
  maintainDayPartitions,
  type PartitionState,
  readPartitionState,
} from '../../../infra/database/day-partitions.ts';
import { createQueueGauges } from '../../../infra/database/queue-gauges.ts';
import { type Component, sequence } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import { catchUp } from '../../../infra/schedule/catch-up.ts';
import type { Caller } from '../callback/caller.ts';
import { buryRuns, reapRuns } from './clear-runs.ts';
import { createCallMaker } from './make-calls.ts';
import { createRunStore } from './run-store.ts';
import { scheduleTasks } from './schedule-tasks.ts';
import { maxTurnTasks, type Turn } from './take-turn.ts';

const turnMs = 200;
const clearMs = 1000;
const upkeepMs = 10 * 60_000;
/** After one that failed: partitions are needed in time. */
const upkeepRetryMs = 15_000;
/** Without a turn for so long the replica is not ready. */
const standstillMs = 30_000;
const daysAhead = 3;
const dayTables: readonly DayPartitionedTable[] = ['crontab_log'];

/**
 * Plans times, calls the callbacks, clears runs that nobody finishes, keeps the partitions of the log, and measures. Every
 * replica does all of it; none of it minds being done twice.
 */
export function createCrontabRuns(options: {
  database: Database;
  /** For upkeep: one connection, on which a statement may take long. */
  upkeepDatabase: Database;
  caller: Pick<Caller, 'call'>;
  /** Names this process in the leases that it holds. */
  replica: string;
  /** Calls at once. */
  concurrency: number;
  retentionDays: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { /** There are new runs. */ wake(): void; isScheduling(): boolean } {
  const { database, upkeepDatabase, caller, replica, concurrency, retentionDays, metrics, logger } = options;
  const planned = metrics.counter('probe_crontab_runs_planned_total', 'Times that got a run');
  const missed = metrics.counter('probe_crontab_missed_total', 'Times that were too late to be called');
  const skipped = metrics.counter('probe_crontab_skipped_total', 'Times skipped for an earlier run');
  const reaped = metrics.counter('probe_crontab_leases_reaped_total', 'Leases that ran out');
  const buried = metrics.counter('probe_crontab_runs_buried_total', 'Runs that nobody could finish', [
    'reason',
  ]);
  // An alarm on the growth of a counter needs to see where it started.
  for (const reason of ['lost', 'expired']) buried.inc({ reason }, 0);
  const queue = createQueueGauges({
    prefix: 'probe_crontab_runs',
    noun: 'run',
    database: upkeepDatabase,
    table: 'crontab_run',
    async measureFirst() {
      partitions = await readPartitionState(upkeepDatabase, dayTables);
    },
    metrics,
    logger,
  });
  let partitions: PartitionState = { count: 0, daysAhead: -1 };
  metrics.gauge(
    'probe_crontab_partitions_days_ahead',
    'Days after today that have their partition',
    () => partitions.daysAhead,
  );
  const calls = createCallMaker({
    store: createRunStore(database, replica),
    caller,
    concurrency,
    metrics,
    logger,
  });
  let turnLimit: number | undefined;
  let turnEndedAt = performance.now();

  async function takeTurn(): Promise<Turn> {
    const turn = await scheduleTasks(database, turnLimit === undefined ? {} : { limit: turnLimit }, logger);
    turnEndedAt = performance.now();
    turnLimit = turn.nextLimit;
    const runs = turn.planned.filter(({ runAt }) => runAt !== undefined).length;
    planned.inc(runs);
    skipped.inc(turn.planned.filter(({ skippedAt }) => skippedAt !== undefined).length);
    missed.inc(turn.planned.reduce((sum, each) => sum + (each.missed?.count ?? 0), 0));
    if (runs > 0) calls.wake();
    return turn;
  }

  const repetitions = [
    createRepetition({
      name: 'upkeep',
      intervalMs: upkeepMs,
      retryMs: upkeepRetryMs,
      logger,
      async work(signal) {
        await maintainDayPartitions(upkeepDatabase, dayTables, { daysAhead, retentionDays, signal });
        return { hasMore: false };
      },
    }),
    queue,
    createRepetition({
      name: 'clearing runs',
      intervalMs: clearMs,
      logger,
      async work() {
        const lapsed = await reapRuns(database);
        reaped.inc(lapsed);
        if (lapsed > 0) logger.warn({ runs: lapsed }, 'leases ran out');
        const { lost, expired } = await buryRuns(database);
        buried.inc({ reason: 'lost' }, lost);
        buried.inc({ reason: 'expired' }, expired);
        if (lost + expired > 0) logger.warn({ lost, expired }, 'runs ended without a known outcome');
        return { hasMore: lapsed + lost + expired > 0 };
      },
    }),
    calls,
    createRepetition({
      name: 'scheduling',
      intervalMs: turnMs,
      logger,
      work: (signal) => catchUp(takeTurn, { turnsAtOnce: 1, maxTurnTasks, signal }),
    }),
  ];

  return {
    ...sequence(repetitions),
    wake: calls.wake,
    isScheduling: () => performance.now() - turnEndedAt < standstillMs,
  };
}
