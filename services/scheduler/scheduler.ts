// The repeated work of a scheduler, and what its metrics tell of it.
import { runFailures } from '../../contracts/run.ts';
import { wakeSubject } from '../../contracts/subjects.ts';
import type { Bus } from '../../infra/bus/bus.ts';
import type { Database } from '../../infra/database/database.ts';
import { type PartitionState, readPartitionState } from '../../infra/database/day-partitions.ts';
import { createQueueGauges } from '../../infra/database/queue-gauges.ts';
import { type Component, sequence } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';
import { createRepetition } from '../../infra/repeat.ts';
import { catchUp } from '../../infra/schedule/catch-up.ts';
import { type Absence, createAbsenceClock, standstillMs } from './agent-absence.ts';
import { buryRuns, reapRuns } from './clear-runs.ts';
import { scheduleTasks } from './schedule-tasks.ts';
import { maxTurnTasks, type Turn, type TurnOptions } from './take-turn.ts';
import { dayTables, doUpkeep } from './upkeep.ts';

const turnMs = 200;
const clearMs = 1000;
const upkeepMs = 10 * 60_000;
/** After one that failed: partitions are needed in time. */
const upkeepRetryMs = 15_000;

/**
 * Plans slots, clears runs that nobody finishes, keeps the partitions, and measures. Every replica does all of
 * it; none of it minds being done twice.
 */
export function createScheduler(options: {
  database: Database;
  bus: Pick<Bus, 'isConnected' | 'publish'>;
  limits: Omit<TurnOptions, keyof Absence>;
  retentionDays: number;
  /** Taken when many tasks are due; each has a connection to the database. */
  turnsAtOnce: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { isScheduling(): boolean } {
  const { database, bus, limits, retentionDays, turnsAtOnce, metrics, logger } = options;
  const slots = metrics.counter('probe_slots_total', 'Slots planned');
  const missed = metrics.counter('probe_slots_missed_total', 'Slots that a later one stands for');
  const lag = metrics.latency('probe_slot_lag_seconds', 'From the nominal time of a slot to its plan');
  const runs = metrics.counter('probe_runs_planned_total', 'Runs planned');
  const skipped = metrics.counter('probe_slot_parts_skipped_total', 'Agents or slots that got no runs', [
    'reason',
  ]);
  const reaped = metrics.counter('probe_leases_reaped_total', 'Leases that ran out');
  const buried = metrics.counter('probe_cells_buried_total', 'Cells that ended without an outcome', [
    'status',
  ]);
  // An alarm on the growth of a counter needs to see where it started.
  for (const status of runFailures) buried.inc({ status }, 0);
  const queue = createQueueGauges({
    prefix: 'probe_runs',
    noun: 'run',
    database,
    table: 'probe_run',
    async measureFirst() {
      // Also when upkeep fails, or the alarm on it could not go off.
      partitions = await readPartitionState(database, dayTables);
    },
    metrics,
    logger,
  });
  let partitions: PartitionState = { count: 0, daysAhead: -1 };
  metrics.gauge('probe_partitions', 'Partitions of slots and results', () => partitions.count);
  metrics.gauge(
    'probe_partitions_days_ahead',
    'Days after today that have their partitions',
    () => partitions.daysAhead,
  );
  const absence = createAbsenceClock();
  let turnLimit: number | undefined;

  function count({ slots: planned, nowMs }: Turn): void {
    slots.inc(planned.length);
    missed.inc(planned.reduce((sum, slot) => sum + slot.missed, 0));
    runs.inc(planned.reduce((sum, slot) => sum + slot.runs.length, 0));
    for (const slot of planned) {
      lag.observe((nowMs - slot.scheduledAt) / 1000);
      for (const { reason, count: each = 0 } of slot.skipped) skipped.inc({ reason }, Math.max(1, each));
    }
  }

  /** Agents look for themselves every few seconds: a message that is lost costs no more than that. */
  function wakeAgents({ slots: planned }: Turn): void {
    if (!bus.isConnected()) return;
    const agentIds = new Set(planned.flatMap(({ runs: each }) => each.map(({ agentId }) => agentId)));
    for (const agentId of agentIds) bus.publish(wakeSubject(agentId));
  }

  async function takeTurn(): Promise<Turn> {
    const turn = await scheduleTasks(
      database,
      { ...limits, ...absence.read(), ...(turnLimit !== undefined && { limit: turnLimit }) },
      logger,
    );
    absence.noteTurn();
    turnLimit = turn.nextLimit;
    count(turn);
    wakeAgents(turn);
    return turn;
  }

  const repetitions = [
    createRepetition({
      name: 'upkeep',
      intervalMs: upkeepMs,
      retryMs: upkeepRetryMs,
      logger,
      async work(signal) {
        await doUpkeep(database, { retentionDays, signal });
        partitions = await readPartitionState(database, dayTables);
        return { hasMore: false };
      },
    }),
    queue,
    createRepetition({
      name: 'clearing runs',
      intervalMs: clearMs,
      logger,
      async work() {
        const reapedRuns = await reapRuns(database);
        reaped.inc(reapedRuns);
        if (reapedRuns > 0) logger.warn({ runs: reapedRuns }, 'leases ran out');
        const { runs: buriedRuns, cells, abandoned } = await buryRuns(database);
        for (const { status, count: each } of cells) buried.inc({ status }, each);
        for (const { id, fault } of abandoned) {
          logger.error({ err: fault, run: id }, 'a run was deleted without results');
        }
        if (buriedRuns > 0) logger.warn({ runs: buriedRuns, cells }, 'runs ended without an outcome');
        return { hasMore: reapedRuns > 0 || buriedRuns > 0 };
      },
    }),
    createRepetition({
      name: 'scheduling',
      intervalMs: turnMs,
      logger,
      work: (signal) => catchUp(takeTurn, { turnsAtOnce, maxTurnTasks, signal }),
    }),
  ];

  return {
    ...sequence(repetitions),
    isScheduling: () => absence.sinceTurnMs() < standstillMs,
  };
}
