// How many files and sockets this process may have open.
import { readFileSync } from 'node:fs';

/** The soft limit (RLIMIT_NOFILE); infinite where the system does not tell, there EMFILE does. */
export function readDescriptorLimit(): number {
  if (process.platform !== 'linux') return Infinity;
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Infinity : Number(limit);
}
