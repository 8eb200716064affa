// A peer that is not installed is told and left out; whatever else is wrong with one fails the bench.
import { StackError } from '../../../infra/local-stack/stack-error.ts';
import type { BenchContext } from '../harness/bench.ts';

/** What `prepare` resolves with, kept until the end of the bench; undefined where its program is missing. */
export async function preparePeer<Peer extends { stop(): Promise<void> }>(
  name: string,
  { keep, report }: Pick<BenchContext, 'keep' | 'report'>,
  prepare: () => Promise<Peer>,
): Promise<Peer | undefined> {
  try {
    return keep(await prepare());
  } catch (error) {
    if (!(error instanceof StackError && error.code === 'PROGRAM_MISSING')) throw error;
    report(`without ${name}: ${error.message}`);
    return undefined;
  }
}

/** Whether a package can be imported here; throws when it is there and cannot be resolved. */
export function isInstalled(packageName: string): boolean {
  try {
    import.meta.resolve(packageName);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
}
