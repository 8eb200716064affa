// The OpenAPI document of the crontab service: its words and its examples.
import { z } from 'zod';
import { crontabCalls, crontabStateOf } from './crontab-api.ts';
import { crontabExamples } from './crontab-examples.ts';
import type { ErrorCode } from './errors.ts';
import { createOpenApiDocument, type OpenApiDocument } from './openapi.ts';

const description = `Timed callbacks: a task says when, and what to call.

Every call is a POST with a JSON body in UTF-8, whatever its content type. Where a list of tasks is expected, a single
task is taken, too. A request that was understood is answered with \`state\` 0, and each of its tasks with a \`state\`
and an \`err\` of its own: a fault of one leaves the others alone.

| state | meaning |
| --- | --- |
| -1 | a fault of the service, or its database is away |
| 0 | ok |
| 1 | the request, or a field of the task |
| 2 | type |
| 3 | start_time or time_zone |
| 4 | what is to be called: url, method, body, resp_regexp, redo_param and the like |
| 5 | nothing has this task_id or name, or another task has this name |

| type | kind of times |
| --- | --- |
| 1 | once |
| 2 | at intervals |
| 3 | every hour |
| 4 | every day |
| 5 | every month |
| 6 | every year |
| 7 | every week |

Every reply carries \`X-Request-Id\`: the one of the request, or a new one.`;

const notes = {
  task_list: 'Tasks. In a request a single object is taken for a list of one.',
  task_id:
    'Decimal id as add_task gave it; in a request a number, too. It goes before the name; 0 and "" are none.',
  name: 'Each task has a name of its own. list_task takes a part of it, too, in any case.',
  new_name: 'The name from now on.',
  enable: '1 enabled, 2 disabled.',
  module: 'The caller’s own number for the part of its system that the task belongs to.',
  type: '1 once, 2 interval, 3 hourly, 4 daily, 5 monthly, 6 yearly, 7 weekly.',
  start_time:
    'Unix seconds or milliseconds, or cron fields from the second on (second minute hour day month weekday, the last may be left out), @daily and the like, or @every 1h30m.',
  time_zone:
    'IANA name: where the cron fields are meant. Left out: the service’s own. A TZ= before the fields goes before it.',
  url: 'post and get: http(s)://host:port/path; rpc: host:port/Service.Method; nats: a subject.',
  method: 'post, get, rpc (Go net/rpc/jsonrpc over TCP) or nats (a request on the bus); in any case.',
  resp_regexp: 'RE2, found anywhere in what comes back; empty and * mean anything.',
  body: 'Passed on; under body_type 1 it is JSON, under 2 a JSON object that is sent urlencoded.',
  body_type: '1 JSON, 2 form; left out: 1.',
  redo_param: 'Seconds between a failure and the next try, parted by blanks: "2 4 8".',
  tags: 'Words to find tasks by.',
  tag: 'Tasks that have this tag.',
  timeout: 'Seconds for one call, 10 unless given.',
  overlap:
    'What becomes of a time at which the run before it, with its retries, is still under way: left out, or called beside it. Unless given: skip.',
  misfire:
    'What becomes of a time at which the service was away: called late within misfire_window, or not if it is more than 5 seconds late. Unless given: fire.',
  misfire_window: 'Seconds, 3600 unless given.',
  delivery:
    'What happens when the service dies during a call: made again with the same webhook-id, or never. Unless given: at_least_once.',
  secret:
    'Key of the signature (Standard Webhooks): whsec_ and base64. Never told again; empty takes it away.',
  has_secret: 'Whether a secret is set.',
  next_time: 'ISO 8601, UTC; empty when no time lies ahead, or the task is disabled.',
  last_time: 'The latest time that was planned; ISO 8601, UTC, or empty.',
  created_time: 'ISO 8601, UTC.',
  updated_time: 'ISO 8601, UTC.',
  status:
    '1 under way, 2 succeeded, 3 failed, 4 skipped (the run before was still under way, or the task was disabled or deleted), 5 missed.',
  run_type: '1 at its time, 2 retry, 3 rerun.',
  from: 'Nominal times from here on: Unix seconds, or ISO 8601 with an offset.',
  to: 'Nominal times before this: Unix seconds, or ISO 8601 with an offset.',
  limit: 'Entries of a page, 100 unless given.',
  cursor: 'The next_cursor of the page before.',
  next_cursor: 'Where the next page starts; null on the last one.',
  count: 'How many times, 5 unless given.',
  times: 'ISO 8601 with the offset of the time zone; fewer where there are no more.',
  state: 'What went wrong, as the table says; 0 when nothing did.',
  msg: 'What went wrong with the request as a whole; empty when nothing did.',
  data: 'Counts when state is 0.',
  task_result: 'What became of the tasks, in the order of the request.',
  log_list: 'Calls, and times at which none was made, newest first.',
  err: 'What went wrong; empty when nothing did.',
  begin_time: 'ISO 8601, UTC.',
  end_time: 'ISO 8601, UTC; empty while the call is under way.',
  resp: 'What came back, the first 64 KiB.',
  scheduled_time: 'The nominal time, ISO 8601, UTC; of a rerun, when it was asked for.',
  run_id: 'webhook-id of the call: the same for all tries of one time.',
  try: '0 for the first call, one more for each retry.',
  resp_code: 'HTTP status; null when none came.',
  missed:
    'Times that an entry of status 5 stands for, from begin_time to end_time: counted up to a thousand, less far when many tasks are late at once.',
};

/** What `GET /openapi.json` of the service gives. */
export function createCrontabDocument(): OpenApiDocument {
  return createOpenApiDocument({
    title: 'Crontab',
    description,
    calls: crontabCalls,
    examples: crontabExamples,
    notes,
    error: {
      schema: z.object({ state: z.int(), msg: z.string(), data: z.object({}) }),
      example: errorExample,
    },
  });
}

const errorMessages: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'task_list: expected a list of tasks',
  UNAUTHORIZED: 'expected a key, as Authorization: Bearer or X-API-Key',
  PAYLOAD_TOO_LARGE: 'the body is larger than 16777216 bytes',
  OVERLOADED: '200 requests are being answered already',
  INTERNAL: 'the service failed; its log has the reason under this request id',
  UNAVAILABLE: 'the database is away',
};

function errorExample(code: ErrorCode): unknown {
  return { state: crontabStateOf(code), msg: errorMessages[code] ?? '', data: {} };
}
