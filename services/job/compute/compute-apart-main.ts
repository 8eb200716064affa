// A process for computations, one at a time: told by its parent what to compute, it tells what came of it.
import { z } from 'zod';
import { jobTypeSchema } from '../../../contracts/job.ts';
import { logLevelSchema } from '../../../infra/config.ts';
import { createLogger } from '../../../infra/logger.ts';
import { type ComputePool, createComputePool } from './compute-pool.ts';

const orderSchema = z.object({
  type: jobTypeSchema.exclude(['dns_result']),
  octets: z.instanceof(Uint8Array),
  memoryMb: z.int(),
});

const logger = createLogger('job', logLevelSchema.parse(process.env.LOG_LEVEL));
let pool: ComputePool | undefined;

process.on('message', async (message) => {
  const { type, octets, memoryMb } = orderSchema.parse(message);
  pool ??= createComputePool({ threads: 1, checkThreads: 0, memoryMb, logger });
  await pool.start();
  process.send?.(await pool.compute(type, octets, { signal: new AbortController().signal }));
});
// The parent decides; a signal to its whole group is its own affair.
process.on('SIGTERM', () => undefined).on('SIGINT', () => undefined);
// The parent is gone.
process.once('disconnect', () => process.exit(0));
