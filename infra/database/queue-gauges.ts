// The metrics of a work table, and what reads them.
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { createRepetition } from '../repeat.ts';
import type { Database } from './database.ts';
import type { LeaseTable } from './lease-table.ts';
import { type QueueState, readQueueState } from './queue-state.ts';

const measureMs = 10_000;

/**
 * Gauges `<prefix>_ready`, `<prefix>_leased` and `<prefix>_oldest_ready_seconds`, read again and again as long as it runs.
 * `noun` is what one row is called, such as `run`. `measureFirst` reads what else a service tells of its tables.
 */
export function createQueueGauges(options: {
  prefix: string;
  noun: string;
  database: Database;
  table: LeaseTable;
  measureFirst?: () => Promise<void>;
  metrics: Metrics;
  logger: Logger;
}): Component {
  const { prefix, noun, database, table, measureFirst, metrics, logger } = options;
  let state: QueueState = { ready: 0, leased: 0, oldestReadyS: 0 };
  metrics.gauge(`${prefix}_ready`, `The ${noun}s that wait to be claimed`, () => state.ready);
  metrics.gauge(`${prefix}_leased`, `The ${noun}s that somebody holds`, () => state.leased);
  metrics.gauge(
    `${prefix}_oldest_ready_seconds`,
    `How long the oldest ready ${noun} has been due`,
    () => state.oldestReadyS,
  );
  return createRepetition({
    name: 'measuring',
    intervalMs: measureMs,
    logger,
    async work() {
      await measureFirst?.();
      state = await readQueueState(database, table);
      return { hasMore: false };
    },
  });
}
