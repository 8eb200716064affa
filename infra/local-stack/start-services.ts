// Starts the services of the stack side by side, each on a port of its own.
import { join } from 'node:path';
import type { StackService } from './services.ts';
import { findFree } from './start-on-free-port.ts';
import { type SupervisedService, type SupervisorDeps, superviseService } from './supervise-service.ts';

export type StartServicesOptions = {
  /** The first service's port for health and metrics, followed by the others'; 0 for any. */
  firstPort: number;
  dataFolder: string;
  env: NodeJS.ProcessEnv;
  readyTimeoutMs: number;
  signal: AbortSignal;
  supervisor: SupervisorDeps;
  /** Told of every service before it starts, in order, so that a start that fails can be cleaned up. */
  onStarting: (service: SupervisedService) => void;
};

/**
 * Resolves with the addresses when every service is ready. Rejects with `SERVICE_FAILED` of the first that is
 * not, but only once all have settled: no start is then under way behind the back of a stop.
 */
export async function startServices(
  services: readonly StackService[],
  options: StartServicesOptions,
): Promise<{ name: string; metricsUrl: string }[]> {
  const { firstPort, dataFolder, env, readyTimeoutMs, signal, supervisor, onStarting } = options;
  const metricsPorts = await chooseMetricsPorts(services.length, firstPort);
  const starts = services.map(async ({ name, script, env: ownEnv }, index) => {
    const supervised = superviseService(
      {
        name,
        script,
        env: { ...env, ...ownEnv },
        preferredPort: metricsPorts[index] ?? 0,
        logFolder: join(dataFolder, 'log'),
        runFolder: join(dataFolder, 'run'),
        readyTimeoutMs,
        signal,
      },
      supervisor,
    );
    onStarting(supervised);
    return { name, metricsUrl: await supervised.start() };
  });
  const failure = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return Promise.all(starts);
}

/** Distinct free ports, so that services starting at the same time do not compete for one. */
async function chooseMetricsPorts(count: number, first: number): Promise<number[]> {
  if (first === 0) return new Array<number>(count).fill(0);
  const chosen: number[] = [];
  for (let port = first; chosen.length < count && port < first + 100; port += 1) {
    if ((await findFree(port)) !== null) chosen.push(port);
  }
  return chosen;
}
