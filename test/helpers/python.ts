// A Python with the packages of test/requirements.txt, kept in the data folder.

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, systemErrorCode } from '../../infra/error-text.ts';
import { hasDebianTools } from '../../infra/local-stack/apt-archive.ts';
import { repositoryFolder, resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import { unpackDebianPackage } from '../../infra/local-stack/debian-package.ts';
import { withLock } from '../../infra/local-stack/file-lock.ts';
import { findInFolders, findOnPath } from '../../infra/local-stack/find-program.ts';
import { runProgram, runProgramOrThrow } from '../../infra/local-stack/run-program.ts';
import { StackError } from '../../infra/local-stack/stack-error.ts';

const requirementsFile = join(repositoryFolder, 'test', 'requirements.txt');
const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];

/**
 * The path of a Python executable that imports dnspython and nats-py in the versions of
 * test/requirements.txt. Installs them on the first call: a virtual environment, or where the machine's
 * Python cannot make one, a package folder beside a starter. Rejects with `PROGRAM_MISSING` and one line.
 */
export async function providePython(): Promise<string> {
  const folder = join(resolveDataFolder(process.env), 'python');
  const wanted = await describeWanted();
  const ready = await findReady(folder, wanted);
  if (ready !== null) return ready;
  return withLock(`${folder}.lock`, async () => {
    const installed = await findReady(folder, wanted);
    return installed ?? (await install(folder, wanted));
  });
}

/** Changes whenever the requirements or the folder's place do: virtual environments cannot be moved. */
async function describeWanted(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(requirementsFile));
  return hash.update(resolveDataFolder(process.env)).digest('hex');
}

async function findReady(folder: string, wanted: string): Promise<string | null> {
  try {
    if ((await readFile(join(folder, 'installed'), 'utf8')) !== wanted) return null;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const python = await findInFolders('python', [join(folder, 'bin')]);
  if (python === null) return null;
  // The machine's Python may have been upgraded under the environment.
  const check = await runProgram(python, ['-c', 'import dns.message, nats']);
  return check.exitCode === 0 ? python : null;
}

async function install(folder: string, wanted: string): Promise<string> {
  const python = await findOnPath('python3', process.env);
  if (python === null) {
    throw new StackError(
      'PROGRAM_MISSING',
      'python3 is missing: install it (Debian: apt-get install python3)',
    );
  }
  process.stderr.write('installing the Python packages of test/requirements.txt (once, a few seconds) …\n');
  const failures: string[] = [];
  for (const way of [installIntoEnvironment, installBesideStarter, installWithDebianPip]) {
    try {
      await rm(folder, { recursive: true, force: true });
      await way(python, folder);
      await writeFile(join(folder, 'installed'), wanted);
      return join(folder, 'bin', 'python');
    } catch (error) {
      failures.push(describeError(error));
    }
  }
  throw new StackError(
    'PROGRAM_MISSING',
    `the tests need a Python with venv or pip (Debian: apt-get install python3-venv) (${failures.join('; ')})`,
  );
}

async function installIntoEnvironment(python: string, folder: string): Promise<void> {
  await runProgramOrThrow(python, ['-m', 'venv', folder]);
  const own = join(folder, 'bin', 'python');
  await runProgramOrThrow(own, ['-m', 'pip', 'install', ...quiet, '-r', requirementsFile]);
}

/** Some systems ship Python without ensurepip, hence without working environments, but with pip. */
async function installBesideStarter(python: string, folder: string, env = process.env): Promise<void> {
  const packages = join(folder, 'packages');
  await mkdir(join(folder, 'bin'), { recursive: true });
  const target = ['--target', packages, '-r', requirementsFile];
  await runProgramOrThrow(python, ['-m', 'pip', 'install', ...quiet, ...target], { env });
  const starter = join(folder, 'bin', 'python');
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [
    '#!/bin/sh',
    `export PYTHONPATH=${quoted(packages)}"\${PYTHONPATH:+:$PYTHONPATH}"`,
    `exec ${quoted(python)} "$@"`,
    '',
  ];
  await writeFile(`${starter}.new`, lines.join('\n'));
  await chmod(`${starter}.new`, 0o755);
  await rename(`${starter}.new`, starter);
}

/** Debian keeps pip as a wheel of its own, and a wheel of pip runs where it lies. */
async function installWithDebianPip(python: string, folder: string): Promise<void> {
  if (!(await hasDebianTools(process.env))) throw new StackError('PROGRAM_MISSING', 'no pip and no apt');
  const root = await unpackDebianPackage('python3-pip-whl', { dataFolder: resolveDataFolder(process.env) });
  const wheels = join(root, 'usr', 'share', 'python-wheels');
  const pip = (await readdir(wheels)).find((name) => name.startsWith('pip-'));
  if (pip === undefined) throw new StackError('PROGRAM_MISSING', 'python3-pip-whl holds no pip');
  await installBesideStarter(python, folder, { ...process.env, PYTHONPATH: join(wheels, pip) });
}
