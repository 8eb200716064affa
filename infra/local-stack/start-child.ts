// One long-running child: its own process group, its output in a log file, its pid on record.
import { spawn } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, systemErrorCode } from '../error-text.ts';
import { forgetChild, recordChild } from './child-record.ts';
import { signalGroup } from './process-group.ts';
import { identifyProcess } from './process-identity.ts';
import { StackError } from './stack-error.ts';

export type ChildCommand = {
  name: string;
  program: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  logFile: string;
  /** Folder of the records of running children, see child-record.ts; without one the next start leaves it alone. */
  runFolder?: string;
  /** What asks this program for a graceful end; SIGTERM unless said otherwise. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Keeps a pipe to its standard input open, which closes when this process is gone, however it went. */
  hasLifeline?: boolean;
};

export type ChildExit = { exitCode: number | null; signal: NodeJS.Signals | null };

export type Child = {
  readonly name: string;
  readonly pid: number;
  /** Where its output goes. */
  readonly logFile: string;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Null while it runs. */
  exit(): ChildExit | null;
  /** What it has printed since this start, at most the last 64 KiB. */
  readOutput(): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Asks for a graceful end, then kills the whole group after `graceMs`. Resolves when the process is gone. */
  stop(graceMs: number): Promise<ChildExit>;
};

const maxOutputBytes = 65_536;
const maxLogBytes = 20_000_000;

/** Starts the program. Rejects with `PROGRAM_FAILED` when it cannot be executed. */
export async function startChild(command: ChildCommand): Promise<Child> {
  const { name, program, args, logFile, runFolder, stopSignal = 'SIGTERM', hasLifeline = false } = command;
  await keepLogSmall(logFile);
  // The child writes to the file itself: it goes on logging when this process is gone.
  const log = await open(logFile, 'a+', 0o600);
  const outputStart = (await log.stat()).size;
  const child = spawn(program, args, {
    env: command.env ?? process.env,
    detached: true,
    stdio: [hasLifeline ? 'pipe' : 'ignore', log.fd, log.fd],
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  });
  let ended: ChildExit | null = null;
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      ended = { exitCode, signal };
      resolve(ended);
    });
  });
  try {
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  } catch (error) {
    throw new StackError('PROGRAM_FAILED', `cannot run ${program}: ${describeError(error)}`, {
      cause: error,
    });
  } finally {
    await log.close();
  }
  const pid = child.pid ?? 0;
  // The pipe breaks when the child ends first; that end is reported by `exited`.
  child.stdin?.on('error', () => child.stdin?.destroy());
  const identity = await identifyProcess(pid);
  if (identity !== null && runFolder !== undefined) {
    await recordChild(runFolder, { name, pid, startedAt: identity.startedAt, stopSignal });
  }
  const forgotten = exited.then(() =>
    runFolder === undefined ? undefined : forgetChild(runFolder, name, pid),
  );

  return {
    name,
    pid,
    logFile,
    exited,
    exit: () => ended,
    readOutput: () => readTail(logFile, outputStart),
    signal: (signal) => void child.kill(signal),
    async stop(graceMs) {
      if (ended === null) {
        child.kill(stopSignal);
        const killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
        await exited;
        clearTimeout(killTimer);
      }
      await forgotten;
      return exited;
    },
  };
}

/** One older log is kept, so that a stack that runs for months does not fill the disk. */
async function keepLogSmall(logFile: string): Promise<void> {
  await mkdir(dirname(logFile), { recursive: true });
  try {
    if ((await stat(logFile)).size > maxLogBytes) await rename(logFile, `${logFile}.1`);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

async function readTail(file: string, from: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - maxOutputBytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
