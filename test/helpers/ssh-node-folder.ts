// What lies on the disk of a node of the tests: accounts, keys and the settings of its SSH server.
import { chmod, chown, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../../infra/error-text.ts';
import { runProgramOrThrow } from '../../infra/local-stack/run-program.ts';

const isRoot = process.getuid?.() === 0;
/** The login of the nodes: an ordinary user's server takes that user alone. */
export const nodeUser = isRoot ? 'root' : userInfo().username;
/** A second login without rights, where the tests are run by root. */
export const plainLogin = { name: 'probe', uid: 1001 };

const foldersOfNode = [
  'etc',
  'etc/ssh',
  'home',
  `home/${plainLogin.name}`,
  'opt',
  'root',
  'run',
  'run/sshd',
  'srv',
  'tmp',
  'var',
  'var/log',
  'var/tmp',
];
const filesOfHost = ['alternatives', 'hosts', 'ld.so.cache', 'localtime', 'nsswitch.conf', 'resolv.conf'];

/** Own host key, accounts and settings; `keyFile` is the private key of those who may log in. */
export async function fillNodeFolder(folder: string, keyFile: string): Promise<void> {
  for (const name of foldersOfNode) await mkdir(join(folder, name), { recursive: true });
  for (const name of ['tmp', 'var/tmp']) await chmod(join(folder, name), 0o1777);
  await writeFile(join(folder, 'var/log/lastlog'), '');
  const etc = join(folder, 'etc');
  for (const name of filesOfHost) await copyIfThere(join('/etc', name), join(etc, name));
  await generateKey(join(etc, 'ssh/host_key'));
  await copyFile(`${keyFile}.pub`, join(etc, 'ssh/authorized_keys'));
  const { name, uid } = plainLogin;
  const users = isRoot
    ? [
        'root:x:0:0:root:/root:/bin/sh',
        'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin',
        `${name}:x:${uid}:${uid}::/home/${name}:/bin/sh`,
      ]
    : [`${nodeUser}:x:${process.getuid?.()}:${process.getgid?.()}::/root:/bin/sh`];
  await writeFile(join(etc, 'passwd'), `${users.join('\n')}\n`);
  await writeFile(join(etc, 'group'), `root:x:0:\ntty:x:5:\nnogroup:x:65534:\n${name}:x:${uid}:\n`);
  // `*` is no password, `!` would be a locked account.
  const passwords = users.map((user) => `${user.split(':')[0]}:*:19000:0:99999:7:::`);
  await writeFile(join(etc, 'shadow'), `${passwords.join('\n')}\n`, { mode: 0o600 });
  if (isRoot) await chown(join(folder, 'home', name), uid, uid);
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true, dereference: false, verbatimSymlinks: true });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

export function describeSshServer(addresses: readonly string[], port: number): string {
  const lines = [
    `Port ${port}`,
    ...addresses.map((address) => `ListenAddress ${address}`),
    'HostKey /etc/ssh/host_key',
    'AuthorizedKeysFile /etc/ssh/authorized_keys',
    // The folders above are those of the machine that runs the tests.
    'StrictModes no',
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    'UseDNS no',
    'PidFile none',
    'PrintMotd no',
    'PrintLastLog no',
    'MaxStartups 200',
    'MaxSessions 200',
    'Subsystem sftp internal-sftp',
  ];
  return `${lines.join('\n')}\n`;
}

export async function generateKey(file: string): Promise<void> {
  await runProgramOrThrow('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
}
