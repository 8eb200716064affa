import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryLock } from '../../../infra/local-stack/file-lock.ts';
import { spawnProgram } from '../../helpers/processes.ts';

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'probe-task-lock-'));
});

afterEach(() => rm(path, { recursive: true, force: true }));

async function take() {
  const attempt = await tryLock(path);
  if (attempt.kind !== 'held') throw new Error(`taken by ${attempt.pid}`);
  return attempt.lock;
}

test('names the live holder, and is free again after its release', async () => {
  const lock = await take();
  expect(await tryLock(path)).toEqual({ kind: 'taken', pid: process.pid });
  await lock.release();
  await (await take()).release();
  expect(await readdir(path)).toEqual([]);
});

test.each([
  ['a process that is gone', `${2 ** 22 + 1}.1.bG9uZyBhZ28`],
  ['a later process with the same pid', `${process.pid}.0.bG9uZyBhZ28`],
  ['no process', 'rubbish'],
])('does not count a claim that names %s', async (_case, name) => {
  await writeFile(join(path, name), '');
  await (await take()).release();
  expect(await readdir(path)).toEqual([]);
});

test('work under the lock never overlaps, over several processes and stale claims', async () => {
  const scratch = join(path, 'scratch');
  const lockPath = join(path, 'lock');
  await Promise.all([mkdir(scratch), mkdir(lockPath)]);
  await writeFile(join(lockPath, `${process.pid}.0.bG9uZyBhZ28`), '');
  // mkdir fails when the folder exists: two at a time inside the lock would end the script with an error.
  const script = `
    import { mkdir, rmdir } from 'node:fs/promises';
    import { withLock } from '${join(import.meta.dirname, '../../../infra/local-stack/file-lock.ts')}';
    const once = () => withLock('${lockPath}', async () => {
      await mkdir('${scratch}/inside');
      await rmdir('${scratch}/inside');
    });
    await Promise.all([once(), once(), once()]);
    console.log('done');`;
  const runs = Array.from({ length: 4 }, () =>
    spawnProgram(process.execPath, ['--input-type=module', '-e', script], { env: {} }),
  );
  await Promise.all(runs.map((run) => run.waitForLine(/^done$/)));
  await Promise.all(runs.map((run) => run.exited));
  expect(await readdir(lockPath)).toEqual([]);
});

test('of twenty that try at once, exactly one gets it', async () => {
  const attempts = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)));
  expect(attempts.filter(({ kind }) => kind === 'held')).toHaveLength(1);
});
