// The programs that a play needs, and whether this machine lets them be put into a sandbox.
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { findOnPath } from '../../../infra/local-stack/find-program.ts';
import { type Bind, startSandbox } from './sandbox.ts';

export type Programs = {
  ansiblePlaybook: string;
  ssh: string;
  bwrap: string;
  /** What is installed outside of /usr. */
  binds: Bind[];
};

export type Toolchain = {
  /** What there is, or a text that says what is missing and how to get it. */
  provide(): Promise<Programs | string>;
};

const packages = 'install ansible-core (Debian: apt-get install ansible-core openssh-client bubblewrap)';
const faultLifeMs = 5000;

/** Looks again some seconds after something was missing; what is there is taken to stay. */
export function createToolchain(env: NodeJS.ProcessEnv): Toolchain {
  let found: Promise<Programs | string> | undefined;
  let isSettled = false;
  let goodUntil = 0;

  async function look(): Promise<Programs | string> {
    const programs = await findPrograms(env);
    const result = typeof programs === 'string' ? programs : ((await trySandbox(programs)) ?? programs);
    isSettled = true;
    goodUntil = typeof result === 'string' ? Date.now() + faultLifeMs : Number.POSITIVE_INFINITY;
    return result;
  }

  return {
    provide() {
      if (found === undefined || (isSettled && Date.now() >= goodUntil)) {
        isSettled = false;
        found = look().catch((error: unknown) => {
          found = undefined;
          throw error;
        });
      }
      return found;
    },
  };
}

async function findPrograms(env: NodeJS.ProcessEnv): Promise<Programs | string> {
  const names = ['ansible-playbook', 'ssh', 'bwrap'];
  const paths = await Promise.all(names.map((name) => findOnPath(name, env)));
  const [playbookLink, sshLink, bwrap] = paths;
  if (!playbookLink || !sshLink || !bwrap) {
    const missing = names.filter((_, index) => paths[index] === null);
    return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing: ${packages}`;
  }
  const [ansiblePlaybook, ssh] = [await realpath(playbookLink), await realpath(sshLink)];
  const binds: Bind[] = [];
  for (const program of [ansiblePlaybook, ssh]) {
    const folder = findInstallation(program);
    if (folder === undefined)
      return `${program} is outside of /usr and /opt, which is all that the sandbox shows: ${packages}`;
    if (folder !== '/usr') binds.push({ from: folder, to: folder });
  }
  return { ansiblePlaybook, ssh, bwrap, binds };
}

/** `/usr`, or `/opt/<name>`; undefined for anything else. */
function findInstallation(program: string): string | undefined {
  if (/^\/(usr|bin|sbin)\//.test(program)) return '/usr';
  return /^\/opt\/[^/]+(?=\/)/.exec(program)?.[0];
}

/** The reason that there can be no sandbox, or undefined. */
async function trySandbox({ bwrap, ansiblePlaybook, binds }: Programs): Promise<string | undefined> {
  const sandbox = await startSandbox({
    bwrap,
    program: '/bin/sh',
    args: ['-c', 'test -x "$0"', ansiblePlaybook],
    env: {},
    binds,
  });
  const { exitCode } = await sandbox.exited;
  if (exitCode === 0) return undefined;
  const said = sandbox.errors().trim() || `exit code ${exitCode}`;
  return `${basename(bwrap)} cannot set up a sandbox: ${said} (user namespaces have to be allowed for this user)`;
}
