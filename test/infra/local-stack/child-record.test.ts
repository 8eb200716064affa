import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordChild, stopOrphans } from '../../../infra/local-stack/child-record.ts';
import { identifyProcess } from '../../../infra/local-stack/process-identity.ts';
import { spawnProgram } from '../../helpers/processes.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-record-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function spawnWaiting() {
  const script = 'console.log("waiting"); process.stdin.resume()';
  const run = spawnProgram(process.execPath, ['-e', script], { env: {} });
  await run.waitForLine(/^waiting$/);
  const identity = await identifyProcess(run.pid);
  if (identity === null) throw new Error('the process is gone');
  return { run, identity };
}

test('stops a recorded process that still runs, by the signal it asks for', async () => {
  const { run, identity } = await spawnWaiting();
  await recordChild(folder, {
    name: 'left',
    pid: run.pid,
    startedAt: identity.startedAt,
    stopSignal: 'SIGINT',
  });
  expect(await stopOrphans(folder)).toEqual(['left']);
  expect(await run.exited).toEqual({ exitCode: null, signal: 'SIGINT' });
  expect(await readdir(folder)).toEqual([]);
});

test('leaves a process alone that was given the pid of a recorded one', async () => {
  const { run } = await spawnWaiting();
  await recordChild(folder, { name: 'other', pid: run.pid, startedAt: 'long ago', stopSignal: 'SIGTERM' });
  expect(await stopOrphans(folder)).toEqual([]);
  expect(await identifyProcess(run.pid)).not.toBeNull();
  expect(await readdir(folder)).toEqual([]);
  run.signal('SIGKILL');
  await run.exited;
});
