// What the service keeps on its machine: the key that it logs in with, and the key of the seal.
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../infra/config.ts';
import { systemErrorCode } from '../../infra/error-text.ts';
import { isThere } from '../../infra/is-there.ts';
import { withLock } from '../../infra/local-stack/file-lock.ts';
import { findOnPath } from '../../infra/local-stack/find-program.ts';
import { runProgram } from '../../infra/local-stack/run-program.ts';
import type { Logger } from '../../infra/logger.ts';

const sealKeyOctets = 32;
export const minSealKeyLength = 32;

/**
 * The secret of `seal.key` in the folder, made when there is none. Two that start at once come by the same one. Throws where
 * what stands there is too short to be one: a file that a crash left empty, say.
 */
export function provideSealKey(folder: string): string {
  const path = join(folder, 'seal.key');
  // Not by pid: those of two containers may be the same.
  const draft = `${path}.${randomUUID()}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(draft, `${randomBytes(sealKeyOctets).toString('base64url')}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  const key = readFileSync(path, 'utf8').trim();
  if (key.length < minSealKeyLength)
    throw new ConfigError([`${path}: expected at least ${minSealKeyLength} characters`]);
  return key;
}

export type OwnFiles = {
  /** Makes the folder what it has to be: closed to others, with a place for roles. */
  start(): Promise<void>;
  /** Makes an Ed25519 key to log in with, unless there is one. Resolves with the reason why there is none, if so. */
  provideKey(): Promise<string | undefined>;
};

export function createOwnFiles(options: {
  folder: string;
  sshKeyFile: string;
  rolesFolder: string;
  env: NodeJS.ProcessEnv;
  logger: Logger;
}): OwnFiles {
  const { folder, sshKeyFile, rolesFolder, env, logger } = options;

  async function makeKey(): Promise<string | undefined> {
    if (await isThere(sshKeyFile)) return undefined;
    const keygen = await findOnPath('ssh-keygen', env);
    if (keygen === null)
      return 'ssh-keygen is missing: install OpenSSH (Debian: apt-get install openssh-client)';
    await mkdir(dirname(sshKeyFile), { recursive: true });
    const made = await runProgram(keygen, [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      'probe-task',
      '-f',
      sshKeyFile,
    ]);
    if (made.exitCode !== 0) return `there is no key to log in with: ${made.stderr.trim()}`;
    logger.info({ key: `${sshKeyFile}.pub` }, 'made a key to log in with: nodes have to let it in');
    return undefined;
  }

  return {
    async start() {
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o700);
      await mkdir(rolesFolder, { recursive: true });
    },
    // OpenSSH may be installed while the service runs already.
    async provideKey() {
      return (await isThere(sshKeyFile)) ? undefined : withLock(join(folder, 'key.lock'), makeKey);
    },
  };
}
