// The worker threads of a replica: some check what is submitted, others compute.
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { JobType } from '../../../contracts/job.ts';
import type { SubmittedAs } from '../../../contracts/job-api.ts';
import type { PathJobType } from '../../../contracts/path-request.ts';
import { describeError } from '../../../infra/error-text.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { JobOutcome } from '../job-outcome.ts';
import type { CheckReply, ComputeReply } from './compute-thread.ts';

export type CheckVerdict =
  /** `request`: to be stored instead of the octets, where it is there. */
  | { ok: true; type: JobType; idempotencyKey: string | undefined; request?: Uint8Array }
  | { ok: false; error: ProbeTaskError };

export type Compute = (
  type: PathJobType,
  octets: Uint8Array,
  options: { signal: AbortSignal },
) => Promise<JobOutcome>;

export type ComputePool = Component & {
  /**
   * Whether octets are a request that can be worked on, and of which type; the octets stay the caller's. An `error` is
   * `INVALID_JSON`, `INVALID_REQUEST` (with every fault), `PAYLOAD_TOO_LARGE` where reading them takes too much memory, or
   * `OVERLOADED` where it takes too long.
   */
  check(submittedAs: SubmittedAs, octets: Uint8Array): Promise<CheckVerdict>;
  /** Computes in a thread; what goes wrong is an outcome. `signal` ends the thread; what comes of it then is of no interest. */
  compute: Compute;
};

/** No less: the modules alone take their part of it. */
export const minMemoryMb = 64;
/**
 * More than any body of 16 MiB becomes when it is read. A thread ends at its limit only where it allocates little by little:
 * a parser, or a list that grows, goes beyond it in one step, and takes the process with it.
 */
const checkMemoryMb = 2048;
/** With those that wait before it: as many of them as there may be bodies of that size. */
const checkLimitMs = 40_000;
const idleMs = 60_000;
const ownThread = fileURLToPath(new URL('compute-thread.ts', import.meta.url));

/**
 * A thread that runs out of memory, exits or is cut fails its own job only, and another one takes its place; where it goes
 * beyond its memory in one large step, the process ends. No more than `threads` computations are to be asked for at once: each
 * has its thread then, and its time begins when it is asked for.
 */
export function createComputePool(options: {
  threads: number;
  /** Of one thread, and of what it is given. */
  memoryMb: number;
  /** One, so that requests are taken while all other threads compute, unless nobody submits anything here. */
  checkThreads?: number;
  /** The module of a thread; for tests of what threads can come to. */
  thread?: string;
  logger: Logger;
}): ComputePool {
  const { threads, memoryMb, checkThreads = 2, thread = ownThread, logger } = options;
  let stopping: Promise<void> | undefined;

  function createThreads(name: string, count: number, maxOldGenerationSizeMb: number): Piscina {
    const pool = new Piscina({
      filename: thread,
      name,
      // A thread keeps the memory of its largest job: without work it goes.
      minThreads: 0,
      maxThreads: count,
      idleTimeout: idleMs,
      resourceLimits: { maxOldGenerationSizeMb },
      recordTiming: false,
    });
    pool.on('error', (error) => logger.error({ err: error }, 'a worker thread failed'));
    return pool;
  }
  let checkers: Piscina<unknown, CheckReply> | undefined;
  let computers: Piscina<unknown, ComputeReply> | undefined;

  return {
    async start() {
      if (stopping !== undefined || computers !== undefined) return;
      if (checkThreads > 0)
        checkers = createThreads('check', checkThreads, Math.max(memoryMb, checkMemoryMb));
      computers = createThreads('compute', threads, memoryMb);
    },

    async check(submittedAs, octets) {
      if (checkers === undefined) throw new ProbeTaskError('UNAVAILABLE', 'the service is starting');
      try {
        const reply = await checkers.run(
          ...asTask({ submittedAs }, octets, AbortSignal.timeout(checkLimitMs)),
        );
        if (reply.ok) return reply;
        return { ok: false, error: new ProbeTaskError(reply.code, reply.message, reply.details) };
      } catch (error) {
        if (isOutOfMemory(error)) {
          return refuse('PAYLOAD_TOO_LARGE', 'reading the request takes too much memory');
        }
        if (error instanceof Error && error.name === 'AbortError')
          return refuse('OVERLOADED', 'reading the request takes too long');
        throw error;
      }
    },

    async compute(type, octets, { signal }) {
      if (computers === undefined) return { ok: false, info: 'failed: the service is starting' };
      try {
        const result = await computers.run(...asTask({ type }, octets, signal));
        if ('info' in result) return { ok: false, ...result };
        return { ok: true, result: Buffer.from(result.buffer, result.byteOffset, result.byteLength) };
      } catch (error) {
        if (signal.aborted) return { ok: false, info: '' };
        if (isOutOfMemory(error)) {
          return { ok: false, info: `the computation ran out of memory (${memoryMb} MB)` };
        }
        logger.error({ err: error, type }, 'a computation failed');
        return { ok: false, info: `failed, by a fault of the service: ${describeError(error)}` };
      }
    },

    stop() {
      stopping ??= Promise.all([checkers?.destroy(), computers?.destroy()]).then(() => undefined);
      return stopping;
    },
  };
}

/** The octets are copied, because the caller keeps them, and handed over: as part of a larger buffer all of that would be copied. */
function asTask(task: object, octets: Uint8Array, signal: AbortSignal) {
  const own = new Uint8Array(octets);
  return [
    { ...task, octets: own },
    { transferList: [own.buffer], signal },
  ] as const;
}

function refuse(code: 'PAYLOAD_TOO_LARGE' | 'OVERLOADED', message: string): CheckVerdict {
  return { ok: false, error: new ProbeTaskError(code, message) };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
