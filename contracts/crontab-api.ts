// The HTTP calls of the crontab service: path, request and reply of each.
import { z } from 'zod';
import {
  type CrontabState,
  crontabItemResultSchema,
  crontabLogEntrySchema,
  crontabRequiredShape,
  crontabStates,
  crontabTaskAddSchema,
  crontabTaskKeySchema,
  crontabTaskSchema,
  crontabTaskUpdateSchema,
} from './crontab.ts';
import { type ErrorCode, errorCatalog } from './errors.ts';
import { momentSchema, pageShape } from './history.ts';
import type { HttpCall } from './http-call.ts';
import { textSchema } from './text.ts';

/** Items of one request. */
export const maxCrontabItems = 10_000;
/** Tasks whose log one request asks for. */
export const maxCrontabLogTasks = 1000;

/** A single object is taken for a list of one. What is too long is cut before its items are looked at. */
function listOf<Item extends z.ZodType>(item: Item, maxItems: number) {
  return z.preprocess(
    (given) => {
      if (Array.isArray(given)) return given.slice(0, maxItems + 1);
      return typeof given === 'object' && given !== null ? [given] : given;
    },
    z
      .array(item, 'expected a list of tasks')
      .min(1, 'expected at least one task')
      .max(maxItems, `expected at most ${maxItems} tasks`),
  );
}

/** Items of a batch are parsed one by one, so that a fault of one leaves the others alone; here they are as they came. */
export const crontabBatchSchema = z.object({ task_list: listOf(z.unknown(), maxCrontabItems) });

/** What every reply has; `data` counts when `state` is 0. */
function replyOf<Data extends z.ZodType>(data: Data) {
  return z.object({ state: z.int(), msg: z.string(), data });
}

/** `state` of a request that failed as a whole: whether the fault is the request's, or none of it. */
export function crontabStateOf(code: ErrorCode): CrontabState {
  const { status, retryable } = errorCatalog[code];
  return status < 500 && !retryable ? crontabStates.parameter : crontabStates.system;
}

/**
 * The log of these tasks, newest first; without a list, of all. `from` is included, `to` is not: nominal times. The first
 * page begins with the calls that are under way, the newest hundred of them. A page ends early where a reply is full.
 */
export const crontabLogRequestShape = {
  status: z.int().min(1).max(5).nullish(),
  run_type: z.int().min(1).max(3).nullish(),
  from: momentSchema.nullish(),
  to: momentSchema.nullish(),
  ...pageShape,
};
export const crontabLogRequestSchema = z.object({
  task_list: listOf(z.unknown(), maxCrontabLogTasks).nullish(),
  ...crontabLogRequestShape,
});
export type CrontabLogRequest = z.infer<typeof crontabLogRequestSchema>;

/** Tasks in the order of their ids, of those that match all that is given. */
export const crontabListRequestSchema = z.object({
  /** A part of the name, in any case. */
  name: textSchema(128).nullish(),
  module: crontabRequiredShape.module.nullish(),
  type: crontabRequiredShape.type.nullish(),
  enable: crontabRequiredShape.enable.nullish(),
  tag: textSchema(64).nullish(),
  ...pageShape,
});
export type CrontabListRequest = z.infer<typeof crontabListRequestSchema>;

export const crontabPreviewRequestSchema = z.object({
  type: crontabRequiredShape.type.nullish().transform((type) => type ?? 2),
  start_time: crontabRequiredShape.start_time,
  time_zone: textSchema(64).min(1).nullish(),
  count: z
    .int()
    .min(1)
    .max(100)
    .nullish()
    .transform((count) => count ?? 5),
});

const resultsReply = replyOf(z.object({ task_result: z.array(crontabItemResultSchema) }));

export const crontabCalls = {
  addTask: {
    path: '/crontab/add_task',
    summary: 'Stores tasks, each with a name of its own.',
    request: z.object({ task_list: listOf(crontabTaskAddSchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  updateTask: {
    path: '/crontab/update_task',
    summary: 'Changes the given fields of tasks.',
    request: z.object({ task_list: listOf(crontabTaskUpdateSchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  queryTaskStatus: {
    path: '/crontab/query_task_status',
    summary: 'Lists what became of tasks, newest first, page by page; without a list, of all tasks.',
    request: z.object({
      task_list: listOf(crontabTaskKeySchema, maxCrontabLogTasks).nullish(),
      ...crontabLogRequestShape,
    }),
    reply: replyOf(
      z.object({
        log_list: z.array(crontabLogEntrySchema),
        /** Tasks that are not there; what was deleted has its log by its id. */
        task_result: z.array(crontabItemResultSchema),
        next_cursor: z.string().nullable(),
      }),
    ),
  },
  runAgainTask: {
    path: '/crontab/run_again_task',
    summary:
      'Calls the callbacks of tasks at once, also of disabled ones; a task given twice is called once.',
    request: z.object({ task_list: listOf(crontabTaskKeySchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  listTask: {
    path: '/crontab/list_task',
    summary: 'Lists tasks, page by page.',
    request: crontabListRequestSchema,
    reply: replyOf(z.object({ task_list: z.array(crontabTaskSchema), next_cursor: z.string().nullable() })),
  },
  deleteTask: {
    path: '/crontab/delete_task',
    summary: 'Deletes tasks; their log stays.',
    request: z.object({ task_list: listOf(crontabTaskKeySchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  pauseTask: {
    path: '/crontab/pause_task',
    summary: 'Disables tasks: retries that wait are dropped.',
    request: z.object({ task_list: listOf(crontabTaskKeySchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  resumeTask: {
    path: '/crontab/resume_task',
    summary: 'Enables tasks: they go on with the next time from now.',
    request: z.object({ task_list: listOf(crontabTaskKeySchema, maxCrontabItems) }),
    reply: resultsReply,
  },
  preview: {
    path: '/crontab/preview',
    summary: 'Tells the next times of a type and start_time, without storing anything.',
    request: crontabPreviewRequestSchema,
    /** ISO 8601 with the offset of the time zone. */
    reply: replyOf(z.object({ time_zone: z.string(), times: z.array(z.string()) })),
  },
} as const satisfies Record<string, HttpCall>;
