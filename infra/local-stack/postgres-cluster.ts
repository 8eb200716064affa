// The files of one Postgres: made once, with a password of its own, and freed of what a killed run left behind.
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../error-text.ts';
import { isThere } from '../is-there.ts';
import { stopRecorded } from './child-record.ts';
import { commandInPlace, type PostgresPlace } from './postgres-account.ts';
import { identifyProcess } from './process-identity.ts';
import { runProgramOrThrow } from './run-program.ts';

export const postgresUser = 'probe';

export type PostgresCluster = { dataFolder: string; password: string };

/**
 * Returns the cluster in the place, and makes it first where there is none. A run of initdb that was cut short
 * leaves nothing that counts: the folder gets its name last.
 */
export async function prepareCluster(
  place: PostgresPlace,
  options: { isDurable: boolean; signal?: AbortSignal | undefined },
): Promise<PostgresCluster> {
  const dataFolder = join(place.folder, 'data');
  const passwordFile = join(place.folder, 'password');
  if (!(await isThere(join(dataFolder, 'PG_VERSION')))) {
    await createCluster(place, dataFolder, passwordFile, options);
  }
  return { dataFolder, password: (await readFile(passwordFile, 'utf8')).trim() };
}

async function createCluster(
  place: PostgresPlace,
  dataFolder: string,
  passwordFile: string,
  { isDurable, signal }: { isDurable: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const draft = `${dataFolder}.new`;
  const initialisation = commandInPlace(place, place.binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${postgresUser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of texts on every machine, whatever its locales.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(isDurable ? [] : ['--no-sync']),
  ]);
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  if (place.uid !== undefined) await runProgramOrThrow('chown', [`${place.uid}:${place.gid}`, passwordFile]);
  await runProgramOrThrow(initialisation.program, initialisation.args, { ...initialisation, signal });
  signal?.throwIfAborted();
  await rename(draft, dataFolder);
}

/**
 * Looks at the pid file of an earlier run. Its Postgres may still be there (the run was killed): it is stopped.
 * The pid may by now belong to another program, which Postgres itself cannot tell from a running server and
 * therefore refuses to start: the file is removed.
 */
export async function clearEarlierRun({ dataFolder }: PostgresCluster): Promise<void> {
  const pidFile = join(dataFolder, 'postmaster.pid');
  const pid = await readPid(pidFile);
  if (pid === null) return;
  const running = await identifyProcess(pid);
  if (running?.command.includes(dataFolder)) {
    await stopRecorded({ pid, startedAt: running.startedAt, stopSignal: 'SIGINT' });
  }
  await rm(pidFile, { force: true });
}

async function readPid(pidFile: string): Promise<number | null> {
  try {
    const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
