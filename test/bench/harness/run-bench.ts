// One bench with what it starts: whatever happens, nothing of it is left running.
import { join, resolve } from 'node:path';
import { describeError } from '../../../infra/error-text.ts';
import type { Stoppable } from '../../../infra/lifecycle.ts';
import { tryAll } from '../../../infra/try-all.ts';
import { spawnService } from '../../helpers/processes.ts';
import type { Bench, Curve, Figure } from './bench.ts';
import type { Platform } from './platform.ts';
import { startWorker } from './start-worker.ts';

/** Runs it; rejects with its fault, and when the signal is aborted. */
export async function runBench(
  bench: Bench,
  options: {
    platform: Platform;
    isQuick: boolean;
    profileFolder: string | undefined;
    signal: AbortSignal;
    report: (line: string) => void;
  },
): Promise<{ figures: Figure[]; curves: Curve[] }> {
  const { platform, isQuick, profileFolder, signal, report } = options;
  const profiling = profileFolder && `--cpu-prof --cpu-prof-dir=${JSON.stringify(resolve(profileFolder))}`;
  const kept: Stoppable[] = [];
  const late: Promise<void>[] = [];
  let isEnding = false;
  /** What is still starting when the bench ends is stopped as soon as it has. */
  function keep<Item extends Stoppable>(item: Item): Item {
    if (!isEnding) {
      kept.push(item);
      return item;
    }
    late.push(item.stop());
    throw new Error('the bench has ended');
  }
  function refuseLate(): void {
    if (isEnding) throw new Error('the bench has ended');
  }
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  const onAbort = () => interrupt(new Error('interrupted'));
  signal.addEventListener('abort', onAbort);
  const starting = new Set<Promise<unknown>>();
  function start<Item extends Stoppable>(item: Promise<Item>): Promise<Item> {
    const kept = item.then(keep);
    starting.add(kept);
    return kept;
  }

  async function stopAll(): Promise<void> {
    isEnding = true;
    const steps = kept.toReversed().map((item) => () => item.stop());
    await tryAll([
      ...steps,
      async () => void (await Promise.allSettled(starting)),
      async () => void (await Promise.all(late)),
    ]);
  }

  try {
    signal.throwIfAborted();
    const work = bench.run({
      isQuick,
      platform,
      keep,
      report: (line) => report(`  ${line}`),
      async startWorker(name) {
        refuseLate();
        return start(startWorker(join(import.meta.dirname, '..', 'workers', `${name}.ts`), profiling));
      },
      async startService(name, env) {
        refuseLate();
        const options = profiling === undefined ? {} : { NODE_OPTIONS: profiling };
        return start(spawnService(name, { LOG_LEVEL: 'warn', ...options, ...env }));
      },
    });
    const { figures, curves = [] } = await Promise.race([work, interrupted]);
    await stopAll();
    return { figures: figures.map((figure) => ({ bench: bench.name, ...figure })), curves };
  } catch (error) {
    // Of a bench that has failed already a fault of the stop is told beside its own, and not instead of it.
    if (!isEnding)
      await stopAll().catch((fault: unknown) => report(`  ${bench.name}: ${describeError(fault)}`));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
