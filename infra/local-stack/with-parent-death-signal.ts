// Has the kernel end a child when its parent dies without a chance to do so (SIGKILL, out of memory).
import { runProgram } from './run-program.ts';
import { StackError } from './stack-error.ts';

export type WrapCommand = (program: string, args: readonly string[]) => { program: string; args: string[] };

/**
 * A wrapper that puts `setpriv --pdeathsig` (util-linux) in front of a command, or leaves the command as it is
 * where that is not to be had. Only a second line of defence: the next start stops what was left behind anyway.
 */
export async function createParentDeathWrapper(signal: 'TERM' | 'INT'): Promise<WrapCommand> {
  const hasSetpriv = await canRun('setpriv', ['--pdeathsig', signal, '--', 'true']);
  return (program, args) =>
    hasSetpriv
      ? { program: 'setpriv', args: ['--pdeathsig', signal, '--', program, ...args] }
      : { program, args: [...args] };
}

async function canRun(program: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await runProgram(program, args, { timeoutMs: 5_000 })).exitCode === 0;
  } catch (error) {
    if (error instanceof StackError) return false;
    throw error;
  }
}
