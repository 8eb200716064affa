// What the calls of the job service need of the rest of it.
import type { Database } from '../../../infra/database/database.ts';
import type { JobLane } from '../../../infra/database/tables.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { ComputePool } from '../compute/compute-pool.ts';

export type JobApiOptions = {
  database: Database;
  /** Finds what is wrong with the body of a submission, elsewhere than in this thread. */
  checkRequest: ComputePool['check'];
  /** One is due at once. */
  onJobAdded: (lane: JobLane) => void;
  /** A job that is under way somewhere, perhaps here, is to be stopped; `id` is that of its run. */
  onStopWanted: (id: string) => void;
  limits: JobLimits;
  logger: Logger;
};

export type JobLimits = {
  /** A job that has not begun by then is given up. */
  queueTimeoutMs: number;
  /** For a cancellation to come about; 10 seconds unless given. */
  stopWaitMs?: number;
  /** Octets of large results that are in memory at once, on their way to callers; 128 MiB unless given. */
  maxResultOctets?: number;
};
