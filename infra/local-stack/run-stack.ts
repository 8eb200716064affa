// The local stack as a process: its lock, what it prints, its signals and its exit code.
import { join } from 'node:path';
import { ConfigError } from '../config.ts';
import { describeError } from '../error-text.ts';
import { checkDataFolder } from './check-data-folder.ts';
import { checkSettings } from './check-settings.ts';
import { tryLock } from './file-lock.ts';
import { formatFirstCalls } from './first-call.ts';
import { workAsFolderOwner } from './folder-owner.ts';
import { createLocalStack, label, type StackOptions, type StackParts } from './stack.ts';

export type RunStackOptions = Omit<StackOptions, 'report' | 'onFailure'> & {
  /** Signals that follow the first within this time do not count as a second wish (default one second). */
  sameKeystrokeMs?: number;
};

// npm passes on the SIGINT that the terminal has already sent to the whole group: one Ctrl-C, two signals.
const defaultSameKeystrokeMs = 1_000;
const parentCheckMs = 1_000;

/**
 * Starts the stack, prints where everything is and then `ready`, and stops it on SIGINT, SIGTERM or SIGHUP.
 * Root in another user's folder goes on as that user.
 * Ends the process: exit code 0 after a stop that was asked for, 1 with one line when something failed.
 */
export async function runStackProcess(parts: StackParts, options: RunStackOptions): Promise<void> {
  const { dataFolder, env, sameKeystrokeMs = defaultSameKeystrokeMs } = options;
  // A reader that goes away (`npm start | head`) does not end the stack.
  process.stdout.on('error', () => undefined);
  await refuseWrongSettings(parts, env);
  const lock = await takeLock(dataFolder, env);

  const stack = createLocalStack(parts, {
    ...options,
    report: print,
    onFailure: (error) => void fail(error),
  });
  let stoppingSince: number | null = null;
  let isForced = false;

  async function end(exitCode: number): Promise<void> {
    stoppingSince ??= performance.now();
    await stack.stop().catch((error: unknown) => print(`while stopping: ${describeError(error)}`));
    await lock.release();
    process.exit(isForced ? 1 : exitCode);
  }

  async function forceEnd(): Promise<void> {
    await stack.stop({ isForced: true });
    await lock.release();
    process.exit(1);
  }

  async function fail(error: unknown): Promise<void> {
    if (stoppingSince !== null) return;
    stoppingSince = performance.now();
    printFault(describeError(error));
    await end(1);
  }

  function askToStop(): void {
    if (stoppingSince === null) {
      stoppingSince = performance.now();
      print('stopping (Ctrl-C again to force) …');
      void end(0).then(undefined, failHard);
      return;
    }
    if (isForced || performance.now() - stoppingSince < sameKeystrokeMs) return;
    isForced = true;
    print('forcing …');
    void forceEnd().then(undefined, failHard);
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, askToStop);
  process.on('uncaughtException', (error) => void fail(error));
  if (env.npm_lifecycle_event !== undefined) stopWithoutParent(askToStop);

  try {
    const addresses = await stack.start();
    print(`${label('logs')} ${join(dataFolder, 'log')}`);
    print(`${label('addresses')} ${join(dataFolder, 'stack.json')} (with passwords)`);
    print(formatFirstCalls(addresses));
    print('ready');
  } catch (error) {
    await fail(error);
  }
}

async function refuseWrongSettings({ services }: StackParts, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await checkSettings(services, env);
  } catch (error) {
    for (const fault of error instanceof ConfigError ? error.faults : [describeError(error)])
      printFault(fault);
    process.exit(1);
  }
}

async function takeLock(dataFolder: string, env: NodeJS.ProcessEnv): Promise<{ release(): Promise<void> }> {
  try {
    await checkDataFolder(dataFolder);
    const attempt = await tryLock(join(dataFolder, 'stack.lock'));
    if (attempt.kind === 'held') {
      // Not before: files that a running stack uses stay whose they are.
      const owner = await workAsFolderOwner(dataFolder, env);
      if (owner !== null) print(`working as ${owner.name}, whose folder ${dataFolder} is`);
      return attempt.lock;
    }
    const { pid } = attempt;
    printFault(
      `npm start already runs on ${dataFolder} (pid ${pid}): stop it with Ctrl-C there, or with kill ${pid}`,
    );
  } catch (error) {
    printFault(`cannot keep data in ${dataFolder}: ${describeError(error)}`);
  }
  process.exit(1);
}

/** A killed npm passes no signal on; its going shows in the parent's pid. */
function stopWithoutParent(askToStop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    askToStop();
  }, parentCheckMs);
  timer.unref();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printFault(line: string): void {
  process.stderr.write(`${line}\n`);
}

function failHard(error: unknown): void {
  printFault(describeError(error));
  process.exit(1);
}
