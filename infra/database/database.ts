// The pool of one process, and the line between "the database is away" and a fault in a statement.
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import { DatabaseError, Pool, type PoolClient } from 'pg';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Stoppable } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Tables } from './tables.ts';

export type Database = Stoppable & {
  /**
   * Runs one piece of work; throws `UNAVAILABLE` when the database is away or does not answer in time, `OVERLOADED` when
   * other work of this process has all its connections and gives none back in time.
   */
  run<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** The same in one transaction. */
  transact<Result>(work: (db: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  isReachable(): Promise<boolean>;
};

/** A connection that outlived a failover may lead to a server that takes no writes any more. */
const maxLifetimeSeconds = 300;
/** Longest time for a new connection unless said otherwise. */
const defaultConnectTimeoutMs = 2000;
/** Longest piece of work unless said otherwise. */
const defaultHoldLimitMs = 8000;

/** Connects when first needed; a database that is away harms only those who ask it. */
export function createDatabase(options: {
  url: string;
  maxConnections: number;
  /** A piece of work that takes longer is cut off, and is `UNAVAILABLE`. */
  holdLimitMs?: number;
  /** A database far away takes half a dozen round trips for TLS and login. */
  connectTimeoutMs?: number;
  logger: Logger;
}): Database {
  const { url, maxConnections, logger } = options;
  const { holdLimitMs = defaultHoldLimitMs, connectTimeoutMs = defaultConnectTimeoutMs } = options;
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    maxLifetimeSeconds,
  });
  // pg tells of a lost connection by this event too while it is in use; without a listener that would end the process.
  pool.on('connect', (client) =>
    client.on('error', (error) => logger.debug({ err: error }, 'connection lost')),
  );
  cutConnectionsHeldTooLong(pool, holdLimitMs);
  let held = 0;
  pool.on('acquire', () => {
    held += 1;
  });
  pool.on('release', () => {
    held -= 1;
  });
  // An idle connection that the server cuts; the pool opens a new one when it is needed.
  pool.on('error', (error) => logger.warn({ err: error }, 'a database connection was lost'));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const guard = createGuard({
    // A connection that is still being made is one of the pool's as well, and nobody holds it.
    hasNoneLeft: () => held >= maxConnections,
    logger,
  });
  let stopping: Promise<void> | undefined;

  return {
    run: (work) => guard(work(db)),
    transact: (work) => guard(db.transaction().execute(work)),
    async isReachable() {
      try {
        await pool.query('select 1');
        return true;
      } catch (error) {
        logger.debug({ err: error }, 'the database is away');
        return false;
      }
    },
    stop() {
      stopping ??= db.destroy();
      return stopping;
    },
  };
}

/**
 * Ends a connection that one piece of work holds longer than the limit. Giving up on the query alone (`query_timeout`)
 * would hand the connection on with that query still running on it: behind a `begin` that was late, the writes of
 * others would never be committed. PgBouncer takes no `statement_timeout` at the start of a session.
 */
function cutConnectionsHeldTooLong(pool: Pool, limitMs: number): void {
  const timers = new WeakMap<PoolClient, NodeJS.Timeout>();
  pool.on('acquire', (client) => {
    timers.set(
      client,
      setTimeout(() => void client.end(), limitMs),
    );
  });
  pool.on('release', (_error, client) => clearTimeout(timers.get(client)));
}

/** Tells that the database is away when it goes and when it is back, and what it lacks once; not every caller meanwhile. */
function createGuard(options: {
  hasNoneLeft: () => boolean;
  logger: Logger;
}): <Result>(work: Promise<Result>) => Promise<Result> {
  const { hasNoneLeft, logger } = options;
  let isKnownAway = false;
  const toldLacks = new Set<string>();

  function explain(error: unknown): unknown {
    if (lacksSchema(error)) {
      const isNews = !toldLacks.has(error.message);
      toldLacks.add(error.message);
      logger[isNews ? 'error' : 'debug'](
        { err: error },
        'the schema is missing or older than this service: npm run migrate',
      );
      return new ProbeTaskError('UNAVAILABLE', 'the database has not been migrated');
    }
    if (tookTooLong(error)) {
      logger.warn({ err: error }, 'a statement took too long');
      return new ProbeTaskError('UNAVAILABLE', 'the database took too long');
    }
    if (waitedForOthers(error) && hasNoneLeft() && !isKnownAway) {
      logger.debug({ err: error }, 'all connections to the database are in use');
      return new ProbeTaskError('OVERLOADED', 'all connections to the database are in use');
    }
    if (!isAway(error)) return error;
    logger[isKnownAway ? 'debug' : 'warn']({ err: error }, 'the database is away');
    isKnownAway = true;
    return new ProbeTaskError('UNAVAILABLE', 'the database is away');
  }

  return async (work) => {
    try {
      const result = await work;
      if (isKnownAway) logger.info('the database is back');
      isKnownAway = false;
      return result;
    } catch (error) {
      throw explain(error);
    }
  };
}

/**
 * SQLSTATE classes and codes of a server that cannot serve now: connection, resources, shutdown, rolled back in favour of
 * another transaction, not writable after a failover.
 */
const awayStates = /^(08|25006|40|53|57P0|58|3D000|28)/;
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** pg gives these faults no code. */
const driverTexts = /timeout|Connection terminated|not queryable|Client has encountered a connection error/i;

/** undefined_table, undefined_column. */
function lacksSchema(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && ['42P01', '42703'].includes(error.code ?? '');
}

/** query_canceled: by `statement_timeout`, or by an administrator. */
function tookTooLong(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '57014';
}

/** The pool says so of a caller that got no connection in time: because others held all, or because none could be made. */
function waitedForOthers(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}

function isAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isAway);
  if (error instanceof DatabaseError) return awayStates.test(error.code ?? '');
  if (!(error instanceof Error) || error instanceof ProbeTaskError) return false;
  if ('code' in error && typeof error.code === 'string') return socketCodes.has(error.code);
  return driverTexts.test(error.message);
}
