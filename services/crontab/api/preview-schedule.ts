// Tells the next times of a type and start_time; stores nothing.
import { crontabPreviewRequestSchema } from '../../../contracts/crontab-api.ts';
import { faultsOf, ProbeTaskError } from '../../../contracts/errors.ts';
import { parseSchedule } from '../schedule/parse-schedule.ts';
import { formatInZone, previewTimes } from '../schedule/preview.ts';
import { anchorAt, findNextTime } from './check-task.ts';
import { stateDetail } from './format-error.ts';
import { faultOf, type ItemFault } from './item-result.ts';

/** Throws `INVALID_REQUEST`, with the state of the fault, where a task with this schedule would be refused. */
export function previewSchedule(
  request: unknown,
  options: { timeZone: string; nowMs: number },
): { time_zone: string; times: string[] } {
  const parsed = crontabPreviewRequestSchema.safeParse(request);
  if (!parsed.success) throw refuse(faultOf(faultsOf(parsed.error)));
  const { type, start_time, count, time_zone: givenZone } = parsed.data;
  const { nowMs } = options;
  const timeZone = givenZone ?? options.timeZone;
  // As a stored task has it.
  const spec = { type, start_time: String(start_time), time_zone: timeZone, anchorMs: anchorAt(nowMs) };
  const schedule = parseSchedule(spec);
  if (!schedule.ok) throw refuse(faultOf([{ path: schedule.field, reason: schedule.reason }]));
  const next = findNextTime(schedule.times, nowMs);
  if (next.nextMs === undefined) throw refuse(next.fault);
  const times = previewTimes(schedule.times, { fromMs: next.nextMs - 1, count });
  return { time_zone: timeZone, times: times.map((atMs) => formatInZone(atMs, timeZone)) };
}

function refuse({ err, state }: ItemFault): ProbeTaskError {
  return new ProbeTaskError('INVALID_REQUEST', err, { [stateDetail]: state });
}
