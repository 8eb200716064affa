import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { repositoryFolder } from '../../infra/local-stack/data-folder.ts';
import { spawnProgram, type TestProgramRun } from '../helpers/processes.ts';

const script = resolve(repositoryFolder, 'test/bench/main.ts');

function startBench(args: string[], env: Record<string, string> = {}): TestProgramRun {
  const run = spawnProgram(process.execPath, [script, ...args], {
    // Whatever a developer has set: benches load servers of their own.
    env: { NATS_URL: 'nats://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none', ...env },
  });
  onTestFinished(async () => {
    run.signal('SIGTERM');
    await run.exited;
  });
  return run;
}

const figure = z.strictObject({
  bench: z.literal('task-get'),
  metric: z.string(),
  ours: z.number().positive(),
  peer: z.string(),
  beside: z.number().positive(),
  unit: z.literal('ms'),
  ratio: z.number().positive(),
  target: z.string().nullable(),
  holds: z.boolean().nullable(),
  rounds: z.int().positive(),
  ours_spread: z.tuple([z.number(), z.number()]),
  beside_spread: z.tuple([z.number(), z.number()]),
});

test('a bench sets up what it needs, and prints one JSON object for each figure', async () => {
  const run = startBench(['task-get', '--quick', '--json']);
  expect((await run.exited).exitCode).toBe(0);
  const lines = run
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const figures = lines.map((line) => figure.parse(JSON.parse(line)));
  expect(figures.map(({ metric, target }) => [metric, target])).toContainEqual(['p50', '≤ 4 ×']);
}, 60_000);

test('a bench that is interrupted in its midst leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-interrupted-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // Postgres has to pass through here under another account.
  await chmod(folder, 0o711);
  const run = startBench(['task-get'], { TMPDIR: folder });
  await vi.waitUntil(async () => (await readdir(folder)).some((name) => name.includes('service')), {
    timeout: 15_000,
  });
  run.signal('SIGINT');
  expect((await run.exited).exitCode).toBe(130);
  // Every server and service has a folder there for as long as it runs.
  expect(await readdir(folder)).toEqual([]);
}, 60_000);
