// The role probe_agent as an operator runs it: ansible-playbook on real SSH hosts.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFolder, resolveDataFolder } from '../../../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram, runProgramOrThrow } from '../../../../infra/local-stack/run-program.ts';
import { createLogger } from '../../../../infra/logger.ts';
import {
  type AgentRelease,
  createAgentRelease,
} from '../../../../services/dispatch/release/agent-release.ts';
import { writeArchive } from '../../../../services/dispatch/release/write-archive.ts';
import { plainEnvironment } from '../../../helpers/processes.ts';
import { provideAnsible } from '../../../helpers/programs.ts';
import { type SshNodes, startSshNodes } from '../../../helpers/ssh-nodes.ts';

export type RollOut = SshNodes & {
  /** Of this repository as it is. */
  release: AgentRelease;
  /** Plays agents.yml on all nodes. */
  play(variables: Record<string, unknown>): Promise<PlayResult>;
  /** The release with other contents of some files, as an archive of that name. */
  alterRelease(name: string, files: Record<string, string>): Promise<string>;
};

/** `changed`: of each node, how many tasks changed something. */
export type PlayResult = RunResult & { changed: number[] };

const playTimeoutMs = 60_000;

export async function startRollOut(addresses: readonly string[]): Promise<RollOut> {
  await provideAnsible();
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-roll-out-'));
  const [nodes, release] = await Promise.all([
    startSshNodes({ addresses, folder: await makeFolder(folder, 'nodes') }),
    provideRelease(),
  ]);
  const inventory = join(folder, 'inventory');
  const hosts = nodes.nodes.map(
    ({ address, port }) => `${address} ansible_port=${port} ansible_user=${nodes.user}`,
  );
  await writeFile(inventory, `${hosts.join('\n')}\n`);
  const ssh = [
    ...['-F', 'none', '-i', nodes.keyFile, '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none'],
    ...['-o', `UserKnownHostsFile=${nodes.knownHostsFile}`, '-o', 'ControlMaster=auto'],
    ...['-o', 'ControlPersist=2', '-o', `ControlPath=${folder}/%C`],
  ];
  const env = {
    ...plainEnvironment(),
    LC_ALL: 'C.UTF-8',
    ANSIBLE_HOME: join(folder, 'ansible'),
    ANSIBLE_SSH_ARGS: ssh.join(' '),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
  };

  return {
    ...nodes,
    release,
    async play(variables) {
      const file = join(folder, 'variables.json');
      const archives = {
        probe_agent_release: release.release,
        probe_agent_runtime: release.runtime,
        // Strings of a run are never read as templates; the dispatch service says so in the same way.
        ...markUnsafe(variables),
      };
      await writeFile(file, JSON.stringify(archives), { mode: 0o600 });
      const playbook = join(repositoryFolder, 'services/dispatch/playbooks/agents.yml');
      const args = ['-i', inventory, playbook, '-e', `@${file}`];
      const result = await runProgram('ansible-playbook', args, { env, timeoutMs: playTimeoutMs });
      const changed = [...result.stdout.matchAll(/ changed=(\d+) /g)].map(([, count]) => Number(count));
      return { ...result, changed };
    },
    async alterRelease(name, files) {
      const content = await makeFolder(folder, name);
      await runProgramOrThrow('tar', ['-xzf', release.release, '-C', content]);
      for (const [file, text] of Object.entries(files)) await writeFile(join(content, file), text);
      const archive = join(folder, `${name}.tar.gz`);
      await writeArchive(archive, { folder: content, files: await readdir(content) }, 1);
      return archive;
    },
    async stop() {
      await nodes.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let provided: Promise<AgentRelease> | undefined;

/** Kept between the runs of the tests: compressing Node.js takes longer than all else here. */
export function provideRelease(): Promise<AgentRelease> {
  provided ??= createAgentRelease({
    folder: join(resolveDataFolder(process.env), 'test-releases'),
    logger: createLogger('test', 'silent'),
    compressionLevel: 1,
  }).provide();
  return provided;
}

function markUnsafe(value: Record<string, unknown>): Record<string, unknown> {
  const mark = (item: unknown): unknown => {
    if (typeof item === 'string') return { __ansible_unsafe: item };
    if (Array.isArray(item)) return item.map(mark);
    if (typeof item === 'object' && item !== null)
      return markUnsafe(Object.fromEntries(Object.entries(item)));
    return item;
  };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mark(item)]));
}

async function makeFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  return folder;
}
