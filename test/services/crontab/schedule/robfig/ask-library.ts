// Asks the Go library itself, where there is Go and the library can be had.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { describeError } from '../../../../../infra/error-text.ts';
import { findInFolders, findOnPath } from '../../../../../infra/local-stack/find-program.ts';
import { lastLine, runProgram, runProgramOrThrow } from '../../../../../infra/local-stack/run-program.ts';

export type Question = {
  spec: string;
  /** Unix seconds. The first begins a chain of `chain` times, each after the one before it. */
  from: number[];
  chain: number;
};

/** For each question its times in Unix seconds, 0 for none; null for a spec that the library refuses. */
export type LibraryAnswers = (number[] | null)[];

const answerSchema = z.array(z.int()).nullable();
const downloadLimitMs = 20_000;
const buildLimitMs = 120_000;

/** The answers of the library, or in one line why it cannot be asked. Rejects when our program does not build or run. */
export async function askLibrary(questions: readonly Question[]): Promise<LibraryAnswers | string> {
  // Go's own installer puts it there, and leaves the PATH to the user.
  const go = (await findOnPath('go', process.env)) ?? (await findInFolders('go', ['/usr/local/go/bin']));
  if (go === null) return 'Go is not installed';
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-robfig-'));
  try {
    const caches = process.env.HOME ? {} : { GOPATH: join(folder, 'go'), GOCACHE: join(folder, 'cache') };
    const env = { ...process.env, ...caches, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
    const here = { cwd: import.meta.dirname, env };
    const download = await runProgram(go, ['mod', 'download'], { ...here, timeoutMs: downloadLimitMs });
    if (download.exitCode !== 0)
      return `the module cannot be had: ${lastLine(download.stderr) || 'no reply'}`;
    const program = join(folder, 'robfig-times');
    await runProgramOrThrow(go, ['build', '-o', program, '.'], { ...here, timeoutMs: buildLimitMs });
    return await runQuestions(program, questions);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runQuestions(program: string, questions: readonly Question[]): Promise<LibraryAnswers> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.stdin.once('error', (error) =>
      reject(new Error(`the program ends early: ${describeError(error)}`)),
    );
  });
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const output = await Promise.race([text(child.stdout), failed]);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => answerSchema.parse(JSON.parse(line)));
}
