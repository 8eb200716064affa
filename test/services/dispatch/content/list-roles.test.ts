// The roles that a task may name.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listRoles } from '../../../../services/dispatch/content/list-roles.ts';

test('a role is a folder with tasks, in any of the folders, and one may come later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-roles-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const folders = [join(folder, 'own'), join(folder, 'others'), join(folder, 'missing')];
  for (const [path, file] of [
    ['own/agent/tasks', 'main.yml'],
    ['others/nginx/tasks', 'main.yaml'],
    ['others/notes', 'readme.txt'],
  ] as const) {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, file), '');
  }
  await writeFile(join(folder, 'own/file'), '');
  expect(await listRoles(folders)).toEqual(new Set(['agent', 'nginx']));
  await mkdir(join(folder, 'missing/late/tasks'), { recursive: true });
  await writeFile(join(folder, 'missing/late/tasks/main.yml'), '');
  expect([...(await listRoles(folders))]).toContain('late');
});
