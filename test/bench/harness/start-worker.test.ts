import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { type BenchWorker, startWorker } from './start-worker.ts';

/** A worker of the text's making, in which `serveWork` and `z` are at hand. */
async function startScript(text: string): Promise<BenchWorker> {
  const folder = await makeFolder();
  const script = join(folder, 'worker.ts');
  const imports = [
    `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};`,
    `import { serveWork } from ${JSON.stringify(import.meta.resolve('./serve-work.ts'))};`,
  ];
  await writeFile(script, [...imports, text].join('\n'));
  return keepUntilTestEnd(await startWorker(script));
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-worker-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a worker does one thing after the other, and says what came of it', async () => {
  const worker = await startScript(
    'serveWork(z.number(), async (n) => ({ twice: 2 * n, pid: process.pid }));',
  );
  const output = z.object({ twice: z.number(), pid: z.literal(worker.pid) });
  expect(await worker.run(2, output)).toMatchObject({ twice: 4 });
  expect(await worker.run(3, output)).toMatchObject({ twice: 6 });
});

test('a fault of the work is the fault of the call, and the worker goes on', async () => {
  const worker = await startScript(
    `serveWork(z.number(), async (n) => { if (n === 0) throw new Error('nothing to do'); return n; });`,
  );
  await expect(worker.run(0, z.number())).rejects.toThrow('nothing to do');
  expect(await worker.run(1, z.number())).toBe(1);
});

test('what is no input of the worker is refused', async () => {
  const worker = await startScript('serveWork(z.number(), async (n) => n);');
  await expect(worker.run('one', z.number())).rejects.toThrow(/expected number/);
});

test('an answer of another shape is refused', async () => {
  const worker = await startScript(`serveWork(z.number(), async () => 'text');`);
  await expect(worker.run(1, z.number())).rejects.toThrow(/expected number/);
});

test('a worker that ends instead of answering fails the call', async () => {
  const worker = await startScript('serveWork(z.number(), async () => process.exit(3));');
  await expect(worker.run(1, z.number())).rejects.toThrow(/ended with 3/);
});

test('a worker that cannot start is told', async () => {
  await expect(startWorker(join(tmpdir(), 'no-such-worker.ts'))).rejects.toThrow(
    /no-such-worker.ts ended with 1/,
  );
});

test('a stop lets the worker end what it has open', async () => {
  const file = join(await makeFolder(), 'ended');
  const worker = await startScript(
    `import { writeFile } from 'node:fs/promises';
    serveWork(z.number(), async (n) => n, () => writeFile(${JSON.stringify(file)}, 'yes'));`,
  );
  await worker.stop();
  await worker.stop();
  await expect(rm(file)).resolves.toBeUndefined();
});
