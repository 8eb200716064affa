// A program in a small world of its own: nothing but /usr and what it is given, and no process of it outlives its first one.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { systemErrorCode } from '../../../infra/error-text.ts';

export type Bind = { from: string; to: string; isWritable?: boolean; isOptional?: boolean };

export type SandboxCommand = {
  /** Absolute path of bubblewrap. */
  bwrap: string;
  program: string;
  args: readonly string[];
  env: Record<string, string>;
  /** Beside the system's own; the folder of work must be among them. */
  binds: readonly Bind[];
  folder?: string;
  /** Written to its standard input, which is empty without. */
  input?: string;
};

export type SandboxExit = { exitCode: number | null };

export type Sandbox = {
  /** Settles when all of its processes are gone and what they said is here. Never rejects. */
  readonly exited: Promise<SandboxExit>;
  /** At most the last 64 KiB. */
  output(): string;
  errors(): string;
  /** SIGINT to the program itself; SIGKILL where it has not begun. */
  interrupt(): void;
  /** SIGKILL to the program, and with it by the kernel to all that is in the sandbox. */
  kill(): void;
};

const maxKeptChars = 65_536;
/** Of its /tmp, which is memory. */
const temporaryOctets = 256 * 1024 * 1024;
/** Of each of its processes: a template can ask for as much as it likes. */
const maxMemoryOctets = 1024 * 1024 * 1024;
const ownFiles = fileURLToPath(new URL('etc/', import.meta.url));
const linkedFolders = ['bin', 'sbin', 'lib', 'lib32', 'lib64'];
const filesOfHost = [
  'ld.so.cache',
  'ld.so.conf',
  'localtime',
  'alternatives',
  'crypto-policies',
  'ssl/openssl.cnf',
];

/**
 * Waits for a word before the program begins. By then it dies with this process; before, if this one is gone, the word never
 * comes. Of all that runs on this machine it is the first to go where memory is short.
 */
const gate = [
  'echo 1000 2>/dev/null > /proc/self/oom_score_adj',
  `ulimit -v ${maxMemoryOctets / 1024}`,
  'echo >&4',
  'exec 4>&-',
  'read -r word && exec "$0" "$@"',
].join('; ');

/** Starts the program; a program that cannot be started ends at once, with what is wrong among its errors. */
export async function startSandbox(command: SandboxCommand): Promise<Sandbox> {
  const { bwrap, program, args, env, input } = command;
  const options = await describeSandbox(command);
  // The environment is handed on as it is: arguments can be seen by everybody on this machine.
  const child = spawn(bwrap, [...options, '--', '/bin/sh', '-c', gate, program, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const output = keepEnd(child.stdout);
  const errors = keepEnd(child.stderr);
  let isToDie = false;
  const information = keepEnd(child.stdio[3], () => {
    if (isToDie) signal('SIGKILL');
  });
  // The program may end before it has read all of its input.
  child.stdin.on('error', () => child.stdin.destroy());
  keepEnd(child.stdio[4], () => child.stdin.end(`go\n${input ?? ''}`));
  let isOver = false;
  const exited = waitForEnd(child, errors).then((exit) => {
    isOver = true;
    return exit;
  });

  /** The pid stays the program's until its end was seen here: bubblewrap waits for it, and ends after it. */
  function signal(name: 'SIGINT' | 'SIGKILL'): void {
    if (isOver || child.exitCode !== null || child.signalCode !== null) return;
    const pid = Number(/"child-pid": (\d+)/.exec(information.text())?.[1] ?? 0);
    if (pid === 0) {
      // Not bubblewrap itself: its child, which it is just making, could outlive it, and wait for a word from it for ever.
      isToDie = true;
      return;
    }
    try {
      process.kill(pid, name);
    } catch (error) {
      if (systemErrorCode(error) !== 'ESRCH') throw error;
    }
  }

  return {
    exited,
    output: output.text,
    errors: errors.text,
    interrupt: () => signal('SIGINT'),
    kill: () => signal('SIGKILL'),
  };
}

async function describeSandbox({ binds, folder = '/' }: SandboxCommand): Promise<string[]> {
  const options = [
    // Root inside is nobody outside, and here it is not even root inside.
    ...['--unshare-user', '--uid', '1000', '--gid', '1000', '--disable-userns', '--cap-drop', 'ALL'],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'probe'],
    // As the first process of its namespace the program can be signalled by itself, and takes all others along.
    ...['--die-with-parent', '--new-session', '--as-pid-1', '--info-fd', '3'],
    ...['--ro-bind', '/usr', '/usr', ...(await describeLinks())],
    ...['--proc', '/proc', '--dev', '/dev', '--size', String(temporaryOctets), '--tmpfs', '/tmp'],
  ];
  const system: Bind[] = [
    ...['passwd', 'group', 'nsswitch.conf', 'hosts'].map((name) => ({
      from: `${ownFiles}${name}`,
      to: `/etc/${name}`,
    })),
    ...filesOfHost.map((name) => ({ from: `/etc/${name}`, to: `/etc/${name}`, isOptional: true })),
  ];
  return [...options, ...[...system, ...binds].flatMap(describeBind), '--chdir', folder];
}

function describeBind({ from, to, isWritable = false, isOptional = false }: Bind): string[] {
  return [`--${isWritable ? '' : 'ro-'}bind${isOptional ? '-try' : ''}`, from, to];
}

/** `/bin` and the like are links into /usr on most systems, and folders on some. */
async function describeLinks(): Promise<string[]> {
  const described = await Promise.all(
    linkedFolders.map(async (name) => {
      try {
        const isLink = (await lstat(`/${name}`)).isSymbolicLink();
        return isLink
          ? ['--symlink', await readlink(`/${name}`), `/${name}`]
          : ['--ro-bind', `/${name}`, `/${name}`];
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return [];
        throw error;
      }
    }),
  );
  return described.flat();
}

type Readable = { on(event: 'data', listener: (chunk: Buffer) => void): unknown };

function keepEnd(
  stream: unknown,
  onAdded: () => void = () => undefined,
): { text(): string; add(text: string): void } {
  let kept = '';
  const add = (text: string): void => {
    kept = (kept + text).slice(-maxKeptChars);
    onAdded();
  };
  if (isReadable(stream)) stream.on('data', (chunk) => add(chunk.toString('utf8')));
  return { text: () => kept, add };
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'on' in stream;
}

async function waitForEnd(child: ChildProcess, errors: { add(text: string): void }): Promise<SandboxExit> {
  child.once('error', (error) => errors.add(error.message));
  // Without a process there is no `exit`, but `close` all the same.
  await once(child, 'close').catch((error: unknown) => errors.add(String(error)));
  return { exitCode: child.exitCode };
}
