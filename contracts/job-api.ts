// The HTTP calls of the job service: path, request and reply of each (spec/async-job.rst).
import { z } from 'zod';
import { type ErrorCode, errorCatalog } from './errors.ts';
import type { HttpCall, HttpCallHeader } from './http-call.ts';
import {
  idempotencyKeySchema,
  type JobType,
  jobIdSchema,
  jobRequestSchemas,
  jobStates,
  jobTypeSchema,
} from './job.ts';
import { pathReplySchema } from './path-reply.ts';
import { oneShootVerboseReplySchema } from './probe.ts';
import { textSchema } from './text.ts';

/** In lower case. */
export const idempotencyKeyHeader = 'idempotency-key';
const headers: HttpCallHeader[] = [
  {
    name: 'Idempotency-Key',
    description:
      'The caller’s own name for the submission, which may then be repeated: the same as idempotency_key in the body of submit.',
    isRequired: false,
  },
];

/** What a submission is of: a type of job; one that its body names; or one of the two that share a path. */
export type SubmittedAs = JobType | 'submit' | 'bod_reoptimise';

const keyShape = { idempotency_key: idempotencyKeySchema.nullish() };

/** What a submission has besides the request of its type. */
export const submissionSchema = z.object({ type: jobTypeSchema, ...keyShape });

/** The body of a submission that names its type. */
export const typedSubmissionSchemas = {
  bod_pasta: jobRequestSchemas.bod_pasta.extend({ type: z.literal('bod_pasta'), ...keyShape }),
  nonbod_pasta: jobRequestSchemas.nonbod_pasta.extend({ type: z.literal('nonbod_pasta'), ...keyShape }),
  bod_modified: jobRequestSchemas.bod_modified.extend({ type: z.literal('bod_modified'), ...keyShape }),
  bod_reopt: jobRequestSchemas.bod_reopt.extend({ type: z.literal('bod_reopt'), ...keyShape }),
  nonbod_reopt: jobRequestSchemas.nonbod_reopt.extend({ type: z.literal('nonbod_reopt'), ...keyShape }),
  bod_congest_reopt: jobRequestSchemas.bod_congest_reopt.extend({
    type: z.literal('bod_congest_reopt'),
    ...keyShape,
  }),
  dns_result: jobRequestSchemas.dns_result.extend({ type: z.literal('dns_result'), ...keyShape }),
} as const satisfies Record<JobType, z.ZodType>;

/** An empty list, where the document has one instead of an object, or of a text. */
const noneSchema = z.array(z.never()).max(0);

/** What every reply has that is no error. */
function replyOf<Data extends z.ZodType>(data: Data) {
  return z.object({ status: z.literal(true), info: noneSchema, data });
}

/** Every reply that is an error. */
export const jobErrorSchema = z.object({
  status: z.literal(false),
  info: z.object({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
  data: z.object({}).strict(),
});
export type JobError = z.infer<typeof jobErrorSchema>;

/** What a body says of an error. */
export function jobErrorOf(code: ErrorCode, message: string, details?: Record<string, unknown>): JobError {
  const { retryable } = errorCatalog[code];
  const info = { code, message, retryable, ...(details === undefined ? {} : { details }) };
  return { status: false, info, data: {} };
}

const stateSchema = z.enum(jobStates, { error: `expected one of ${jobStates.join(', ')}` });

/** Why it failed; an empty list unless it did. */
const jobInfoSchema = z.union([noneSchema, z.string()]);

/** What came of a probe whose cells are too many for one reply. */
export const dnsJobReplySchema = z.object({
  info: z.object({}).strict(),
  data: oneShootVerboseReplySchema,
});

/** `task_state` is in the document's example, `task_status` in its table: both are the same. */
export const jobStatusSchema = z.object({
  task_id: z.string(),
  task_state: stateSchema,
  task_status: stateSchema,
  info: jobInfoSchema,
  data: z.union([noneSchema, pathReplySchema, dnsJobReplySchema]),
});

/** An id as a caller gives it: no task has one that is no UUID. */
const taskIdSchema = textSchema(255).min(1, 'is empty');
export const jobStatusRequestSchema = z.object({ task_id: taskIdSchema, type: jobTypeSchema });
export const jobCancelRequestSchema = z.object({ task_id: taskIdSchema });

/** In a query every value is a text. */
export const jobListRequestSchema = z.object({
  type: jobTypeSchema.optional(),
  state: stateSchema.optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'expected 1 to 1000')
    .optional()
    .transform((limit) => Number(limit ?? 100)),
  cursor: z.string().max(500).optional(),
});
export type JobListRequest = z.infer<typeof jobListRequestSchema>;

export const jobEntrySchema = z.object({
  task_id: z.string(),
  type: jobTypeSchema,
  task_state: stateSchema,
  info: jobInfoSchema,
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
});
export type JobEntry = z.infer<typeof jobEntrySchema>;

const submittedReply = replyOf(z.object({ task_id: jobIdSchema }));

export const jobCalls = {
  checkStatus: {
    method: 'GET',
    path: '/api/job/check_status',
    summary: 'Tells the state of a task, and what came of it.',
    request: jobStatusRequestSchema,
    replyBody: 'octets',
    reply: replyOf(jobStatusSchema),
  },
  submit: {
    path: '/api/job/submit',
    summary: 'Submits a task of any type.',
    headers,
    body: 'octets',
    request: z.discriminatedUnion('type', [
      typedSubmissionSchemas.bod_pasta,
      typedSubmissionSchemas.nonbod_pasta,
      typedSubmissionSchemas.bod_modified,
      typedSubmissionSchemas.bod_reopt,
      typedSubmissionSchemas.nonbod_reopt,
      typedSubmissionSchemas.bod_congest_reopt,
      typedSubmissionSchemas.dns_result,
    ]),
    reply: submittedReply,
  },
  asyncBodPasta: {
    path: '/pasta/async_bod_pasta',
    aliases: ['/api/pasta/async_bod_pasta'],
    summary: 'Looks for a path with reserved bandwidth: a task of type bod_pasta.',
    headers,
    body: 'octets',
    request: jobRequestSchemas.bod_pasta,
    reply: submittedReply,
  },
  asyncBodModified: {
    method: 'PUT',
    path: '/pasta/async_bod_pasta',
    aliases: ['/api/pasta/async_bod_pasta'],
    summary: 'Looks for a new path of a changed policy: a task of type bod_modified.',
    headers,
    body: 'octets',
    request: jobRequestSchemas.bod_modified,
    reply: submittedReply,
  },
  asyncNonbodPasta: {
    path: '/pasta/async_nonbod_pasta',
    aliases: ['/api/pasta/async_nonbod_pasta'],
    summary: 'Looks for a path without reservation: a task of type nonbod_pasta.',
    headers,
    body: 'octets',
    request: jobRequestSchemas.nonbod_pasta,
    reply: submittedReply,
  },
  asyncBodReoptimize: {
    path: '/reopt/async_bod_reoptimize',
    aliases: ['/api/reopt/async_bod_reoptimize'],
    summary:
      'Looks for new paths of all policies with reserved bandwidth, a task of type bod_reopt; with congested_link for ways around links, a task of type bod_congest_reopt.',
    headers,
    body: 'octets',
    request: z.union([jobRequestSchemas.bod_congest_reopt, jobRequestSchemas.bod_reopt]),
    reply: submittedReply,
  },
  asyncNonbodReoptimize: {
    path: '/reopt/async_nonbod_reoptimize',
    aliases: ['/api/reopt/async_nonbod_reoptimize'],
    summary: 'Looks for new paths of all policies without reservation: a task of type nonbod_reopt.',
    headers,
    body: 'octets',
    request: jobRequestSchemas.nonbod_reopt,
    reply: submittedReply,
  },
  cancel: {
    path: '/api/job/cancel',
    // Unlike a submission it is read where everybody is served.
    bodyLimit: 64 * 1024,
    summary: 'Cancels a task, and replies when it has ended, or after 10 seconds.',
    request: jobCancelRequestSchema,
    reply: replyOf(z.object({ task_id: z.string(), task_state: stateSchema })),
  },
  list: {
    method: 'GET',
    path: '/api/job/list',
    summary: 'Lists tasks, newest first, page by page.',
    request: jobListRequestSchema,
    reply: replyOf(z.object({ jobs: z.array(jobEntrySchema), next_cursor: z.string().nullable() })),
  },
} as const satisfies Record<string, HttpCall>;
