import { expect, onTestFinished, test } from 'vitest';
import type { Bench } from './bench.ts';
import { verify } from './bench.ts';
import { figureOf } from './compare.ts';
import { createPlatform } from './platform.ts';
import { runBench } from './run-bench.ts';

function run(work: Bench['run'], signal = new AbortController().signal) {
  const platform = createPlatform();
  onTestFinished(() => platform.stop());
  const lines: string[] = [];
  const running = runBench(
    { name: 'some', summary: 'something', run: work },
    { platform, isQuick: true, profileFolder: undefined, signal, report: (line) => lines.push(line) },
  );
  return { running, lines };
}

const lag = figureOf({ metric: 'lag', unit: 'ms', ours: [1] });

test('figures bear the name of their bench', async () => {
  const { running } = run(async () => ({ figures: [lag] }));
  expect(await running).toEqual({ figures: [{ bench: 'some', ...lag }], curves: [] });
});

test('what was kept is stopped, the latest first', async () => {
  const stopped: string[] = [];
  const { running } = run(async ({ keep }) => {
    for (const name of ['first', 'second']) keep({ stop: async () => void stopped.push(name) });
    return { figures: [lag] };
  });
  await running;
  expect(stopped).toEqual(['second', 'first']);
});

test('a wrong result fails the bench, which stops what it started all the same', async () => {
  let isStopped = false;
  const { running } = run(async ({ keep }) => {
    keep({
      stop: async () => {
        isStopped = true;
      },
    });
    verify(1 + 1 === 3, '2 answers of 3');
    return { figures: [lag] };
  });
  await expect(running).rejects.toThrow('2 answers of 3');
  expect(isStopped).toBe(true);
});

test('an interrupted bench stops what it started', async () => {
  const interrupt = new AbortController();
  const begun = Promise.withResolvers<void>();
  let isStopped = false;
  const { running } = run(({ keep }) => {
    keep({
      stop: async () => {
        isStopped = true;
      },
    });
    begun.resolve();
    return new Promise(() => undefined);
  }, interrupt.signal);
  await begun.promise;
  interrupt.abort();
  await expect(running).rejects.toThrow('interrupted');
  expect(isStopped).toBe(true);
});

test('what is kept after the end is stopped at once, and the bench does not go on', async () => {
  const interrupt = new AbortController();
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  const { running } = run(async ({ keep }) => {
    begun.resolve();
    await ended.promise;
    keep({ stop: async () => late.resolve() });
    throw new Error('not reached');
  }, interrupt.signal);
  await begun.promise;
  interrupt.abort();
  await expect(running).rejects.toThrow('interrupted');
  ended.resolve();
  await late.promise;
});

test('a stop that fails keeps nothing else from being stopped, and is told beside the fault of the bench', async () => {
  const stopped: string[] = [];
  const { running, lines } = run(async ({ keep }) => {
    keep({ stop: async () => void stopped.push('first') });
    keep({ stop: () => Promise.reject(new Error('gateway ended with exit code 1')) });
    keep({ stop: async () => void stopped.push('last') });
    throw new Error('2 answers of 3');
  });
  await expect(running).rejects.toThrow('2 answers of 3');
  expect(stopped).toEqual(['last', 'first']);
  expect(lines).toEqual([expect.stringContaining('gateway ended with exit code 1')]);
});

test('a bench whose service does not stop as it should has failed', async () => {
  let isStopped = false;
  const { running } = run(async ({ keep }) => {
    keep({
      stop: async () => {
        isStopped = true;
      },
    });
    keep({ stop: () => Promise.reject(new Error('gateway ended with exit code 1')) });
    return { figures: [lag] };
  });
  await expect(running).rejects.toThrow('gateway ended with exit code 1');
  expect(isStopped).toBe(true);
});

test('its lines are told below its own', async () => {
  const { running, lines } = run(async ({ report }) => {
    report('zdns is missing');
    return { figures: [] };
  });
  await running;
  expect(lines).toEqual(['  zdns is missing']);
});
