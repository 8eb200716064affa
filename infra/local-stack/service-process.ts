// One run of one service as an own process, up once its /readyz answers 200.
import { join } from 'node:path';
import { repositoryFolder } from './data-folder.ts';
import { describeEnd, describeUnready } from './describe-service-fault.ts';
import { httpOrigin, readHttpHost } from './http-address.ts';
import { askReadiness, type Readiness } from './readiness.ts';
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
  logFolder: string;
  runFolder: string;
  readyTimeoutMs: number;
  signal?: AbortSignal | undefined;
};

export type ServiceProcess = { child: Child; port: number; metricsUrl: string };

const unreadyGraceMs = 3_000;

/**
 * Starts the service under this very Node.js, on HTTP_HOST of its environment, and resolves when it is ready. Rejects
 * with `SERVICE_FAILED` and the reason when it ends first or is not ready in time; nothing is left running then.
 */
export function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const host = readHttpHost(options.env);
  return startOnFreePort(options.preferredPort, (port) => launch(options, host, port), host);
}

/** Null when the port turned out to be taken. */
async function launch(
  options: ServiceProcessOptions,
  host: string,
  port: number,
): Promise<ServiceProcess | null> {
  const { name, script, env, logFolder, runFolder, readyTimeoutMs, signal } = options;
  const logFile = join(logFolder, `${name}.log`);
  const child = await startChild({
    name,
    program: process.execPath,
    args: [join(repositoryFolder, script)],
    // Services take a closed standard input for the end of the stack when STACK_PARENT is set.
    env: { ...env, METRICS_PORT: String(port), STACK_PARENT: '1' },
    cwd: repositoryFolder,
    logFile,
    runFolder,
    hasLifeline: true,
  });
  const origin = httpOrigin(host, port);
  let readiness: Readiness = { kind: 'silent' };
  try {
    const state = await waitUntil(
      async () => {
        if (child.exit() !== null) return 'ended';
        readiness = await askReadiness(origin);
        return readiness.kind === 'ready' ? 'ready' : null;
      },
      { timeoutMs: readyTimeoutMs, signal },
    );
    if (state === 'ready') return { child, port, metricsUrl: `${origin}/metrics` };
    const exit = child.exit();
    const output = await child.readOutput();
    if (exit !== null && output.includes(`METRICS_PORT: port ${port} `)) return null;
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
