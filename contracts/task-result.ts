// The history of recurring tasks: probe.task.result.get.
import { z } from 'zod';
import { agentIdSchema } from './agent.ts';
import { domainSchema, verboseRowSchema } from './probe.ts';
import { taskIdSchema } from './task.ts';

export const defaultResultLimit = 100;

const cellStatusSchema = z
  .string()
  .regex(/^([A-Z_]{1,32}|\d{1,5})$/, 'expected the name of an rcode or of a failure');

/** Unix seconds, or an ISO 8601 date-time with its offset. */
const momentSchema = z
  .union([z.number().min(0).max(253_402_300_799), z.iso.datetime({ offset: true })], {
    error: 'expected Unix seconds or an ISO 8601 date-time with its offset',
  })
  .transform((moment) => new Date(typeof moment === 'number' ? moment * 1000 : moment));

/** Every field narrows the choice; `from` is included, `to` is not. The next page starts at `cursor`. */
export const taskResultGetRequestSchema = z.object({
  task_id: taskIdSchema.nullish(),
  agent_id: agentIdSchema.nullish(),
  domain: domainSchema.nullish(),
  status: cellStatusSchema.nullish(),
  from: momentSchema.nullish(),
  to: momentSchema.nullish(),
  limit: z
    .int()
    .min(1)
    .max(1000)
    .nullish()
    .transform((limit) => limit ?? defaultResultLimit),
  cursor: z.string().max(500).nullish(),
});
export type TaskResultGetRequest = z.infer<typeof taskResultGetRequestSchema>;

/** A verbose row with the task and the nominal time (ISO 8601, UTC) that it was probed for. */
export const taskResultSchema = z.object({
  ...verboseRowSchema.shape,
  task_id: z.string(),
  scheduled_at: z.string(),
  agent_id: z.string(),
  rtype: z.string(),
});
export type TaskResult = z.infer<typeof taskResultSchema>;

/** Newest nominal time first; `next_cursor` is null on the last page. */
export const taskResultGetReplySchema = z.object({
  results: z.array(taskResultSchema),
  next_cursor: z.string().nullable(),
});
export type TaskResultGetReply = z.infer<typeof taskResultGetReplySchema>;
