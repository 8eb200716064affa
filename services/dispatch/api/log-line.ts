// One line of getlog, to the letter of the service's document.
import type { DispatchResult } from '../../../contracts/dispatch.ts';

export type LogLine = {
  globalId: string;
  source: string;
  startedAt: Date;
  endedAt: Date;
  host: string;
  result: DispatchResult;
};

/** `reuslt` is what the document says, and what readers of the lines look for. Times are in UTC. */
export function formatLogLine({ globalId, source, startedAt, endedAt, host, result }: LogLine): string {
  return [
    `global_id = ${globalId}`,
    `source = ${source}`,
    `create_time = ${formatSecond(startedAt)}`,
    `end_time = ${formatSecond(endedAt)}`,
    `host = ${host}`,
    `reuslt = ${result}`,
  ].join(', ');
}

/** ISO 8601 without a fraction. */
function formatSecond(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
