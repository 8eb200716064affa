// Processes that measure: each has a core's worth of event loop of its own, and its own clock of CPU time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { plainEnvironment } from '../../helpers/processes.ts';

export type BenchWorker = {
  readonly pid: number;
  /** Has the worker do one thing; rejects with its fault, or when it ends first. One at a time. */
  run<Output>(input: unknown, output: z.ZodType<Output>): Promise<Output>;
  stop(): Promise<void>;
};

const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('done'), output: z.unknown() }),
  z.object({ kind: z.literal('failed'), fault: z.string() }),
]);

/** Longer than anything that a bench does at once; whoever takes longer hangs. */
const answerLimitMs = 180_000;
const stopGraceMs = 5000;

/** Starts a script that calls `serveWork`, and resolves when it does. `nodeOptions` as on the command line. */
export async function startWorker(script: string, nodeOptions = ''): Promise<BenchWorker> {
  const child = fork(script, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...plainEnvironment(), NODE_OPTIONS: nodeOptions },
  });
  const exited = once(child, 'exit');
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });

  async function nextAnswer(): Promise<z.infer<typeof answerSchema>> {
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), answerLimitMs);
    try {
      const answered = once(child, 'message', { signal: tooLate.signal });
      const answer = await Promise.race([answered, exited.then(() => null)]);
      if (answer === null) throw new Error(`${script} ended with ${child.signalCode ?? child.exitCode}`);
      return answerSchema.parse(answer[0]);
    } catch (error) {
      if (tooLate.signal.aborted)
        throw new Error(`${script} did not answer within ${answerLimitMs / 1000} s`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  await nextAnswer();
  return {
    pid: child.pid ?? 0,
    async run(input, output) {
      child.send({ input });
      const answer = await nextAnswer();
      if (answer.kind === 'done') return output.parse(answer.output);
      throw new Error(answer.kind === 'failed' ? answer.fault : 'a worker that starts twice');
    },
    async stop() {
      if (hasExited) return;
      // A worker ends by itself when nobody can tell it anything any more.
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
