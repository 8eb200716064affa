// ansible-playbook as one runs it by hand, with Ansible's own settings: each time with connections of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { plainEnvironment } from '../../helpers/processes.ts';
import type { SshNodes } from '../../helpers/ssh-nodes.ts';
import { verify } from '../harness/bench.ts';
import type { BenchRun } from './dispatch-content.ts';

/** Beyond this something hangs. */
const playLimitMs = 180_000;

export type BarePlaybook = {
  /** Plays the tasks; resolves with the milliseconds from start to end. Throws unless each one was ok on each node. */
  play(run: BenchRun): Promise<number>;
  /** Ends what still runs. */
  stop(): Promise<void>;
};

/** Keeps its files below `folder`. */
export function createBarePlaybook(
  folder: string,
  { keyFile, knownHostsFile, user }: Pick<SshNodes, 'keyFile' | 'knownHostsFile' | 'user'>,
): BarePlaybook {
  const running = new Set<ChildProcess>();

  return {
    async play({ nodes, tasks, params, forks }) {
      const home = await mkdtemp(join(folder, 'play-'));
      const inventory = join(home, 'inventory');
      const playbook = join(home, 'playbook.json');
      const variables = join(home, 'variables.json');
      const hosts = nodes.map(
        ({ address, port }) => `${address}-${port} ansible_host=${address} ansible_port=${port}`,
      );
      await writeFile(inventory, `${hosts.join('\n')}\n`);
      await writeFile(playbook, JSON.stringify([{ hosts: 'all', gather_facts: false, tasks }]));
      await writeFile(variables, JSON.stringify(params));
      await mkdir(join(home, 'cp'));
      const args = ['-i', inventory, '-f', String(forks), '-u', user, '--private-key', keyFile];
      const startedAt = performance.now();
      const child = spawn('ansible-playbook', [...args, '-e', `@${variables}`, playbook], {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        timeout: playLimitMs,
        killSignal: 'SIGKILL',
        env: {
          ...plainEnvironment(),
          HOME: home,
          LC_ALL: 'C.UTF-8',
          ANSIBLE_SSH_COMMON_ARGS: `-o UserKnownHostsFile=${knownHostsFile}`,
          // Sockets have short paths; those of an earlier play are not found here.
          ANSIBLE_SSH_CONTROL_PATH_DIR: join(home, 'cp'),
        },
      });
      running.add(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      // Connections that are kept open outlive it: 'close' would wait for them.
      await once(child, 'exit');
      const elapsedMs = performance.now() - startedAt;
      running.delete(child);
      await finished(child.stdout);
      const whole = new RegExp(` ok=${tasks.length} .*unreachable=0 +failed=0 +skipped=0 `, 'g');
      const count = [...output.matchAll(whole)].length;
      verify(child.exitCode === 0 && count === nodes.length, `ansible-playbook:\n${output.slice(-2000)}`);
      await rm(home, { recursive: true });
      return elapsedMs;
    },
    async stop() {
      const ends = [...running].map(async (child) => {
        const closed = once(child, 'exit');
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        await closed;
      });
      await Promise.all(ends);
    },
  };
}
