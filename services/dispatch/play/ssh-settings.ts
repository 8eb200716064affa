// How nodes are reached: with one key, with host keys checked, and with nothing of this machine handed on.

export type SshAccess = {
  keyFile: string;
  knownHostsFile: string;
  hostKeys: 'strict' | 'accept-new';
};

const connectTimeoutS = 10;

/** Options of ssh_config(5). Paths are without spaces: they are those of the sandbox. */
export function describeSsh({ keyFile, knownHostsFile, hostKeys }: SshAccess): [string, string][] {
  return [
    ['BatchMode', 'yes'],
    ['StrictHostKeyChecking', hostKeys === 'strict' ? 'yes' : 'accept-new'],
    ['UserKnownHostsFile', knownHostsFile],
    ['GlobalKnownHostsFile', 'none'],
    ['HashKnownHosts', 'no'],
    // Would replace the file, which several write to, by another one.
    ['UpdateHostKeys', 'no'],
    ['IdentityFile', keyFile],
    ['IdentitiesOnly', 'yes'],
    ['IdentityAgent', 'none'],
    ['ForwardAgent', 'no'],
    ['ForwardX11', 'no'],
    ['ClearAllForwardings', 'yes'],
    ['PermitLocalCommand', 'no'],
    ['ProxyCommand', 'none'],
    ['ConnectTimeout', String(connectTimeoutS)],
    ['ServerAliveInterval', '15'],
    ['ServerAliveCountMax', '3'],
    ['LogLevel', 'ERROR'],
  ];
}

/** One connection to each node for all tasks of a play. */
export const sharedConnection: [string, string][] = [
  ['ControlMaster', 'auto'],
  ['ControlPersist', '60s'],
  ['ControlPath', '/tmp/ssh-%C'],
];
