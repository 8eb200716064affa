// One run of one service as an own process, up once its /readyz answers 200.
import { join } from 'node:path';
import { repositoryFolder } from './data-folder.ts';
import { describeEnd, describeUnready } from './describe-service-fault.ts';
import { httpOrigin, readHttpHost } from './http-address.ts';
import { askReadiness, type Readiness } from './readiness.ts';
import type { ServicePort } from './services.ts';
import { StackError } from './stack-error.ts';
import { type Child, startChild } from './start-child.ts';
import { startOnFreePort } from './start-on-free-port.ts';
import { waitUntil } from './wait-until.ts';

export type ServiceProcessOptions = {
  name: string;
  /** Relative to the root of the repository, or absolute. */
  script: string;
  env: NodeJS.ProcessEnv;
  /** For health and metrics; the next free one when it is taken. 0 for any. */
  preferredPort: number;
  /** For its API, likewise. */
  ownPort?: ServicePort | undefined;
  logFolder: string;
  runFolder: string;
  readyTimeoutMs: number;
  signal?: AbortSignal | undefined;
};

export type ServiceProcess = {
  child: Child;
  port: number;
  metricsUrl: string;
  /** Of its API, where it has one. */
  own: { port: number; url: string } | undefined;
};

const metricsVariable = 'METRICS_PORT';
const unreadyGraceMs = 3_000;

/**
 * Starts the service under this very Node.js, on HTTP_HOST of its environment, and resolves when it is ready. Rejects
 * with `SERVICE_FAILED` and the reason when it ends first or is not ready in time; nothing is left running then.
 */
export function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const host = readHttpHost(options.env);
  return startOnFreePort(options.preferredPort, (port) => launchOn(options, host, port), host);
}

/** Null when the port for metrics turned out to be taken; that of the API is searched for in here. */
async function launchOn(
  options: ServiceProcessOptions,
  host: string,
  port: number,
): Promise<ServiceProcess | null> {
  const { ownPort } = options;
  if (ownPort === undefined) return unlessTaken(await launch(options, host, port, undefined));
  const launched = await startOnFreePort(
    ownPort.preferred,
    async (own) => {
      const result = await launch(options, host, port, { variable: ownPort.variable, port: own });
      return 'taken' in result && result.taken === ownPort.variable ? null : result;
    },
    host,
  );
  return unlessTaken(launched);
}

function unlessTaken(launched: ServiceProcess | { taken: string }): ServiceProcess | null {
  return 'taken' in launched ? null : launched;
}

/** `taken`: the variable of the port that turned out to be. */
async function launch(
  options: ServiceProcessOptions,
  host: string,
  port: number,
  own: { variable: string; port: number } | undefined,
): Promise<ServiceProcess | { taken: string }> {
  const { name, script, env, logFolder, runFolder, readyTimeoutMs, signal } = options;
  const logFile = join(logFolder, `${name}.log`);
  const ports = new Map([
    [metricsVariable, port],
    ...(own === undefined ? [] : [[own.variable, own.port] as const]),
  ]);
  const child = await startChild({
    name,
    program: process.execPath,
    args: [join(repositoryFolder, script)],
    // Services take a closed standard input for the end of the stack when STACK_PARENT is set.
    env: {
      ...env,
      ...Object.fromEntries([...ports].map(([variable, number]) => [variable, String(number)])),
      STACK_PARENT: '1',
    },
    cwd: repositoryFolder,
    logFile,
    runFolder,
    hasLifeline: true,
  });
  const origin = httpOrigin(host, port);
  const ownAddress = own && { port: own.port, url: httpOrigin(host, own.port) };
  let readiness: Readiness = { kind: 'silent' };
  try {
    const state = await waitUntil(
      async () => {
        if (child.exit() !== null) return 'ended';
        readiness = await askReadiness(origin);
        // The API tells the same; it listens later.
        if (readiness.kind === 'ready' && ownAddress !== undefined)
          readiness = await askReadiness(ownAddress.url);
        return readiness.kind === 'ready' ? 'ready' : null;
      },
      { timeoutMs: readyTimeoutMs, signal },
    );
    if (state === 'ready') {
      return { child, port, metricsUrl: `${origin}/metrics`, own: ownAddress };
    }
    const exit = child.exit();
    const output = await child.readOutput();
    const taken = [...ports].find(([variable, number]) =>
      output.includes(`${variable}: port ${number} `),
    )?.[0];
    if (exit !== null && taken !== undefined) return { taken };
    const fault =
      exit === null
        ? describeUnready({ name, logFile, waitedMs: readyTimeoutMs, readiness, output })
        : describeEnd({ name, logFile, exit, output });
    throw new StackError('SERVICE_FAILED', fault);
  } catch (error) {
    await child.stop(unreadyGraceMs);
    throw error;
  }
}
