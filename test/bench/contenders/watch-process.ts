// What a service takes while it works: memory, and how long its event loop stands still.
import { setTimeout as pause } from 'node:timers/promises';
import { readMetric } from '../../helpers/read-metric.ts';

const lookEveryMs = 250;
const octetsPerMegabyte = 1e6;

export type ProcessPeak = {
  /** Resident memory. */
  memoryMb: number;
  /** Longest delay of a timer. */
  stallMs: number;
};

/** Resolves, when `work` has ended, with the highest values meanwhile. */
export async function watchProcess(metricsUrl: string, work: () => Promise<void>): Promise<ProcessPeak> {
  const peak = { memoryMb: 0, stallMs: 0 };
  async function look(): Promise<void> {
    // A scrape begins the next stretch of the event loop's delays.
    const stallS = await readMetric(metricsUrl, 'nodejs_eventloop_lag_max_seconds');
    const memory = await readMetric(metricsUrl, 'process_resident_memory_bytes');
    peak.stallMs = Math.max(peak.stallMs, stallS * 1000);
    peak.memoryMb = Math.max(peak.memoryMb, memory / octetsPerMegabyte);
  }
  let isOver = false;
  async function lookOn(): Promise<void> {
    while (!isOver) {
      await pause(lookEveryMs);
      await look();
    }
  }
  await readMetric(metricsUrl, 'nodejs_eventloop_lag_max_seconds');
  const looking = lookOn();
  try {
    await work();
  } finally {
    isOver = true;
    await looking;
  }
  return peak;
}
