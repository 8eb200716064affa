// Starts the services of the stack side by side, each on a port of its own.
import { join } from 'node:path';
import { readHttpHost } from './http-address.ts';
import type { ServicePort, StackService } from './services.ts';
import { findFree, noteOtherPort } from './start-on-free-port.ts';
import { type SupervisedService, type SupervisorDeps, superviseService } from './supervise-service.ts';

const maxPortsTried = 100;

export type StartServicesOptions = {
  /** The first service's port for health and metrics, followed by the others'; 0 for any. A taken one is replaced. */
  firstPort: number;
  dataFolder: string;
  env: NodeJS.ProcessEnv;
  readyTimeoutMs: number;
  signal: AbortSignal;
  supervisor: SupervisorDeps;
  /** Told of every service before it starts, in order, so that a start that fails can be cleaned up. */
  onStarting: (service: SupervisedService) => void;
};

export type StartedService = {
  name: string;
  metricsUrl: string;
  /** Of its API, where it has one. */
  url: string | undefined;
  /** Says that the preferred port of its address is taken, where it is. */
  note: string;
};

/**
 * Resolves with the addresses when every service is ready. Rejects with `SERVICE_FAILED` of the first that is
 * not, but only once all have settled: no start is then under way behind the back of a stop.
 */
export async function startServices(
  services: readonly StackService[],
  options: StartServicesOptions,
): Promise<StartedService[]> {
  const { firstPort, dataFolder, env, readyTimeoutMs, signal, supervisor, onStarting } = options;
  const metricsPorts = await chooseMetricsPorts(services.length, firstPort, readHttpHost(env));
  const starts = services.map(async ({ name, script, env: ownEnv, port, folder }, index) => {
    const supervised = superviseService(
      {
        name,
        script,
        env: { ...env, ...ownEnv, ...chooseFolder(folder, dataFolder, env) },
        preferredPort: metricsPorts[index] ?? 0,
        ownPort: port && { ...port, preferred: readPreferredPort(port, env) },
        logFolder: join(dataFolder, 'log'),
        runFolder: join(dataFolder, 'run'),
        readyTimeoutMs,
        signal,
      },
      supervisor,
    );
    onStarting(supervised);
    const { metricsUrl, own } = await supervised.start();
    const preferredMetrics = firstPort === 0 ? 0 : firstPort + index;
    const note =
      port === undefined || own === undefined
        ? noteOtherPort(Number(new URL(metricsUrl).port), preferredMetrics)
        : noteOtherPort(own.port, readPreferredPort(port, env));
    return { name, metricsUrl, url: own?.url, note };
  });
  const failure = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return Promise.all(starts);
}

/** What the environment says goes before the service's own preference. */
function readPreferredPort({ variable, preferred }: ServicePort, env: NodeJS.ProcessEnv): number {
  return Number(env[variable] || preferred);
}

function chooseFolder(
  folder: StackService['folder'],
  dataFolder: string,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  if (folder === undefined) return {};
  return { [folder.variable]: env[folder.variable] || join(dataFolder, folder.name) };
}

/**
 * Distinct free ports, so that services starting at the same time do not compete for one: each its own place in the row,
 * and those whose place is taken one behind the row, so that the others keep theirs.
 */
async function chooseMetricsPorts(count: number, first: number, host: string): Promise<number[]> {
  if (first === 0) return new Array<number>(count).fill(0);
  const chosen: number[] = [];
  let next = first + count;
  for (let port = first; port < first + count; port += 1) {
    let free = await findFree(port, host);
    for (; free === null && next < first + maxPortsTried; next += 1) free = await findFree(next, host);
    // With none left the service itself looks further, and says so.
    chosen.push(free ?? next);
  }
  return chosen;
}
