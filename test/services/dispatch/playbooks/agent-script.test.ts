// The script that manages an agent on its machine, here with agents that are quick to start.
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { repositoryFolder } from '../../../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram } from '../../../../infra/local-stack/run-program.ts';
import { until } from '../../../helpers/test-client.ts';

const programs = 'services/dispatch/playbooks/roles/probe_agent/files';
const readyAgent = `
import { createServer } from 'node:http';
createServer((_, response) => response.end()).listen(0, '127.0.0.1');
`;
const brokenAgent = `throw new Error('broken on purpose');`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'probe-task-agent-'));
  for (const name of ['incoming', 'deployments', 'settings', 'run', 'runtimes/node'])
    await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, 'manager'), `login=${userInfo().username}\nmanager=background\n`);
  await writeFile(join(directory, 'runtimes/node/node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  await chmod(join(directory, 'runtimes/node/node'), 0o755);
  await describeAgent('first');
});
afterEach(async () => {
  await tell('remove');
  await rm(directory, { recursive: true, force: true });
});

async function describeAgent(id: string): Promise<void> {
  await writeFile(join(directory, 'settings/environment.json'), JSON.stringify({ AGENT_ID: id }));
}

async function putRelease(name: string, main: string): Promise<void> {
  const release = join(directory, 'releases', name);
  await mkdir(join(release, 'services/agent'), { recursive: true });
  await cp(join(repositoryFolder, programs), join(release, programs), { recursive: true });
  await writeFile(join(release, 'package.json'), '{"type":"module"}');
  await writeFile(join(release, 'services/agent/main.ts'), main);
}

function deploy(release: string, seconds = 10): Promise<RunResult> {
  const script = join(repositoryFolder, programs, 'run-release.sh');
  return runProgram('sh', [script, directory, release, 'node', String(seconds)]);
}

function tell(...words: string[]): Promise<RunResult> {
  return runProgram('sh', [join(directory, 'probe-agent.sh'), ...words]);
}

async function report(...words: string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await tell(...words);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function findPid(): Promise<number> {
  const [pid] = (await readFile(join(directory, 'run/agent'), 'utf8')).split(' ');
  return Number(pid);
}

test('a release that does not become ready makes way for the one before it, with its settings', async () => {
  await putRelease('good', readyAgent);
  expect((await deploy('good')).exitCode).toBe(0);
  await putRelease('bad', brokenAgent);
  await describeAgent('second');
  const { exitCode, stderr } = await deploy('bad', 2);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('broken on purpose');
  expect(stderr).toContain('bad did not become ready within 2 s: good is running again\n');
  expect(await report('status')).toMatchObject({ state: 'running', release: 'good', agent: 'first' });
  expect(await readdir(join(directory, 'releases'))).toEqual(['good']);
});

test('long last words leave room for the conclusion, which is kept to 8 KiB with them', async () => {
  await putRelease(
    'loud',
    `for (let line = 0; line < 30; line += 1) console.error('said ' + 'x'.repeat(2000));`,
  );
  const { stderr } = await deploy('loud', 2);
  expect(stderr).toContain('said xxx');
  expect(stderr).toContain('loud did not become ready within 2 s, and is not running\n');
  expect(Buffer.byteLength(stderr)).toBeLessThan(8192);
});

test('a first release that does not become ready is not left running, and can be removed', async () => {
  await putRelease('bad', brokenAgent);
  const { exitCode, stderr } = await deploy('bad', 1);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('bad did not become ready within 1 s, and is not running\n');
  expect(await report('status')).toEqual({ changed: false, state: 'absent' });
  expect((await tell('start')).stderr).toContain('no agent is deployed');
  expect(await report('remove')).toEqual({ changed: true, state: 'absent' });
  await expect(readdir(directory)).rejects.toThrow('ENOENT');
});

test('a changed setting makes a new deployment of the same release; the same again changes nothing', async () => {
  await putRelease('good', readyAgent);
  await deploy('good');
  const first = await findPid();
  expect(JSON.parse((await deploy('good')).stdout)).toMatchObject({
    changed: false,
    agent: 'first',
    pid: first,
  });
  await describeAgent('second');
  expect(JSON.parse((await deploy('good')).stdout)).toMatchObject({ changed: true, agent: 'second' });
  expect(await findPid()).not.toBe(first);
});

test('the present release and the one before it are kept', async () => {
  for (const name of ['one', 'two', 'three']) {
    await putRelease(name, readyAgent);
    expect((await deploy(name)).exitCode).toBe(0);
  }
  expect((await readdir(join(directory, 'releases'))).sort()).toEqual(['three', 'two']);
  expect(await readdir(join(directory, 'deployments'))).toHaveLength(2);
});

test('an agent is stopped, started and restarted, each once', async () => {
  await putRelease('good', readyAgent);
  await deploy('good');
  expect(await report('stop')).toMatchObject({ changed: true, state: 'stopped', pid: null });
  expect(await report('stop')).toMatchObject({ changed: false, state: 'stopped' });
  expect(await report('start')).toMatchObject({ changed: true, state: 'running' });
  const started = await findPid();
  expect(await report('start')).toMatchObject({ changed: false, state: 'running', pid: started });
  expect(await report('restart')).toMatchObject({ changed: true, state: 'running' });
  expect(await findPid()).not.toBe(started);
});

test('an agent that was killed is started again', async () => {
  await putRelease('good', readyAgent);
  await deploy('good');
  const before = await findPid();
  // A pid of 0 would be the tests themselves.
  expect(before).toBeGreaterThan(1);
  process.kill(before, 'SIGKILL');
  await until(async () => (await findPid()) !== before);
  expect(await report('start')).toMatchObject({ changed: false, state: 'running' });
});

test('another program on its port does not make an agent ready', async () => {
  const other = createServer((_, response) => response.end());
  onTestFinished(() => void other.close());
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  await putRelease(
    'deaf',
    `import { createServer } from 'node:http';
     createServer().on('error', () => setInterval(() => undefined, 1000)).listen(${address.port}, '127.0.0.1');`,
  );
  const { exitCode, stderr } = await deploy('deaf', 1);
  expect(stderr).toContain('did not become ready');
  expect(exitCode).toBe(1);
});
