// Where things are inside the sandbox.
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bind } from './sandbox.ts';

export const sandboxPaths = {
  /** The files of one play, read-only. */
  play: '/play',
  events: '/events.jsonl',
  plugins: '/plugins',
  sshKey: '/ssh_key',
  knownHosts: '/known_hosts',
  roles: '/roles',
  /** Of this machine, for roles of ours. */
  files: '/files',
} as const;

export const pluginFolder = fileURLToPath(new URL('plugins', import.meta.url));

export type SshFiles = { sshKeyFile: string; knownHostsFile: string; hostKeys: 'strict' | 'accept-new' };

/** `accept-new` adds to the file of host keys. */
export function bindSshFiles({ sshKeyFile, knownHostsFile, hostKeys }: SshFiles): Bind[] {
  return [
    { from: sshKeyFile, to: sandboxPaths.sshKey },
    { from: knownHostsFile, to: sandboxPaths.knownHosts, isWritable: hostKeys === 'accept-new' },
  ];
}

/** An empty file where there is none: then no host is known. */
export async function provideKnownHosts(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await (await open(path, 'a', 0o600)).close();
}
