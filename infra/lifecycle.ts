// Start and stop of one service process: configuration faults, signals, order, last words.
import { ConfigError } from './config.ts';
import type { Logger } from './logger.ts';

/**
 * Something that runs until it is stopped. `stop` is idempotent and may be called while `start` is still under way; what
 * was stopped is not started again.
 */
export type Component = { start(): Promise<void>; stop(): Promise<void> };

/** What starts by itself when it is first used, and still has to be stopped. */
export type Stoppable = Pick<Component, 'stop'> & Partial<Component>;

/** Longest graceful stop before the process ends all the same. */
const stopLimitMs = 15_000;

/**
 * One component out of several: starts them in order and stops them in reverse, every one even when another fails to.
 * A part that has to stop earlier or later than that is listed twice: where it starts, and where it stops.
 */
export function sequence(components: Partial<Component>[]): Component {
  let stopping: Promise<void> | undefined;
  return {
    async start() {
      for (const component of components) {
        if (stopping !== undefined) return;
        await component.start?.();
      }
    },
    stop() {
      stopping ??= stopAll(components);
      return stopping;
    },
  };
}

async function stopAll(components: Partial<Component>[]): Promise<void> {
  const faults: unknown[] = [];
  for (const component of components.toReversed()) {
    await component.stop?.().catch((fault: unknown) => faults.push(fault));
  }
  if (faults.length > 0) throw new AggregateError(faults, 'stopping failed');
}

/**
 * Runs a service as this process: builds it (configuration faults are printed one per line, exit code 1), starts it,
 * stops it on SIGTERM or SIGINT, and when the parent of a local stack is gone (`STACK_PARENT=1` and standard input
 * closed).
 */
export async function runProcess(create: () => { service: Component; logger: Logger }): Promise<void> {
  let built: { service: Component; logger: Logger };
  try {
    built = create();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) process.stderr.write(`${fault}\n`);
    process.exit(1);
  }
  const { service, logger } = built;

  let stopping: Promise<void> | undefined;
  function stop(reason: string, exitCode: number): Promise<void> {
    stopping ??= endProcess(reason, exitCode);
    return stopping;
  }
  async function endProcess(reason: string, exitCode: number): Promise<void> {
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error('the stop took too long');
      process.exit(1);
    }, stopLimitMs).unref();
    try {
      await service.stop();
    } catch (error) {
      logger.error({ err: error }, 'the stop failed');
      process.exit(1);
    }
    logger.info('stopped');
    process.exit(exitCode);
  }

  // Listening on: a second signal during the stop must not cut it short.
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception');
    void stop('uncaught exception', 1);
  });
  if (process.env.STACK_PARENT === '1') {
    process.stdin.once('end', () => void stop('the local stack is gone', 0)).resume();
  }

  try {
    await service.start();
  } catch (error) {
    // A start that a stop cut short may fail on what is gone already.
    if (stopping === undefined) logger.fatal({ err: error }, 'the start failed');
    await stop('the start failed', 1);
  }
}
