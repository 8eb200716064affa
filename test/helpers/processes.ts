// Services and other programs as processes of their own, with their output kept as evidence.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFolder } from '../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram } from '../../infra/local-stack/run-program.ts';
import { startServiceProcess } from '../../infra/local-stack/service-process.ts';
import { stackServices } from '../../infra/local-stack/services.ts';
import type { ChildExit } from '../../infra/local-stack/start-child.ts';

export type TestService = {
  readonly pid: number;
  /** `http://127.0.0.1:<port>`, with /healthz, /readyz and /metrics. */
  readonly metricsUrl: string;
  /** `http://127.0.0.1:<port>` of its API; without one the same as `metricsUrl`. */
  readonly url: string;
  readonly exited: Promise<ChildExit>;
  /** What it has logged so far, line by line. */
  readLog(): Promise<string[]>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM; rejects with the log when the service does not end by itself with exit code 0. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
};

const readyTimeoutMs = 15_000;
const stopGraceMs = 15_000;
// Below the runner's own limit, so that the failure shows the output.
const lineTimeoutMs = 18_000;

/**
 * Starts `services/<name>/main.ts` and resolves once its /readyz answers 200; rejects with its last words
 * otherwise. Of the test's own environment it sees PATH and HOME only.
 */
export async function spawnService(name: string, env: Record<string, string>): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-service-'));
  const port = stackServices.find((service) => service.name === name)?.port;
  const { child, metricsUrl, own } = await startServiceProcess({
    name,
    script: mainFile(name),
    env: { ...plainEnvironment(), ...env },
    preferredPort: 0,
    ownPort: port && { ...port, preferred: 0 },
    logFolder: folder,
    runFolder: folder,
    readyTimeoutMs,
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  let lastOutput: string | null = null;

  async function finish(): Promise<string> {
    lastOutput ??= await child.readOutput();
    await rm(folder, { recursive: true, force: true });
    return lastOutput;
  }

  return {
    pid: child.pid,
    metricsUrl: new URL(metricsUrl).origin,
    url: own?.url ?? new URL(metricsUrl).origin,
    exited: child.exited,
    readLog: async () => (lastOutput ?? (await child.readOutput())).trimEnd().split('\n'),
    signal: (signal) => child.signal(signal),
    async stop() {
      const { exitCode, signal } = await child.stop(stopGraceMs);
      const output = await finish();
      if (exitCode !== 0)
        throw new Error(`${name} ended with ${signal ?? `exit code ${exitCode}`}:\n${output}`);
    },
    async kill() {
      child.signal('SIGKILL');
      await child.stop(0);
      await finish();
    },
  };
}

/** Runs `services/<name>/main.ts` to its end: for configurations that it refuses. */
export function runService(name: string, env: Record<string, string>): Promise<RunResult> {
  return runProgram(process.execPath, [join(repositoryFolder, mainFile(name))], {
    env: { ...plainEnvironment(), ...env },
    cwd: repositoryFolder,
    timeoutMs: readyTimeoutMs,
  });
}

export type TestProgramRun = {
  readonly pid: number;
  /** Standard output and error so far, in the order of arrival. */
  output(): string;
  /** The first line, past or future, that matches; rejects with the whole output after 18 s (or the limit), or the program's end. */
  waitForLine(pattern: RegExp, limitMs?: number): Promise<string>;
  /** Resolves when the program has ended and its output is complete. */
  readonly exited: Promise<ChildExit>;
  /** To the program alone, or with `toGroup` to all of its process group, as a terminal does on Ctrl-C. */
  signal(signal: NodeJS.Signals, options?: { toGroup?: boolean }): void;
};

/** Starts any program in a process group of its own; standard input stays open until it ends. */
export function spawnProgram(
  program: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd?: string },
): TestProgramRun {
  const { cwd = repositoryFolder, env } = options;
  const child = spawn(program, args, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const watchers = new Set<() => void>();
  const receive = (text: string): void => {
    output += text;
    for (const look of watchers) look();
  };
  child.stdout.setEncoding('utf8').on('data', receive);
  child.stderr.setEncoding('utf8').on('data', receive);
  const exited = waitForClose(child);

  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    waitForLine(pattern, limitMs = lineTimeoutMs) {
      return new Promise((resolve, reject) => {
        const tooLate = AbortSignal.timeout(limitMs);
        const giveUp = (why: string): void => {
          watchers.delete(look);
          reject(new Error(`${why} without a line like ${pattern}:\n${output}`));
        };
        const look = (): void => {
          const complete = output.split('\n').slice(0, -1);
          const line = complete.find((candidate) => pattern.test(candidate));
          if (line === undefined) return;
          watchers.delete(look);
          resolve(line);
        };
        watchers.add(look);
        look();
        tooLate.addEventListener('abort', () => giveUp(`${limitMs / 1000} s passed`));
        void exited.then(() => giveUp('ended'));
      });
    },
    signal(signal, { toGroup = false } = {}) {
      if (toGroup) process.kill(-(child.pid ?? 0), signal);
      else child.kill(signal);
    },
  };
}

async function waitForClose(child: ChildProcess): Promise<ChildExit> {
  await once(child, 'close');
  return { exitCode: child.exitCode, signal: child.signalCode };
}

function mainFile(name: string): string {
  return `services/${name}/main.ts`;
}

/** Nothing of a developer's own settings (NATS_URL, LOG_LEVEL, …) reaches what the tests start. */
export function plainEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME };
}
