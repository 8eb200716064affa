// What the calls of the dispatch channel need of the rest of the service.
import type { Database } from '../../../infra/database/database.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import type { Work } from '../content/work.ts';

export type DispatchApiOptions = {
  database: Database;
  /** Where nodes may be. */
  networks: NetworkPolicy;
  /** Names of those that a task may consist of. */
  roles: () => Promise<ReadonlySet<string>>;
  /** Makes what is to be run unreadable for whoever reads the database. */
  seal: (work: Work) => Buffer;
  /** What keeps runs from being played here, in words for the caller; undefined when nothing does. */
  findFault: () => Promise<string | undefined>;
  limits: DispatchLimits;
  /** Some are due at once. */
  onRunAdded: () => void;
  /** A run that is under way somewhere, perhaps here, is to be stopped. */
  onStopWanted: (taskId: string) => void;
  logger: Logger;
};

export type DispatchLimits = {
  /** Nodes that one run may have in hand at once. */
  maxForks: number;
  /** Login on the nodes of tasks that name none. */
  defaultUser: string;
  /** Of runs that name none. */
  runTimeoutMs: number;
  /** A run that has not begun by then is given up. */
  queueTimeoutMs: number;
  /** For a stop to come about; 25 seconds unless given. */
  stopWaitMs?: number;
};
