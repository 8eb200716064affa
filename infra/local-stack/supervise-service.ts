// Keeps one service running: starts it, restarts it with growing pauses, and gives up when that does not help.
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '../error-text.ts';
import { describeEnd } from './describe-service-fault.ts';
import { type ServiceProcess, type ServiceProcessOptions, startServiceProcess } from './service-process.ts';
import { StackError } from './stack-error.ts';

export type RestartPolicy = {
  /** First pause; doubled on every further failure. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** So many failures in a row end it. */
  maxFailures: number;
  /** A run at least this long clears the count of failures. */
  stableAfterMs: number;
};

export const defaultRestartPolicy: RestartPolicy = {
  firstPauseMs: 500,
  longestPauseMs: 15_000,
  maxFailures: 8,
  stableAfterMs: 60_000,
};

export type SupervisedService = {
  /** Resolves with its addresses once the service is ready; rejects with `SERVICE_FAILED` if it never is. */
  start(): Promise<Pick<ServiceProcess, 'metricsUrl' | 'own'>>;
  /** Idempotent; `isForced` kills at once. */
  stop(options?: { isForced?: boolean }): Promise<void>;
};

export type SupervisorDeps = {
  report: (line: string) => void;
  /** Called once when the service has failed too often to be restarted again. */
  onGiveUp: (error: StackError) => void;
  restart?: RestartPolicy;
};

/** Longer than the services' own limit for a graceful stop. */
const stopGraceMs = 16_000;

/** Supervises the service; the first start is not repeated, because what fails at once has a fault to be shown. */
export function superviseService(options: ServiceProcessOptions, deps: SupervisorDeps): SupervisedService {
  const { report, onGiveUp, restart = defaultRestartPolicy } = deps;
  const { name } = options;
  const stopping = new AbortController();
  const signal =
    options.signal === undefined ? stopping.signal : AbortSignal.any([options.signal, stopping.signal]);
  let current: ServiceProcess | null = null;
  let watching: Promise<void> = Promise.resolve();

  /** On the ports of the run before, where there was one. */
  async function launch(before?: ServiceProcess): Promise<ServiceProcess> {
    const { preferredPort, ownPort } = options;
    current = await startServiceProcess({
      ...options,
      preferredPort: before?.port ?? preferredPort,
      ownPort: ownPort && { ...ownPort, preferred: before?.own?.port ?? ownPort.preferred },
      signal,
    });
    return current;
  }

  async function watch(first: ServiceProcess): Promise<void> {
    let running = first;
    let failures = 0;
    for (;;) {
      const upSince = performance.now();
      const exit = await running.child.exited;
      if (signal.aborted) return;
      if (performance.now() - upSince >= restart.stableAfterMs) failures = 0;
      const output = await running.child.readOutput();
      let fault = describeEnd({ name, logFile: running.child.logFile, exit, output });
      let next: ServiceProcess | null = null;
      while (next === null) {
        failures += 1;
        if (failures > restart.maxFailures) throw new StackError('SERVICE_FAILED', `${fault}; given up`);
        const pauseMs = Math.min(restart.longestPauseMs, restart.firstPauseMs * 2 ** (failures - 1));
        report(`${fault}; restarting in ${pauseMs / 1000} s`);
        await pause(pauseMs, undefined, { signal });
        try {
          next = await launch(running);
        } catch (error) {
          signal.throwIfAborted();
          fault = describeError(error);
        }
      }
      running = next;
      report(`${name} is ready again`);
    }
  }

  return {
    async start() {
      const first = await launch();
      watching = watch(first).catch((error: unknown) => {
        if (signal.aborted) return;
        onGiveUp(
          error instanceof StackError ? error : new StackError('SERVICE_FAILED', describeError(error)),
        );
      });
      return first;
    },
    async stop({ isForced = false } = {}) {
      stopping.abort(new StackError('STOPPED', `${name} is being stopped`));
      await current?.child.stop(isForced ? 0 : stopGraceMs);
      await watching;
    },
  };
}
