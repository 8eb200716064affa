// Unpredictable 16-bit numbers for query ids and the choice of sockets.
import { randomFillSync } from 'node:crypto';

/** Numbers drawn per system call; one call per query would cost more than the rest of its encoding. */
const batchSize = 4096;

/** Returns a source of random integers 0–65535, drawn from the system's generator in batches (RFC 5452 section 9.2). */
export function createRandomIds(): () => number {
  const batch = new Uint16Array(batchSize);
  let next = batchSize;
  return () => {
    if (next === batchSize) {
      randomFillSync(batch);
      next = 0;
    }
    return batch[next++] ?? 0;
  };
}
