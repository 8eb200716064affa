// pg-boss at its best: many jobs at once, fetched without a pause while there are more, and none of its extras.
import { Client } from 'pg';
import { PgBoss } from 'pg-boss';
import { z } from 'zod';
import { createDrainClock } from '../contenders/drain-clock.ts';
import { drainSchema } from '../contenders/queue-drain.ts';
import { settleDatabase } from '../contenders/settle-database.ts';
import { serveWork } from '../harness/serve-work.ts';

const chunk = 5000;
const queue = 'nothing';
const dataSchema = z.object({ n: z.int() });

serveWork(drainSchema, async ({ databaseUrl, jobs }) => {
  const boss = new PgBoss({ connectionString: databaseUrl, max: 10, schedule: false, supervise: false });
  const faults: Error[] = [];
  boss.on('error', (error) => faults.push(error));
  await boss.start();
  await boss.createQueue(queue);
  await boss.deleteAllJobs(queue);
  for (let from = 0; from < jobs; from += chunk) {
    const length = Math.min(chunk, jobs - from);
    await boss.insert(
      queue,
      Array.from({ length }, (_, index) => ({ data: { n: from + index } })),
    );
  }
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await settleDatabase(client);
  const clock = createDrainClock(jobs);
  await boss.work(
    queue,
    {
      batchSize: 1000,
      localConcurrency: 4,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
    },
    async (batch) => {
      for (const { data } of batch) clock.handle(dataSchema.parse(data).n);
    },
  );
  const drained = await clock.waitForEnd(() => hasJobs(client));
  await boss.stop({ graceful: false });
  await client.end();
  if (faults.length > 0) throw new AggregateError(faults, 'pg-boss reported faults');
  return drained;
});

async function hasJobs(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select from pgboss.job where name = $1 and state < 'completed' limit 1`,
    [queue],
  );
  return rows.length > 0;
}
