// Recurring tasks: probe.task.get and the subjects that manage them.
import { z } from 'zod';
import { domainTargetSchema, probeDataSchema, rtypeSchema } from './probe.ts';
import { taskTimeRequestSchema, taskTimeSchema } from './task-time.ts';
import { textSchema } from './text.ts';

const maxCycleS = 366 * 24 * 3600;
const maxTargets = 10_000;
const maxPostgresInteger = 2_147_483_647;

/** Ids of rows with an `integer` key. */
export const integerIdSchema = z.int().min(1).max(maxPostgresInteger);

/** A task's id: a decimal string, as `probe.task.get` gives it. */
export const taskIdSchema = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, 'expected a task id as probe.task.get gives it');

/** `{-target:domain_group-}` */
export const domainGroupTargetSchema = z.object({
  type: z.literal('domain_group'),
  rtype: rtypeSchema,
  domain_group_id: integerIdSchema,
});

/** `{-target-}` */
export const targetSchema = z.discriminatedUnion('type', [domainTargetSchema, domainGroupTargetSchema]);
export type Target = z.infer<typeof targetSchema>;

const name = textSchema(64).min(1);

/** Owner ids of the caller's own system, kept as they are. */
const ownerId = z.union([z.int(), textSchema(64)]).nullable();

const taskFields = {
  /** Kind of task; `dns` is the one that is probed. */
  type: name,
  /** dnsMonitor, dnsResolve, dnsHijack, dnsNSHijack, dnsPrefer; others are kept as they are. */
  service_type: name,
  /** Seconds between two runs; 0 runs once. */
  cycle: z.int().min(0).max(maxCycleS),
  probe_data: probeDataSchema,
  target: z.array(targetSchema).min(1, 'expected at least one target').max(maxTargets),
  /** 0 paused, 1 enabled. */
  status: z.union([z.literal(0), z.literal(1)]),
  group_id: integerIdSchema.nullable(),
  uid: ownerId,
  gid: ownerId,
  /** When the task may run: null for always, else `[start, end]`. */
  task_time: taskTimeRequestSchema,
  pinned: z.boolean(),
};

/** One element of the `probe.task.get` reply. */
export const taskSchema = z.object({
  task_id: z.string(),
  ...taskFields,
  task_time: taskTimeSchema,
  probe_data: z.object({ dns_servers: z.array(z.string()) }),
  target: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('domain'), rtype: z.string(), data: z.string() }),
      z.object({ type: z.literal('domain_group'), rtype: z.string(), domain_group_id: z.int() }),
    ]),
  ),
});
export type Task = z.infer<typeof taskSchema>;

export const taskListReplySchema = z.array(taskSchema);

/**
 * All arguments are optional. A page holds `limit` tasks in the order of their ids; the next page starts after
 * `cursor`, the last `task_id` seen (also in the reply header `Probe-Next-Cursor`).
 */
export const taskGetRequestSchema = z.object({
  limit: z.int().min(1).max(100_000).nullish(),
  cursor: taskIdSchema.nullish(),
  /** Only tasks changed at or after this moment: Unix seconds. */
  changed_since: z.number().min(0).max(253_402_300_799).nullish(),
});
export type TaskGetRequest = z.infer<typeof taskGetRequestSchema>;

export const taskCreateRequestSchema = z.object({
  ...taskFields,
  type: name.default('dns'),
  service_type: name.default('dnsMonitor'),
  status: taskFields.status.default(1),
  group_id: taskFields.group_id.default(null),
  uid: ownerId.default(null),
  gid: ownerId.default(null),
  task_time: taskFields.task_time.default(null),
  pinned: z.boolean().default(false),
  /**
   * The caller's own name for this task. A request with a name that exists makes no second task: it replies with the one
   * that is there, or is a `CONFLICT` when that one has other fields.
   */
  idempotency_key: textSchema(128).min(1).nullish(),
});
export type TaskCreateRequest = z.infer<typeof taskCreateRequestSchema>;

/** `task_id` and the fields that change; fields left out stay as they are. */
export const taskUpdateRequestSchema = z
  .object({ task_id: taskIdSchema, ...taskFields })
  .partial()
  .required({ task_id: true });
export type TaskUpdateRequest = z.infer<typeof taskUpdateRequestSchema>;

export const taskKeySchema = z.object({ task_id: taskIdSchema });
