// What a machine lacks is said, with how to get it.
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createToolchain } from '../../../../services/dispatch/play/toolchain.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-tools-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('the programs are found, and the sandbox works', async () => {
  expect(await createToolchain(process.env).provide()).toMatchObject({
    bwrap: expect.stringMatching(/\/bwrap$/),
    binds: [],
  });
});

test('missing programs are named', async () => {
  expect(await createToolchain({ PATH: await makeFolder() }).provide()).toBe(
    'ansible-playbook, ssh, bwrap are missing: install ansible-core (Debian: apt-get install ansible-core openssh-client bubblewrap)',
  );
});

test('a program that the sandbox does not show is no program', async () => {
  const folder = await makeFolder();
  for (const name of ['ssh', 'bwrap']) await symlink(`/usr/bin/${name}`, join(folder, name));
  await writeFile(join(folder, 'ansible-playbook'), '#!/bin/sh\n', { mode: 0o755 });
  expect(await createToolchain({ PATH: folder }).provide()).toContain('is outside of /usr and /opt');
});

test('a sandbox that cannot be set up is a fault, with its reason', async () => {
  const folder = await makeFolder();
  for (const name of ['ssh', 'ansible-playbook']) await symlink(`/usr/bin/${name}`, join(folder, name));
  await writeFile(join(folder, 'bwrap'), '#!/bin/sh\necho "bwrap: no permissions" >&2\nexit 1\n', {
    mode: 0o755,
  });
  expect(await createToolchain({ PATH: folder }).provide()).toBe(
    'bwrap cannot set up a sandbox: bwrap: no permissions (user namespaces have to be allowed for this user)',
  );
});
