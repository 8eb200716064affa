// What programs that are no services of ours took of the processor.
import { readFile } from 'node:fs/promises';

/** 100 on every Linux that Node.js runs on (`getconf CLK_TCK`). */
const clockTicksPerSecond = 100;

/** Runs `work` and resolves with what its children took; null where the system does not tell. */
export async function measureChildrenCpu(work: () => Promise<void>): Promise<number | null> {
  const before = await childrenCpuMs();
  await work();
  const after = await childrenCpuMs();
  return before === null || after === null ? null : after - before;
}

/** Processor time of all children that have ended so far, milliseconds; null where there is no /proc. */
async function childrenCpuMs(): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const text = await readFile('/proc/self/stat', 'utf8');
  // The name of the program, in parentheses, may hold blanks: the third field is the first one behind it (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[13]) + Number(fields[14]);
  return (ticks / clockTicksPerSecond) * 1000;
}
