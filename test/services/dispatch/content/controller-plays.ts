// Plays of the real ansible-playbook without any guard: what content does to the machine that runs Ansible.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JsonValue } from '../../../../services/dispatch/content/json.ts';

export type ControllerPlay = { tasks: JsonValue; variables?: Record<string, JsonValue> };

const reach = {
  here: 'ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"',
  away: 'ansible_host=127.0.0.1 ansible_port=1',
};

/** An empty folder that is removed after the present test. */
export async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dispatch-content-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Runs each list of tasks as a play of its own, on a node of its own, and returns what Ansible printed. Nodes that are `here` are
 * this machine; those that are `away` cannot be reached, so that all that happens, happens on the machine that runs Ansible.
 * Failing tasks fail nothing but their own play; a play that cannot be read fails all.
 */
export async function runOnController(
  folder: string,
  plays: ControllerPlay[],
  nodes: 'here' | 'away',
): Promise<string> {
  const playbook = plays.map(({ tasks, variables = {} }, index) => ({
    hosts: `node${index}`,
    gather_facts: false,
    vars: variables,
    // A play without a node that is left ends all of them.
    ignore_unreachable: true,
    tasks: [{ block: tasks, rescue: [{ debug: { msg: 'failed' } }] }],
  }));
  await mkdir(join(folder, 'home'), { recursive: true });
  await writeFile(join(folder, 'play.json'), JSON.stringify(playbook));
  await writeFile(
    join(folder, 'nodes.ini'),
    plays.map((_, index) => `node${index} ${reach[nodes]}\n`).join(''),
  );
  const env = {
    PATH: process.env.PATH,
    HOME: join(folder, 'home'),
    LC_ALL: 'C.UTF-8',
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_TRANSPORT: 'ssh',
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_RETRY_FILES_ENABLED: '0',
  };
  return new Promise((resolve, reject) => {
    execFile(
      'ansible-playbook',
      ['--inventory', 'nodes.ini', 'play.json'],
      { cwd: folder, env, timeout: 90_000, maxBuffer: 4 * 1024 * 1024 },
      (error, stdout, stderr) => {
        // 2 and 4: some play failed, or its node was away. Others say that nothing, or not all, was run.
        const hasRun = error === null || error.code === 2 || error.code === 4;
        if (hasRun) resolve(stdout);
        else reject(new Error(`ansible-playbook: ${error.message}\n${stdout}\n${stderr}`));
      },
    );
  });
}
