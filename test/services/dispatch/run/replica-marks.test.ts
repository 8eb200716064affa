// Which replicas of a machine are gone.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { runProgramOrThrow } from '../../../../infra/local-stack/run-program.ts';
import { createReplicaMarks } from '../../../../services/dispatch/run/replica-marks.ts';

let folder: string;
beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'probe-task-marks-'));
  folder = join(parent, 'replicas');
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
});

/** Marks a replica in a process of its own, which ends then. */
async function markOfTheDead(replica: string): Promise<void> {
  const module = join(import.meta.dirname, '../../../../services/dispatch/run/replica-marks.ts');
  const script = `const { createReplicaMarks } = await import(${JSON.stringify(module)});
    await createReplicaMarks(${JSON.stringify(folder)}, ${JSON.stringify(replica)}).start();`;
  await runProgramOrThrow(process.execPath, ['--input-type=module', '-e', script]);
}

test('a replica whose process has ended is told once, one that lives is not', async () => {
  const mine = createReplicaMarks(folder, 'mine');
  await mine.start();
  await createReplicaMarks(folder, 'beside').start();
  await markOfTheDead('gone');
  expect(await mine.listGone()).toEqual(['gone']);
  expect(await mine.listGone()).toEqual([]);
});

test('of two that ask at once, one is told', async () => {
  await markOfTheDead('gone');
  const [first, second] = [createReplicaMarks(folder, 'first'), createReplicaMarks(folder, 'second')];
  await Promise.all([first.start(), second.start()]);
  const told = await Promise.all([first.listGone(), second.listGone()]);
  expect(told.flat()).toEqual(['gone']);
});
