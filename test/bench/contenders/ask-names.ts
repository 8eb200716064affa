// Asks names at full load or at a pace; which way they are asked is the contender's.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Answers, Load } from './name-asker.ts';

/** What came of a name: null when it had the right answer, else what was wrong. */
export type AskedName = { fault: string | null; delayMs: number };

/** A timer of Node.js fires at whole milliseconds: what is due in one is begun together, as runs of an agent are. */
const tickMs = 1;
/** Of the meter of the event loop, which counts this period to its own lateness. */
const meterMs = 10;

/**
 * Asks `nameCount` names by their index, in turn, for `seconds`, and resolves when all that were asked have come to an
 * end. `done` is called once for each.
 */
export async function askNames(
  { load, seconds, nameCount }: { load: Load; seconds: number; nameCount: number },
  ask: (index: number, done: (asked: AskedName) => void) => void,
): Promise<Omit<Answers, 'sent'>> {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const answers = { asked: 0, answered: 0, failures: new Map<string, number>() };
  const delaysMs: number[] = [];
  const isPaced = load.kind === 'paced';
  let open = 0;
  let isEnding = false;
  let lastAskedAt = 0;

  function askNext(): void {
    const index = answers.asked % nameCount;
    answers.asked += 1;
    open += 1;
    ask(index, done);
  }

  function done({ fault, delayMs }: AskedName): void {
    open -= 1;
    if (fault === null) answers.answered += 1;
    else answers.failures.set(fault, (answers.failures.get(fault) ?? 0) + 1);
    if (isPaced && fault === null) delaysMs.push(delayMs);
    if (!isPaced && !isEnding) askNext();
    else if (open === 0 && isEnding) end();
  }

  const meter = monitorEventLoopDelay({ resolution: meterMs });
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  if (load.kind === 'paced') {
    meter.enable();
    const total = Math.round(load.perSecond * seconds);
    const timer = setInterval(() => {
      const due = Math.min(Math.floor(((performance.now() - startedAt) * load.perSecond) / 1000), total);
      isEnding = due === total;
      if (isEnding) clearInterval(timer);
      while (answers.asked < due) askNext();
      lastAskedAt = performance.now();
    }, tickMs);
  } else {
    setTimeout(() => {
      isEnding = true;
    }, seconds * 1000);
    for (let count = 0; count < load.inFlight; count += 1) askNext();
  }
  await isOver;
  meter.disable();
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const lag = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - meterMs, 0);
  return {
    asked: answers.asked,
    answered: answers.answered,
    failures: Object.fromEntries(answers.failures),
    elapsedMs,
    cpuMs: (user + system) / 1000,
    askingMs: isPaced ? lastAskedAt - startedAt : null,
    delaysMs,
    lagMs: isPaced ? { p99: lag(meter.percentile(99)), worst: lag(meter.max) } : null,
  };
}
