// The metrics of a work table.
import type { Metrics } from '../metrics.ts';
import type { Database } from './database.ts';
import type { LeaseTable } from './lease-table.ts';
import { type QueueState, readQueueState } from './queue-state.ts';

/**
 * Gauges `<prefix>_ready`, `<prefix>_leased` and `<prefix>_oldest_ready_seconds`; they tell what `measure` read last.
 * `noun` is what one row is called, such as `run`.
 */
export function createQueueGauges(options: {
  prefix: string;
  noun: string;
  database: Database;
  table: LeaseTable;
  metrics: Metrics;
}): { measure(): Promise<void> } {
  const { prefix, noun, database, table, metrics } = options;
  let state: QueueState = { ready: 0, leased: 0, oldestReadyS: 0 };
  metrics.gauge(`${prefix}_ready`, `The ${noun}s that wait to be claimed`, () => state.ready);
  metrics.gauge(`${prefix}_leased`, `The ${noun}s that somebody holds`, () => state.leased);
  metrics.gauge(
    `${prefix}_oldest_ready_seconds`,
    `How long the oldest ready ${noun} has been due`,
    () => state.oldestReadyS,
  );
  return {
    async measure() {
      state = await readQueueState(database, table);
    },
  };
}
