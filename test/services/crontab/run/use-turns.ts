// Turns of the crontab service on tables of their own, and tasks that are due there.
import { scheduleTasks } from '../../../../services/crontab/run/schedule-tasks.ts';
import type { PlannedTime, Turn } from '../../../../services/crontab/run/take-turn.ts';
import { until } from '../../../helpers/test-client.ts';
import { type CrontabTaskRow, useCrontabTables } from '../crontab-tables.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;

/** For a file of tests. */
export function useTurns() {
  const tables = useCrontabTables();
  const turn = (limit?: number): Promise<Turn> =>
    scheduleTasks(tables.database, limit === undefined ? {} : { limit }, tables.logger);

  return {
    tables,
    turn,
    /** Takes turns until they have planned something of so many tasks. */
    async turnUntilPlanned(count: number): Promise<PlannedTime[]> {
      const planned: PlannedTime[] = [];
      await until(async () => {
        planned.push(...(await turn()).planned);
        return planned.length >= count;
      });
      return planned;
    },
    /** The newest whole second of the database, so much earlier. */
    async lately(agoMs = 0): Promise<number> {
      return Math.floor((await tables.readNow()) / secondMs) * secondMs - agoMs;
    },
    /** A task of every minute that is due at a time. */
    addDue: (dueMs: number, row: CrontabTaskRow = {}): Promise<string> =>
      tables.addTask({ anchorAt: dueMs - minuteMs, nextAt: dueMs, ...row }),
    /** A task of every year that is due at a time: nothing else of it is due while a test runs. */
    addYearly(dueMs: number, row: CrontabTaskRow = {}): Promise<string> {
      const at = new Date(dueMs);
      const time = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()}`;
      const start_time = `${time} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`;
      return tables.addTask({
        ...{ type: 6, start_time, time_zone: 'UTC', anchorAt: dueMs - dayMs, nextAt: dueMs },
        ...row,
      });
    },
  };
}

export const idsOf = (planned: PlannedTime[]) => planned.map(({ taskId }) => taskId).toSorted();
