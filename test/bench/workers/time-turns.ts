// Takes turns of the scheduler one after the other, and times each.
import { z } from 'zod';
import { createDatabase } from '../../../infra/database/database.ts';
import { createLogger } from '../../../infra/logger.ts';
import { scheduleTasks } from '../../../services/scheduler/schedule-tasks.ts';
import { serveWork } from '../harness/serve-work.ts';

const turnsSchema = z.object({ databaseUrl: z.string(), turns: z.int() });
const options = { aliveMs: 60_000, returnMs: 0, timeZone: 'Asia/Shanghai', maxCells: 500_000 };

serveWork(turnsSchema, async ({ databaseUrl, turns }) => {
  const logger = createLogger('bench', 'warn');
  const database = createDatabase({ url: databaseUrl, maxConnections: 4, logger });
  const turnMs: number[] = [];
  let slots = 0;
  try {
    for (let turn = 0; turn < turns; turn += 1) {
      const startedAt = performance.now();
      slots += (await scheduleTasks(database, options, logger)).slots.length;
      turnMs.push(performance.now() - startedAt);
    }
  } finally {
    await database.stop();
  }
  return { turnMs, slots };
});
