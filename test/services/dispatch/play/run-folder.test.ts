// Folders of plays: closed to others, gone with the play, and not left for ever by the dead.
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../../../infra/logger.ts';
import { createRunFolders } from '../../../../services/dispatch/play/run-folder.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-runs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const make = (name: string) => createRunFolders(join(folder, name), createLogger('test', 'silent'));

test('a folder and its files are closed to others, and removed as a whole', async () => {
  const run = await make('closed').open('r1', { 'a.json': '{"secret":1}' });
  const modes = await Promise.all(
    [join(folder, 'closed'), join(folder, 'closed/r1'), run.files, join(run.files, 'a.json'), run.events].map(
      async (path) => (await stat(path)).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o600, 0o600]);
  expect(await readFile(join(run.files, 'a.json'), 'utf8')).toBe('{"secret":1}');
  await run.remove();
  expect(await readdir(join(folder, 'closed'))).toEqual([]);
});

test('what a dead process left is removed, what a live one or another machine has is not', async () => {
  const folders = make('left');
  const live = await folders.open('live', {});
  const namespace = await readlink('/proc/self/ns/pid');
  const owners = {
    dead: { pid: process.pid, startedAt: 'before', namespace },
    other: { pid: 1, startedAt: 'before', namespace: 'pid:[1]' },
    old: { pid: 1, startedAt: 'before', namespace: 'pid:[1]' },
  };
  for (const [name, owner] of Object.entries(owners)) {
    const path = join(folder, 'left', name);
    await mkdir(path);
    await writeFile(join(path, 'owner.json'), JSON.stringify(owner));
  }
  await mkdir(join(folder, 'left/young'));
  const longAgo = new Date(Date.now() - 27 * 3600 * 1000);
  await utimes(join(folder, 'left/old'), longAgo, longAgo);
  await folders.removeLeftovers();
  expect((await readdir(join(folder, 'left'))).toSorted()).toEqual(['live', 'other', 'young']);
  await expect(folders.open('live', {})).rejects.toMatchObject({ code: 'EEXIST' });
  await live.remove();
});

test('without any folder there is nothing to remove', async () => {
  await expect(make('none').removeLeftovers()).resolves.toBeUndefined();
});
