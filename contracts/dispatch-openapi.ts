// The OpenAPI document of the dispatch channel: its words and its examples.
import {
  dispatchCalls,
  dispatchCodes,
  dispatchErrorSchema,
  dispatchStatusOf,
  maxDispatchLogLines,
} from './dispatch-api.ts';
import { dispatchExamples } from './dispatch-examples.ts';
import type { ErrorCode } from './errors.ts';
import { createOpenApiDocument, type HttpErrorReplies, type OpenApiDocument } from './openapi.ts';

const description = `Runs Ansible content on nodes, over SSH.

Every call is a POST with a JSON body in UTF-8, whatever its content type, and carries \`X-CORRELATION-ID\` and
\`X-RESOURCE\`. It is answered with \`code\` 0 and a \`content\`, or with \`code\` -1 and a \`message\`; getlog is
answered with a bare list of at most ${maxDispatchLogLines} lines.

| message | HTTP status | |
| --- | --- | --- |
| json encode error | 400 | the body is not JSON in UTF-8 |
| param error, error: … | 400 | what of the request is missing or wrong, parted by "; " |
| task name is duplicate | 400 | a task has this name, which is never free again; its id is the \`id\` in \`content\` |
| task not found... | 404 | no task has this id or name, or the log has no such lines |
| any other | 401, 405, 413, 429, 500 | as it says |

| status of a task | meaning |
| --- | --- |
| 0 | waits |
| 1 | runs |
| 2 | succeeded |
| 3 | failed |
| 4 | stopped |
| 5 | succeeded on some of its nodes |

From 2 on a status never changes. Every reply carries \`X-Request-Id\`: the one of the request, or a new one.`;

const notes = {
  nodes:
    'IP addresses, each with or without a port: 10.0.0.1, 10.0.0.1:2222, [2001:db8::1]:2222. In the reply of check, a JSON list in a string.',
  user: 'The login on the nodes; null or empty: the one that is configured.',
  name: 'Each task has a name of its own. Of a node of parallel_run it is <node>_<name>.',
  tasks:
    'What to run: Ansible tasks, as a list, as JSON or YAML in a string, or as a list of {"action": {"module", "args"}}; or names of roles. This or content is required.',
  content: 'In a request the same as tasks. In a reply what came of it.',
  tasktype: 'Whether tasks are tasks or names of roles, where they do not say it themselves.',
  params: 'Variables: an object, or a JSON object in a string; null for none.',
  fork_num: 'Nodes at once, at least 1, at most what the service is configured for.',
  timeout: 'Seconds for the whole run; left out: as configured.',
  secrets: 'Further variables, whose values are blotted out wherever they appear in what comes back.',
  id: 'Of a task. Where a name is given, too, both have to be of the same task; 0 is none.',
  host: 'The address of a node, with its port if that is not 22.',
  source: 'The X-RESOURCE that the task was stored under.',
  code: '0 when all went well, else -1.',
  message: 'What went wrong.',
  create_time: 'When the task was stored, as in HTTP (RFC 9110).',
  update_time: 'When anything of the task changed last, as in HTTP (RFC 9110).',
  start_time: 'When its first step began, as in HTTP (RFC 9110); null before that.',
  end_time: 'When it was done, as in HTTP (RFC 9110); null before that.',
  err: 'What went wrong; null when nothing did.',
  log: 'A JSON list in a string, of {host, task, result, start, end, module, changed, …} for each step on each node, in the order in which they ended; the first MiB, and then {"omitted": count}.',
  status: '0 waits, 1 runs, 2 succeeded, 3 failed, 4 stopped, 5 succeeded on some of its nodes.',
  node_results: 'What became of each node, in the order of the request.',
  node: 'An IP address, with the port of its SSH server if that is not 22.',
  ok: 'Steps that went well.',
  changed: 'Steps that changed something.',
  failed: 'Steps that failed, or did not reach the node.',
  skipped: 'Steps that were skipped.',
  children: 'Of a task of parallel_run: the tasks of its nodes.',
};

const internal =
  'A fault of the service, or something that it needs is away or missing, as its message says.';

const errorReplies = {
  INVALID_REQUEST: reply('INVALID_REQUEST', 'The request is wrong, or the name of its task is taken.'),
  UNAUTHORIZED: reply('UNAUTHORIZED', 'The request carries no key that lets it in.'),
  NOT_FOUND: reply('NOT_FOUND', 'There is no such task, or the log has no such lines.'),
  PAYLOAD_TOO_LARGE: reply('PAYLOAD_TOO_LARGE', 'The body is too large.'),
  OVERLOADED: reply('OVERLOADED', 'The service has all it can hold; the same request may succeed later.'),
  INTERNAL: reply('INTERNAL', internal),
} satisfies HttpErrorReplies;

function reply(code: ErrorCode, told: string): { status: number; description: string } {
  return { status: dispatchStatusOf(code), description: told };
}

/** What `GET /openapi.json` of the service gives. */
export function createDispatchDocument(): OpenApiDocument {
  return createOpenApiDocument({
    title: 'Dispatch',
    description,
    calls: dispatchCalls,
    examples: dispatchExamples,
    notes,
    error: { schema: dispatchErrorSchema, example: errorExample, replies: errorReplies },
  });
}

const errorMessages: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'param error, error: nodes: is missing; name: is missing',
  UNAUTHORIZED: 'expected a key, as Authorization: Bearer or X-API-Key',
  NOT_FOUND: 'task not found...',
  PAYLOAD_TOO_LARGE: 'the body is larger than 4194304 bytes',
  OVERLOADED: '200 requests are being answered already',
  INTERNAL: 'the service failed; its log has the reason under this request id',
};

function errorExample(code: ErrorCode): unknown {
  return { code: dispatchCodes.failure, message: errorMessages[code] ?? '' };
}
