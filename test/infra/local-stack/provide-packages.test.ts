import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identifyProcess } from '../../../infra/local-stack/process-identity.ts';
import { ansiblePackages, providePackages } from '../../../infra/local-stack/provide-packages.ts';
import { runProgramOrThrow } from '../../../infra/local-stack/run-program.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';

let folder: string;
let reports: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-packages-'));
  reports = [];
  await mkdir(join(folder, 'path'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeProgram(name: string, script: string): Promise<void> {
  const path = join(folder, 'path', name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

/**
 * Stands for apt-get: notes its command and DEBIAN_FRONTEND in `calls`, then runs the script of the command (`update`,
 * `download` or `install`), which finds the test's folder in `$folder`. `add` makes the programs of the set.
 */
async function writeAptGet(scripts: { update?: string; download?: string; install?: string }): Promise<void> {
  const programs = ansiblePackages.packages
    .map(({ program }) => `'${join(folder, 'path', program)}'`)
    .join(' ');
  await writeProgram(
    'apt-get',
    `PATH=/usr/bin:/bin; folder='${folder}'
add() { for program in ${programs}; do printf '#!/bin/sh\\n' > "$program"; chmod +x "$program"; done; }
case "$*" in *--download-only*) kind=download ;; *' update') kind=update ;; *) kind=install ;; esac
echo "$kind \${*##*install} $DEBIAN_FRONTEND" | sed 's/update.*update/update/' >> "$folder/calls"
case $kind in
update) ${scripts.update ?? ':'} ;;
download) ${scripts.download ?? ':'} ;;
install) ${scripts.install ?? 'add'} ;;
esac`,
  );
}

async function readCalls(): Promise<string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n');
}

const provide = (options: { isRoot?: boolean; signal?: AbortSignal } = {}) =>
  providePackages(ansiblePackages, {
    dataFolder: join(folder, 'data'),
    // Nothing of this machine.
    env: { PATH: join(folder, 'path') },
    report: (line) => reports.push(line),
    isRoot: true,
    ...options,
  });

test('does nothing where everything is there', async () => {
  for (const { program } of ansiblePackages.packages) await writeProgram(program, 'exit 0');
  await provide({ isRoot: false });
  expect(reports).toEqual([]);
});

test('installs what is missing and only that, once for several callers at a time', async () => {
  await writeProgram('ssh', 'exit 0');
  await writeAptGet({});
  await Promise.all([provide(), provide(), provide()]);
  expect(await readCalls()).toEqual([
    'download  ansible-core bubblewrap noninteractive',
    'install  ansible-core bubblewrap noninteractive',
  ]);
  expect(reports).toEqual(['installing ansible-core, bubblewrap with apt-get (once, about half a minute) …']);
});

test('fetches package lists where those of the machine do not serve', async () => {
  await writeAptGet({
    update: 'touch "$folder/lists"',
    download: 'test -e "$folder/lists" || { echo "E: Unable to locate package ansible-core" >&2; exit 100; }',
  });
  await provide();
  expect((await readCalls()).map((call) => call.split(' ')[0])).toEqual([
    'download',
    'update',
    'download',
    'install',
  ]);
});

test('waits for another apt-get', async () => {
  await writeAptGet({
    update:
      'test -e "$folder/first" || { echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100; }',
    download:
      'test -e "$folder/first" && exit 0; test "$(grep -c download "$folder/calls")" -gt 2 && touch "$folder/first"; exit 100',
  });
  await provide();
  expect((await readCalls()).at(-1)).toMatch(/^install/);
});

describe('says in one line what is lost, how to get it, and why it failed', () => {
  test.each([
    [
      'offline',
      {
        update: 'echo "W: Failed to fetch of-the-archive  Temporary failure resolving" >&2',
        download: 'echo "E: Unable to locate package ansible-core" >&2; exit 100',
      },
      'apt-get: Failed to fetch of-the-archive  Temporary failure resolving; Unable to locate package ansible-core',
    ],
    [
      'a package that does not unpack',
      {
        install: 'echo "Selecting"; echo "E: Sub-process /usr/bin/dpkg returned an error code (1)"; exit 100',
      },
      'apt-get: Sub-process /usr/bin/dpkg returned an error code (1)',
    ],
    ['programs in another place', { install: ':' }, 'apt-get installed them somewhere else'],
  ])('%s', async (_case, scripts, reason) => {
    await writeAptGet(scripts);
    await expect(provide()).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: `the dispatch channel runs nothing without ansible-playbook, bwrap, ssh: install it (Debian, as root: apt-get install ansible-core bubblewrap openssh-client) (${reason})`,
    });
  });

  test.each([
    ['not root', true, false],
    ['not Debian', false, true],
  ])('%s', async (_case, hasApt, isRoot) => {
    if (hasApt) await writeAptGet({});
    await writeProgram('ssh', 'exit 0');
    await expect(provide({ isRoot })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message:
        'the dispatch channel runs nothing without ansible-playbook, bwrap: install it (Debian, as root: apt-get install ansible-core bubblewrap)',
    });
    expect(reports).toEqual([]);
  });
});

describe('a stop', () => {
  const marked = 'echo $$ > "$folder/pid.new"; mv "$folder/pid.new" "$folder/pid"';

  async function readPid(): Promise<number> {
    const pid = await waitUntil(() => readFile(join(folder, 'pid'), 'utf8').then(Number, () => null), {
      timeoutMs: 10_000,
    });
    if (pid === null) throw new Error('the stand-in did not start');
    return pid;
  }

  test('ends the download at once, with all that belongs to it', async () => {
    await writeAptGet({ download: `${marked}; sleep 60 & wait` });
    const stopping = new AbortController();
    const provided = provide({ signal: stopping.signal });
    const pid = await readPid();
    stopping.abort(new Error('stopped'));
    await expect(provided).rejects.toThrow('stopped');
    expect(await identifyProcess(pid)).toBeNull();
  });

  test('lets the unpacking finish', async () => {
    await writeAptGet({ install: `${marked}; read line < "$folder/go"; add` });
    await runProgramOrThrow('mkfifo', [join(folder, 'go')]);
    const stopping = new AbortController();
    const provided = provide({ signal: stopping.signal });
    const pid = await readPid();
    stopping.abort(new Error('stopped'));
    expect(await identifyProcess(pid)).not.toBeNull();
    await writeFile(join(folder, 'go'), 'on\n');
    await provided;
  });
});
