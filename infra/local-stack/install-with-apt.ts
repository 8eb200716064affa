// Puts packages of Debian's archive into this machine with apt-get: needs root.
import { setTimeout as pause } from 'node:timers/promises';
import { waitAtMost } from '../wait-at-most.ts';
import { lastLine, type RunResult, runProgram } from './run-program.ts';
import { StackError } from './stack-error.ts';
import { startChild } from './start-child.ts';

export type AptOptions = {
  /** Path of apt-get. */
  program: string;
  env: NodeJS.ProcessEnv;
  /** Takes what apt-get prints while it unpacks. */
  logFile: string;
  /** Ends the download. */
  signal?: AbortSignal | undefined;
};

const downloadLimitMs = 300_000;
const unpackLimitMs = 300_000;
const killGraceMs = 10_000;
const lockPauseMs = 1_000;

const options = [
  '-y',
  '-q',
  '--no-install-recommends',
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Acquire::Retries=1',
  '-o',
  'Acquire::http::Timeout=15',
  '-o',
  'Acquire::https::Timeout=15',
];

/**
 * Downloads the packages with all that they need, and then unpacks them. The download ends at once when `signal` is
 * aborted. The unpacking, some seconds, is never cut short, not even by the death of this process: a dpkg that is killed
 * leaves a machine that installs nothing any more before somebody repairs it. Rejects with `PROGRAM_FAILED` and apt-get's
 * own reason.
 */
export async function installWithApt(names: readonly string[], given: AptOptions): Promise<void> {
  const env = { ...given.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  await download(names, { ...given, env });
  given.signal?.throwIfAborted();
  await unpack(names, { ...given, env });
}

/** With fresh package lists only where those of the machine are missing or out of date. */
async function download(names: readonly string[], { program, env, signal }: AptOptions): Promise<void> {
  const giveUpAt = performance.now() + downloadLimitMs;
  const run = async (args: readonly string[]): Promise<RunResult> => {
    const timeoutMs = Math.max(1, giveUpAt - performance.now());
    const result = await runProgram(program, [...options, ...args], { env, signal, timeoutMs });
    signal?.throwIfAborted();
    return result;
  };
  const fetch = () => run(['--download-only', 'install', ...names]);

  for (;;) {
    if ((await fetch()).exitCode === 0) return;
    const update = await run(['update']);
    const second = await fetch();
    if (second.exitCode === 0) return;
    // Another apt-get at work; the timeout for locks is for that of dpkg alone.
    const isLocked = [update, second].some(({ stderr }) => stderr.includes('Could not get lock'));
    if (!isLocked || performance.now() + lockPauseMs >= giveUpAt) {
      // A failed update is a warning to apt-get, and the reason all the same.
      const faults = [readFault(update), readFault(second)].filter((fault) => fault !== '');
      throw new StackError('PROGRAM_FAILED', `apt-get: ${faults.join('; ') || 'was killed'}`);
    }
    await pause(lockPauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

async function unpack(names: readonly string[], { program, env, logFile }: AptOptions): Promise<void> {
  const child = await startChild({
    name: 'apt-get',
    program,
    // Whoever changed a file of configuration keeps it: nobody is there to be asked.
    args: [...options, '-o', 'Dpkg::Options::=--force-confold', 'install', ...names],
    env,
    logFile,
  });
  await waitAtMost(child.exited, unpackLimitMs);
  const isLate = child.exit() === null;
  const { exitCode } = isLate ? await child.stop(killGraceMs) : await child.exited;
  if (exitCode === 0) return;
  const output = await child.readOutput();
  const fault = readFault({ exitCode, stdout: output, stderr: output }) || `ended early, see ${logFile}`;
  throw new StackError('PROGRAM_FAILED', `apt-get: ${isLate ? 'took too long: ' : ''}${fault}`);
}

/** What apt-get gives as the first error, or the first warning where there is none. */
function readFault({ exitCode, stderr }: RunResult): string {
  const fault = /^E: (.+)/m.exec(stderr) ?? /^W: (.+)/m.exec(stderr);
  return fault?.[1]?.trim() ?? (exitCode === 0 ? '' : lastLine(stderr));
}
