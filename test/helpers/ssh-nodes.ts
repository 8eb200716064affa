// Real SSH servers on loopback addresses, each a small machine of its own: own processes, own /etc, /opt, /tmp and so on.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type DispatchNode, parseDispatchNode } from '../../contracts/dispatch.ts';
import { resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import { provideProgram } from '../../infra/local-stack/provide-program.ts';
import { type RunResult, runProgram } from '../../infra/local-stack/run-program.ts';
import { reportProgress } from './programs.ts';
import { describeSshServer, fillNodeFolder, generateKey, nodeUser } from './ssh-node-folder.ts';
import {
  listNodeProcesses,
  type NodeProcess,
  type NodeSandbox,
  startNodeSandbox,
} from './ssh-node-sandbox.ts';

/** Nodes of one server share everything but the address. */
export type SshNode = DispatchNode & {
  /** Its file system as this machine sees it: `<folder>/opt` is its /opt. Without /usr, which is that of this machine. */
  folder: string;
  /** All but the SSH server itself. */
  processes(): Promise<NodeProcess[]>;
  /** Runs a command line on the node, as an operator does; whatever its exit code. */
  run(command: string, user?: string): Promise<RunResult>;
  /** Ends the server and every process of the node; safe to call again. */
  stop(): Promise<void>;
};

export type SshNodes = {
  /** One for each address, in their order. */
  nodes: SshNode[];
  /** The login to use: root, or, where the tests are run by another user, that one: no other login works there. */
  user: string;
  /** Private key that every login of the nodes accepts. */
  keyFile: string;
  /** What ssh(1) has to know about the nodes: `UserKnownHostsFile`. */
  knownHostsFile: string;
  stop(): Promise<void>;
};

const attempts = 5;
// Of sshd itself: MAX_LISTEN_SOCKS.
const maxAddressesPerServer = 16;

/**
 * Starts the servers, each on a free port, and resolves when all of them listen. With `addressesPerServer` (at most 16),
 * one of them stands for several addresses. `folder` exists and is the caller's to remove, after `stop`.
 */
export async function startSshNodes(options: {
  addresses: readonly string[];
  folder: string;
  addressesPerServer?: number;
}): Promise<SshNodes> {
  const { addresses, folder, addressesPerServer = 1 } = options;
  const program = await provideSshServer();
  const keyFile = join(folder, 'id_ed25519');
  const knownHostsFile = join(folder, 'known_hosts');
  await generateKey(keyFile);
  const size = Math.min(addressesPerServer, maxAddressesPerServer);
  const parts = Array.from({ length: Math.ceil(addresses.length / size) }, (_, index) =>
    addresses.slice(index * size, (index + 1) * size),
  );
  const login = { keyFile, knownHostsFile };
  const starts = await Promise.allSettled(
    parts.map((part) => startServer(program, part, join(folder, `node-${part[0]}`), login)),
  );
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  for (const start of starts) {
    if (start.status === 'fulfilled') continue;
    await stop();
    throw start.reason;
  }
  await writeFile(knownHostsFile, servers.map((server) => server.knownHosts).join(''));
  return { nodes: servers.flatMap((server) => server.nodes), user: nodeUser, keyFile, knownHostsFile, stop };
}

function provideSshServer(): Promise<string> {
  return provideProgram(
    {
      name: 'sshd',
      debian: { packageName: 'openssh-server', pathInPackage: 'usr/sbin/sshd' },
      advice: 'install it (Debian: apt-get install openssh-server)',
    },
    { dataFolder: resolveDataFolder(process.env), env: process.env, report: reportProgress },
  );
}

type Login = { keyFile: string; knownHostsFile: string };
type Server = { nodes: SshNode[]; knownHosts: string; stop(): Promise<void> };

async function startServer(
  program: string,
  addresses: readonly string[],
  folder: string,
  login: Login,
): Promise<Server> {
  await fillNodeFolder(folder, login.keyFile);
  const hostKey = (await readFile(join(folder, 'etc/ssh/host_key.pub'), 'utf8')).trim();
  let said = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const port = await findFreePort(addresses[0] ?? '');
    await writeFile(join(folder, 'etc/ssh/sshd_config'), describeSshServer(addresses, port));
    const start = await startNodeSandbox(program, folder, addresses.length);
    if (start.sandbox !== undefined) {
      const { sandbox } = start;
      const nodes = addresses.map((address) => describeNode({ address, port, folder, sandbox, login }));
      const knownHosts = addresses.map((address) => `[${address}]:${port} ${hostKey}\n`).join('');
      return { nodes, knownHosts, stop: sandbox.stop };
    }
    said = start.said;
    // Another process may have taken the port in between; any other fault comes again.
    if (!said.includes('Address already in use')) break;
  }
  throw new Error(`sshd did not start on ${addresses.join(', ')}:\n${said}`);
}

async function findFreePort(address: string): Promise<number> {
  const server = createServer();
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('a listening server has no port');
  return bound.port;
}

function describeNode(given: {
  address: string;
  port: number;
  folder: string;
  sandbox: NodeSandbox;
  login: Login;
}): SshNode {
  const { address, port, folder, sandbox, login } = given;
  const node = parseDispatchNode(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
  if (node === undefined) throw new Error(`${address} is not an IP address`);
  return {
    ...node,
    folder,
    processes: () => listNodeProcesses(sandbox.initPid),
    run: (command, user = nodeUser) =>
      runProgram('ssh', describeLogin(node, user, login, command), { timeoutMs: 15_000 }),
    stop: sandbox.stop,
  };
}

function describeLogin(node: DispatchNode, user: string, login: Login, command: string): string[] {
  const { keyFile, knownHostsFile } = login;
  const options = [
    ...['BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'StrictHostKeyChecking=yes'],
    ...[`UserKnownHostsFile=${knownHostsFile}`, 'GlobalKnownHostsFile=none', 'ConnectTimeout=5'],
  ];
  const flags = ['-F', 'none', '-i', keyFile, '-l', user, '-p', String(node.port)];
  return [...flags, ...options.flatMap((option) => ['-o', option]), '--', node.address, command];
}
