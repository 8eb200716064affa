// Turns of the scheduler on tables of their own, and what they left there.
import { sql } from 'kysely';
import { scheduleTasks } from '../../../services/scheduler/schedule-tasks.ts';
import type { Turn, TurnOptions } from '../../../services/scheduler/take-turn.ts';
import { type TaskRow, useRecurringTables } from '../../helpers/recurring-tables.ts';

const hourMs = 3_600_000;
export const yearMs = 366 * 24 * hourMs;
/** A slot that is due, and the next one far away. */
export const yearly: TaskRow = { cycle: yearMs / 1000, updatedIn: -yearMs };

const ordinary: TurnOptions = {
  aliveMs: 60_000,
  returnMs: 0,
  timeZone: 'Asia/Shanghai',
  maxCells: 500_000,
};

/** For a file of tests. */
export function useTurns() {
  const tables = useRecurringTables();
  return {
    tables,
    turn: (options: Partial<TurnOptions> & { limit?: number } = {}): Promise<Turn> =>
      scheduleTasks(tables.database, { ...ordinary, ...options }, tables.logger),
    readSlots: (): Promise<{ task_id: string; scheduled_at: Date; skipped: unknown }[]> =>
      tables.query(sql`select * from probe_slot order by scheduled_at, task_id`),
    async countRuns(): Promise<number> {
      const [row] = await tables.query(
        sql<{ count: number }>`select count(*)::integer as count from probe_run`,
      );
      return row?.count ?? 0;
    },
  };
}
