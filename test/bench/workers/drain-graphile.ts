// graphile-worker at its best: the settings of its own page on performance, with jobs that do nothing.
import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import { Client } from 'pg';
import { z } from 'zod';
import { createDrainClock } from '../contenders/drain-clock.ts';
import { drainSchema } from '../contenders/queue-drain.ts';
import { settleDatabase } from '../contenders/settle-database.ts';
import { serveWork } from '../harness/serve-work.ts';

const chunk = 5000;
const logger = new Logger(() => () => undefined);
const payloadSchema = z.object({ n: z.int() });

serveWork(drainSchema, async ({ databaseUrl, jobs }) => {
  await runMigrations({ connectionString: databaseUrl, logger });
  await addJobs(databaseUrl, jobs);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await settleDatabase(client);
  const clock = createDrainClock(jobs);
  const runner = await run({
    preset: {
      worker: {
        connectionString: databaseUrl,
        concurrentJobs: 24,
        maxPoolSize: 25,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger,
      },
    },
    noHandleSignals: true,
    taskList: {
      nothing(payload) {
        clock.handle(payloadSchema.parse(payload).n);
      },
    },
  });
  const drained = await clock.waitForEnd(() => hasJobs(client));
  await runner.stop();
  await client.end();
  return drained;
});

async function addJobs(connectionString: string, count: number): Promise<void> {
  const utils = await makeWorkerUtils({ connectionString, logger });
  for (let from = 0; from < count; from += chunk) {
    const length = Math.min(chunk, count - from);
    await utils.addJobs(
      Array.from({ length }, (_, index) => ({ identifier: 'nothing', payload: { n: from + index } })),
    );
  }
  await utils.release();
}

async function hasJobs(client: Client): Promise<boolean> {
  return (await client.query('select from graphile_worker._private_jobs limit 1')).rows.length > 0;
}
