// One run of one service as an own process, up once its /readyz answers 200.
import { join } from 'node:path';
import { repositoryFolder } from './data-folder.ts';
import { findLastWords } from './last-words.ts';
import { StackError } from './stack-error.ts';
import { type Child, startChild } from './start-child.ts';
import { loopback, startOnFreePort } from './start-on-free-port.ts';
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

const requestTimeoutMs = 2_000;
const unreadyGraceMs = 3_000;

/**
 * Starts the service under this very Node.js and resolves when it is ready. Rejects with `SERVICE_FAILED` and
 * the service's last words when it ends first or is not ready in time; nothing is left running then.
 */
export function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  return startOnFreePort(options.preferredPort, (port) => launch(options, port));
}

/** Null when the port turned out to be taken. */
async function launch(options: ServiceProcessOptions, port: number): Promise<ServiceProcess | null> {
  const { name, script, env, logFolder, runFolder, readyTimeoutMs, signal } = options;
  const child = await startChild({
    name,
    program: process.execPath,
    args: [join(repositoryFolder, script)],
    // Services take a closed standard input for the end of the stack when STACK_PARENT is set.
    env: { ...env, METRICS_PORT: String(port), STACK_PARENT: '1' },
    cwd: repositoryFolder,
    logFile: join(logFolder, `${name}.log`),
    runFolder,
    hasLifeline: true,
  });
  const metricsUrl = `http://${loopback}:${port}/metrics`;
  try {
    const state = await waitUntil(
      async () => {
        if (child.exit() !== null) return 'ended';
        return (await isReady(port)) ? 'ready' : null;
      },
      { timeoutMs: readyTimeoutMs, signal },
    );
    if (state === 'ready') return { child, port, metricsUrl };
    const output = await child.readOutput();
    if (state === 'ended' && output.includes(`METRICS_PORT: port ${port} `)) return null;
    throw new StackError('SERVICE_FAILED', describeFailure(name, child, output, readyTimeoutMs));
  } catch (error) {
    await child.stop(unreadyGraceMs);
    throw error;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${loopback}:${port}/readyz`, {
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    // Refused or silent: not ready yet; the caller bounds the wait.
    return false;
  }
}

function describeFailure(name: string, child: Child, output: string, readyTimeoutMs: number): string {
  const words = findLastWords(output);
  const exit = child.exit();
  const what =
    exit === null
      ? `is not ready after ${readyTimeoutMs / 1000} s`
      : `ended (${exit.signal ?? `exit code ${exit.exitCode}`})`;
  return `${name} ${what}${words === '' ? '' : `: ${words}`}`;
}
