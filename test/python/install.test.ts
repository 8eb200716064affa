// `pip install ./contracts/python` as a user does it, into a virtual environment of its own.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryFolder } from '../../infra/local-stack/data-folder.ts';
import { runProgram, runProgramOrThrow } from '../../infra/local-stack/run-program.ts';
import { providePython } from '../helpers/programs.ts';

const packageFolder = join(repositoryFolder, 'contracts/python');

async function listPackageFolder(): Promise<string[]> {
  const files = await readdir(packageFolder, { recursive: true });
  return files.filter((file) => !file.includes('__pycache__')).sort();
}

test('installs with its types and its command, and leaves nothing in the source tree', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-pip-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const environment = join(folder, 'venv');
  const python = await providePython();
  const sources = await listPackageFolder();
  // Without pip: some systems ship a Python that cannot put one into an environment.
  await runProgramOrThrow(python, ['-m', 'venv', '--without-pip', environment]);
  const own = join(environment, 'bin', 'python');
  await runProgramOrThrow(python, [
    '-m',
    'pip',
    '--python',
    own,
    'install',
    '--quiet',
    '--ignore-installed',
    packageFolder,
  ]);

  expect(await listPackageFolder()).toEqual(sources);
  const script = `
import importlib.resources, probe_task
print(probe_task.__file__)
print((importlib.resources.files("probe_task") / "py.typed").is_file())
print(sorted(entry.name for entry in importlib.resources.files("probe_task").iterdir() if entry.name.endswith(".py")))`;
  const options = { cwd: folder, env: { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1' } };
  const { stdout } = await runProgramOrThrow(own, ['-c', script], options);
  const [file, isTyped, modules] = stdout.split('\n');
  expect(file).toContain(environment);
  expect(isTyped).toBe('True');
  const expected = sources.filter((name) => /^src\/probe_task\/\w+\.py$/.test(name));
  expect(JSON.parse((modules ?? '').replaceAll("'", '"'))).toEqual(expected.map((name) => name.slice(15)));

  const command = join(environment, 'bin', 'probe-task');
  const refused = await runProgram(command, ['a.example', '--url', 'nats://127.0.0.1:1'], options);
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'UNAVAILABLE' } });
  expect(refused.exitCode).toBe(1);
}, 120_000);
