// One bench with what it starts: whatever happens, nothing of it is left running.
import { join } from 'node:path';
import type { Stoppable } from '../../../infra/lifecycle.ts';
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
  const profiling = profileFolder === undefined ? undefined : `--cpu-prof --cpu-prof-dir=${profileFolder}`;
  const kept: Stoppable[] = [];
  function keep<Item extends Stoppable>(item: Item): Item {
    kept.push(item);
    return item;
  }
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  const onAbort = () => interrupt(new Error('interrupted'));
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    const work = bench.run({
      isQuick,
      platform,
      keep,
      report: (line) => report(`  ${line}`),
      startWorker: async (name) =>
        keep(await startWorker(join(import.meta.dirname, '..', 'workers', `${name}.ts`), profiling)),
      startService: async (name, env) =>
        keep(
          await spawnService(name, {
            LOG_LEVEL: 'warn',
            ...(profiling === undefined ? {} : { NODE_OPTIONS: profiling }),
            ...env,
          }),
        ),
    });
    const { figures, curves = [] } = await Promise.race([work, interrupted]);
    return { figures: figures.map((figure) => ({ bench: bench.name, ...figure })), curves };
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const item of kept.toReversed()) await item.stop();
  }
}
