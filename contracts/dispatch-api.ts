// The HTTP calls of the dispatch channel: path, headers, request and reply of each.
import { z } from 'zod';
import {
  dispatchLogRequestSchema,
  dispatchRunRequestSchema,
  dispatchTaskKeySchema,
  dispatchTaskStateSchema,
} from './dispatch.ts';
import { type ErrorCode, errorCatalog } from './errors.ts';
import type { HttpCall, HttpCallHeader } from './http-call.ts';

/** `code` of every reply but that of `getlog`. */
export const dispatchCodes = { success: 0, failure: -1 } as const;

/** Lines of one reply of `getlog`. */
export const maxDispatchLogLines = 10_000;

/** Names of headers, in lower case. `source` has two: the document's, and the one that clients send. */
export const dispatchHeaders = { globalId: 'x-correlation-id', sources: ['x-resource', 'x-source'] } as const;

const headers: HttpCallHeader[] = [
  {
    name: 'X-CORRELATION-ID',
    description: 'The id that the lines of getlog are found by: up to 128 printable characters.',
    isRequired: true,
  },
  {
    name: 'X-RESOURCE',
    description:
      'Where the request comes from: up to 128 printable characters. This or X-SOURCE is required.',
    isRequired: false,
  },
  { name: 'X-SOURCE', description: 'The same as X-RESOURCE, under its older name.', isRequired: false },
];

function replyOf<Content extends z.ZodType>(content: Content) {
  return z.object({ code: z.literal(dispatchCodes.success), content });
}

/** HTTP status: 400 for what the request has wrong, 500 for whatever keeps the service from doing it. */
export function dispatchStatusOf(code: ErrorCode): number {
  if (code === 'CONFLICT') return errorCatalog.INVALID_REQUEST.status;
  return Math.min(errorCatalog[code].status, errorCatalog.INTERNAL.status);
}

/** Every reply that is an error. */
export const dispatchErrorSchema = z.object({
  code: z.literal(dispatchCodes.failure),
  message: z.string(),
  /** Of a name that is taken: the task that has it. */
  content: z.object({ id: z.int() }).optional(),
});

export const dispatchCalls = {
  run: {
    path: '/api/run',
    summary: 'Stores a task, which is run on all of its nodes.',
    headers,
    request: dispatchRunRequestSchema,
    reply: replyOf(z.object({ id: z.int() })),
  },
  stop: {
    path: '/api/stop',
    summary: 'Stops a task, and replies when nothing of it runs any more.',
    headers,
    request: dispatchTaskKeySchema,
    reply: replyOf(z.object({})),
  },
  check: {
    path: '/api/check',
    summary: 'Tells what became of a task so far.',
    headers,
    request: dispatchTaskKeySchema,
    reply: replyOf(dispatchTaskStateSchema),
  },
  getlog: {
    path: '/api/getlog',
    summary: 'Lists what Ansible did on a node: one line for each step, of the tasks of X-CORRELATION-ID.',
    headers,
    request: dispatchLogRequestSchema,
    reply: z.array(z.string()),
  },
  parallelRun: {
    path: '/api/parallel_run',
    summary: 'Stores a task for each of the nodes, and one that stands for all of them.',
    headers,
    request: dispatchRunRequestSchema,
    reply: replyOf(z.object({ id: z.int(), children: z.array(z.object({ id: z.int(), node: z.string() })) })),
  },
} as const satisfies Record<string, HttpCall>;
