// A node of the tests as a set of processes: an SSH server in a sandbox, which ends as a whole.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemErrorCode } from '../../infra/error-text.ts';
import { resolveDataFolder } from '../../infra/local-stack/data-folder.ts';

export type NodeProcess = {
  /** As seen from outside of the node. */
  pid: number;
  cmd: string;
  /** Empty for the moment in which a process starts its program. */
  env: Record<string, string>;
};

const isRoot = process.getuid?.() === 0;

export type NodeSandbox = { initPid: number; stop(): Promise<void> };

/** Resolves when sshd listens on all of its addresses, or with what it said when it does not. */
export async function startNodeSandbox(
  program: string,
  folder: string,
  addressCount: number,
): Promise<{ sandbox: NodeSandbox; said: string } | { sandbox: undefined; said: string }> {
  const args = [...describeSandbox(program, folder), '--', program, '-D', '-e', '-f', '/etc/ssh/sshd_config'];
  const child = spawn('bwrap', args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const information = child.stdio[3];
  if (
    child.stderr === null ||
    information === null ||
    information === undefined ||
    !('setEncoding' in information)
  )
    throw new Error('the output of the sandbox is not piped');
  let initPid = 0;
  let told = '';
  const pidTold = Promise.withResolvers<void>();
  information.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    initPid = Number(/"child-pid": (\d+)/.exec(told)?.[1] ?? 0);
    if (initPid > 0) pidTold.resolve();
  });
  const stop = createStop(child, closed, () => initPid);
  const lines: string[] = [];
  let listening = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.includes('Server listening on ')) listening += 1;
    if (listening === addressCount || line.includes('Address already in use')) break;
  }
  const said = lines.join('\n');
  // The two ways of the sandbox to this process are not in step.
  if (listening === addressCount) await Promise.race([pidTold.promise, closed]);
  if (listening === addressCount && initPid > 0) {
    child.stderr.resume();
    return { sandbox: { initPid, stop }, said };
  }
  await stop();
  return { sandbox: undefined, said };
}

function describeSandbox(program: string, folder: string): string[] {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const own = ['etc', 'home', 'opt', 'root', 'run', 'srv', 'tmp', 'var'].flatMap((name) => [
    '--bind',
    join(folder, name),
    `/${name}`,
  ]);
  const programFolder = program.startsWith('/usr/')
    ? []
    : ['--ro-bind', resolveDataFolder(process.env), resolveDataFolder(process.env)];
  return [
    ...[
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--die-with-parent',
      '--new-session',
      '--info-fd',
      '3',
    ],
    ...[
      '--hostname',
      'node',
      '--clearenv',
      '--setenv',
      'PATH',
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ],
    // Root keeps what it may do: sshd changes to the user who logs in.
    ...(isRoot ? ['--cap-add', 'ALL'] : ['--unshare-user']),
    ...['--ro-bind', '/usr', '/usr', ...links, '--proc', '/proc', '--dev', '/dev', ...own, ...programFolder],
  ];
}

/** The kernel ends all processes of the sandbox with its first one, and only then that one counts as ended. */
function createStop(
  child: ChildProcess,
  closed: Promise<unknown>,
  initPid: () => number,
): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const pid = initPid();
      if (pid > 0) process.kill(pid, 'SIGKILL');
      else child.kill('SIGKILL');
    }
    await closed;
  };
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

/** Those of the sandbox's namespace, but for its own first process and the SSH server. */
export async function listNodeProcesses(initPid: number): Promise<NodeProcess[]> {
  const namespace = await readlinkIfThere(`/proc/${initPid}/ns/pid`);
  if (namespace === undefined) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(initPid));
  const found = await Promise.all(
    pids.map(async (pid) =>
      (await readlinkIfThere(`/proc/${pid}/ns/pid`)) === namespace ? describeProcess(Number(pid)) : undefined,
    ),
  );
  return found
    .filter((process) => process !== undefined)
    .filter(({ cmd }) => !/^(\S*\/)?sshd(:| )/.test(cmd));
}

async function describeProcess(pid: number): Promise<NodeProcess | undefined> {
  try {
    const [command, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/environ`, 'utf8'),
    ]);
    // One that has ended and waits to be reaped has no command line any more.
    if (command === '') return undefined;
    const entries = environment
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry): [string, string] => {
        const end = entry.indexOf('=');
        return [entry.slice(0, end), entry.slice(end + 1)];
      });
    return { pid, cmd: command.replaceAll('\0', ' ').trim(), env: Object.fromEntries(entries) };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function readlinkIfThere(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Between two looks at /proc a process may end; those of others are closed to an ordinary user. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '');
}
