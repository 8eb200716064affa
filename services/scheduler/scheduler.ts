// The repeated work of a scheduler, and what its metrics tell of it.
import { sql } from 'kysely';
import { sessionTermMs } from '../../contracts/agent.ts';
import { runFailures } from '../../contracts/run.ts';
import { wakeSubject } from '../../contracts/subjects.ts';
import type { Bus } from '../../infra/bus/bus.ts';
import type { Database } from '../../infra/database/database.ts';
import {
  type DayPartitionedTable,
  maintainDayPartitions,
  type PartitionState,
} from '../../infra/database/day-partitions.ts';
import { type Component, sequence } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';
import { createRepetition } from '../../infra/repeat.ts';
import { buryRuns, reapRuns, removeOldSessions } from './clear-runs.ts';
import { scheduleTasks, type Turn, type TurnOptions } from './schedule-tasks.ts';

const turnMs = 200;
const clearMs = 1000;
const measureMs = 10_000;
const upkeepMs = 10 * 60_000;
const daysAhead = 3;
/** After a standstill of the database this long, */
const standstillMs = 10_000;
/** agents have this long to be heard of again: what they could not send does not count against them. */
const returnMs = 15_000;
const dayTables: readonly DayPartitionedTable[] = ['probe_slot', 'probe_result'];

/**
 * Plans slots, clears runs that nobody finishes, keeps the partitions, and measures the queue. Every replica does all of
 * it; none of it minds being done twice.
 */
export function createScheduler(options: {
  database: Database;
  bus: Pick<Bus, 'isConnected' | 'publish'>;
  limits: Omit<TurnOptions, 'aliveMs'>;
  retentionDays: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { isScheduling(): boolean } {
  const { database, bus, limits, retentionDays, metrics, logger } = options;
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
  let queue: QueueState = { ready: 0, leased: 0, oldestReadyS: 0 };
  metrics.gauge('probe_runs_ready', 'Runs that wait to be claimed', () => queue.ready);
  metrics.gauge('probe_runs_leased', 'Runs that an agent holds', () => queue.leased);
  metrics.gauge(
    'probe_runs_oldest_ready_seconds',
    'How long the oldest ready run has been due',
    () => queue.oldestReadyS,
  );
  let partitions: PartitionState = { count: 0, daysAhead: -1 };
  metrics.gauge('probe_partitions', 'Partitions of slots and results', () => partitions.count);
  metrics.gauge(
    'probe_partitions_days_ahead',
    'Days after today that have their partitions',
    () => partitions.daysAhead,
  );
  let lastTurnAt = -Infinity;
  let standstill = { ms: 0, endedAt: -Infinity };

  function readAliveMs(): number {
    const now = performance.now();
    const gapMs = now - lastTurnAt;
    if (Number.isFinite(gapMs) && gapMs > standstillMs) standstill = { ms: gapMs, endedAt: now };
    return now - standstill.endedAt < returnMs ? sessionTermMs + standstill.ms + returnMs : sessionTermMs;
  }

  function count({ slots: planned, nowMs }: Turn): void {
    for (const slot of planned) {
      slots.inc();
      missed.inc(slot.missed);
      runs.inc(slot.runs.length);
      lag.observe((nowMs - slot.scheduledAt) / 1000);
      for (const { reason, ids } of slot.skipped) skipped.inc({ reason }, Math.max(1, ids.length));
    }
  }

  /** Agents look for themselves every few seconds: a message that is lost costs no more than that. */
  function wakeAgents({ slots: planned }: Turn): void {
    if (!bus.isConnected()) return;
    const agentIds = new Set(planned.flatMap(({ runs: each }) => each.map(({ agentId }) => agentId)));
    for (const agentId of agentIds) bus.publish(wakeSubject(agentId));
  }

  const repetitions = [
    createRepetition({
      name: 'upkeep',
      intervalMs: upkeepMs,
      logger,
      async work() {
        partitions = await maintainDayPartitions(database, dayTables, { daysAhead, retentionDays });
        await removeOldSessions(database);
        return { hasMore: false };
      },
    }),
    createRepetition({
      name: 'measuring the queue',
      intervalMs: measureMs,
      logger,
      async work() {
        queue = await readQueueState(database);
        return { hasMore: false };
      },
    }),
    createRepetition({
      name: 'clearing runs',
      intervalMs: clearMs,
      logger,
      async work() {
        const reapedRuns = await reapRuns(database);
        reaped.inc(reapedRuns);
        if (reapedRuns > 0) logger.warn({ runs: reapedRuns }, 'leases ran out');
        const { runs: buriedRuns, cells } = await buryRuns(database);
        for (const { status, count: each } of cells) buried.inc({ status }, each);
        if (buriedRuns > 0) logger.warn({ runs: buriedRuns, cells }, 'runs ended without an outcome');
        return { hasMore: reapedRuns > 0 || buriedRuns > 0 };
      },
    }),
    createRepetition({
      name: 'scheduling',
      intervalMs: turnMs,
      logger,
      async work() {
        const turn = await scheduleTasks(database, { ...limits, aliveMs: readAliveMs() }, logger);
        lastTurnAt = performance.now();
        count(turn);
        wakeAgents(turn);
        return { hasMore: turn.isFull };
      },
    }),
  ];

  return {
    ...sequence(repetitions),
    isScheduling: () => performance.now() - lastTurnAt < standstillMs,
  };
}

type QueueState = { ready: number; leased: number; oldestReadyS: number };

async function readQueueState(database: Database): Promise<QueueState> {
  const { rows } = await database.run((db) =>
    sql<QueueState>`
      select
        count(*) filter (where state = 0)::integer as ready,
        count(*) filter (where state = 1)::integer as leased,
        coalesce(extract(epoch from now() - min(due_at) filter (where state = 0 and due_at <= now())), 0)::float8
          as "oldestReadyS"
      from probe_run`.execute(db),
  );
  return rows[0] ?? { ready: 0, leased: 0, oldestReadyS: 0 };
}
