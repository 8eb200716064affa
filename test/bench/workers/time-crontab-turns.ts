// Takes turns of the crontab service one after the other, and times each.
import { z } from 'zod';
import { createDatabase } from '../../../infra/database/database.ts';
import { createLogger } from '../../../infra/logger.ts';
import { scheduleTasks } from '../../../services/crontab/run/schedule-tasks.ts';
import { serveWork } from '../harness/serve-work.ts';

const turnsSchema = z.object({ databaseUrl: z.string(), turns: z.int() });
/** A connection is made, and its statements are planned for the first time. */
const uncountedTurns = 20;

serveWork(turnsSchema, async ({ databaseUrl, turns }) => {
  const logger = createLogger('bench', 'warn');
  const database = createDatabase({ url: databaseUrl, maxConnections: 4, logger });
  const turnMs: number[] = [];
  let planned = 0;
  try {
    for (let turn = -uncountedTurns; turn < turns; turn += 1) {
      const startedAt = performance.now();
      planned += (await scheduleTasks(database, {}, logger)).planned.length;
      if (turn >= 0) turnMs.push(performance.now() - startedAt);
    }
  } finally {
    await database.stop();
  }
  return { turnMs, planned };
});
