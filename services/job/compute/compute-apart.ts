// Computations in processes of their own: of jobs that were there when a worker died, one of which may have been the reason.
// It fails alone then.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { describeError } from '../../../infra/error-text.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { JobOutcome } from '../job-outcome.ts';
import type { Compute } from './compute-pool.ts';

const ownMain = fileURLToPath(new URL('compute-apart-main.ts', import.meta.url));
/** A process that waits for another job: a worker that died may have had a hundred. */
const idleMs = 2000;

const outcomeSchema = z.union([
  z.object({ ok: z.literal(true), result: z.instanceof(Uint8Array) }),
  z.object({ ok: z.literal(false), info: z.string() }),
]);

type Apart = { child: ChildProcess; idleTimer?: NodeJS.Timeout; settle: (outcome: JobOutcome) => void };

/**
 * As the threads compute it, of the same memory and with the same outcomes, and `ended its process` besides. A process
 * computes one job at a time; it ends with the signal of its job, some time after its last one, and with this process.
 */
export function createApartComputing(options: {
  memoryMb: number;
  logger: Logger;
  /** What the processes run; for tests of what they can come to. */
  main?: string;
}): Compute {
  const { memoryMb, logger, main = ownMain } = options;
  const idle = new Set<Apart>();

  function start(): Apart {
    const child = fork(main, {
      serialization: 'advanced',
      execArgv: [],
      // Nothing of what the service knows is needed there.
      env: { LOG_LEVEL: logger.level },
    });
    const apart: Apart = { child, settle: () => undefined };
    child.on('message', (message) => apart.settle(readOutcome(message)));
    child.once('exit', (exitCode, signalName) => {
      idle.delete(apart);
      apart.settle({
        ok: false,
        info: `the computation ended its process (${signalName ?? `exit code ${exitCode}`})`,
      });
    });
    child.on('error', (error) => {
      logger.warn({ err: error }, 'a process for computations failed');
      apart.settle({ ok: false, info: `failed, by a fault of the service: ${describeError(error)}` });
    });
    return apart;
  }

  function take(): Apart {
    const [apart = start()] = idle;
    idle.delete(apart);
    clearTimeout(apart.idleTimer);
    return apart;
  }

  function keep(apart: Apart): void {
    const { child } = apart;
    if (child.killed || !child.connected) return;
    idle.add(apart);
    apart.idleTimer = setTimeout(() => {
      idle.delete(apart);
      child.kill('SIGKILL');
    }, idleMs);
  }

  return async (type, octets, { signal }) => {
    if (signal.aborted) return { ok: false, info: '' };
    const apart = take();
    const { promise, resolve } = Promise.withResolvers<JobOutcome>();
    const cut = () => apart.child.kill('SIGKILL');
    apart.settle = resolve;
    signal.addEventListener('abort', cut, { once: true });
    apart.child.send({ type, octets, memoryMb });
    const outcome = await promise;
    signal.removeEventListener('abort', cut);
    keep(apart);
    return outcome;
  };
}

function readOutcome(message: unknown): JobOutcome {
  const outcome = outcomeSchema.parse(message);
  return outcome.ok ? { ok: true, result: Buffer.from(outcome.result) } : outcome;
}
