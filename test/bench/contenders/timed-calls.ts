// The books of tasks that are called every second: has each second of each task its one call, which arrived once?
import { crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import { messageIdOf } from '../../../services/crontab/run/run-store.ts';
import type { Arrival } from './callback-sink.ts';

/** An entry of the log; times are milliseconds since the epoch. */
export type LoggedCall = {
  taskId: string;
  runId: string;
  try: number;
  runType: number;
  status: number;
  scheduledAt: number;
  beginAt: number;
};

/** From `fromMs` on, whole seconds. */
export type Stretch = { fromMs: number; seconds: number };

/** Milliseconds from the nominal time of each call of a stretch to its arrival, and to its beginning by the log. */
export type Lateness = { atSink: number[]; atBegin: number[] };

const secondMs = 1000;

/**
 * What is wrong with the calls of a stretch, and with arrivals at any time; empty when nothing is. `log` and `arrivals`
 * hold all there is, also of before and after.
 */
export function findCallFaults(
  taskIds: readonly string[],
  { fromMs, seconds }: Stretch,
  { log, arrivals }: { log: readonly LoggedCall[]; arrivals: readonly Arrival[] },
): string[] {
  const faults: string[] = [];
  const logged = new Map(log.map((call) => [messageIdOf(call.runId), call]));
  const arrivedAt = new Map<string, number>();
  for (const { id, atMs } of arrivals) {
    const call = logged.get(id);
    if (call === undefined) faults.push(`${id} arrived and is not in the log`);
    else if (atMs < call.scheduledAt)
      faults.push(`${describe(call)}: arrived ${call.scheduledAt - atMs} ms early`);
    if (arrivedAt.has(id)) faults.push(`${id} arrived twice`);
    arrivedAt.set(id, atMs);
  }
  const byTask = Map.groupBy(callsOf(log, { fromMs, seconds }), ({ taskId }) => taskId);
  for (const taskId of taskIds) {
    const calls = byTask.get(taskId) ?? [];
    const times = new Set(calls.map(({ scheduledAt }) => scheduledAt));
    for (let second = 0; second < seconds; second += 1) {
      const at = fromMs + second * secondMs;
      if (!times.delete(at)) faults.push(`task ${taskId} at ${new Date(at).toISOString()}: no call`);
    }
    for (const at of times) faults.push(`task ${taskId} at ${new Date(at).toISOString()}: none of its times`);
    if (calls.length > seconds) faults.push(`task ${taskId}: ${calls.length} calls in ${seconds} seconds`);
  }
  for (const call of callsOf(log, { fromMs, seconds })) {
    const { status, runType } = call;
    if (status !== crontabStatuses.succeeded) faults.push(`${describe(call)}: status ${status}`);
    if (runType !== crontabRunTypes.normal || call.try > 0) faults.push(`${describe(call)}: no first call`);
    if (!arrivedAt.has(messageIdOf(call.runId))) faults.push(`${describe(call)}: never arrived`);
  }
  return faults;
}

/** Of calls that `findCallFaults` found nothing wrong with. */
export function measureLateness(
  stretch: Stretch,
  { log, arrivals }: { log: readonly LoggedCall[]; arrivals: readonly Arrival[] },
): Lateness {
  const arrivedAt = new Map(arrivals.map(({ id, atMs }) => [id, atMs]));
  const calls = callsOf(log, stretch);
  return {
    atSink: calls.map(
      ({ runId, scheduledAt }) => (arrivedAt.get(messageIdOf(runId)) ?? Number.NaN) - scheduledAt,
    ),
    atBegin: calls.map(({ beginAt, scheduledAt }) => beginAt - scheduledAt),
  };
}

function callsOf(log: readonly LoggedCall[], { fromMs, seconds }: Stretch): LoggedCall[] {
  const untilMs = fromMs + seconds * secondMs;
  return log.filter(({ scheduledAt }) => scheduledAt >= fromMs && scheduledAt < untilMs);
}

function describe({ taskId, scheduledAt }: LoggedCall): string {
  return `task ${taskId} at ${new Date(scheduledAt).toISOString()}`;
}
