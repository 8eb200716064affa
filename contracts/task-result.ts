// The history of recurring tasks: probe.task.result.get.
import { z } from 'zod';
import { agentIdSchema } from './agent.ts';
import { historyReplyShape, historyRequestShape } from './history.ts';
import { domainSchema, verboseRowSchema } from './probe.ts';

const cellStatusSchema = z
  .string()
  .regex(/^([A-Z_]{1,32}|\d{1,5})$/, 'expected the name of an rcode or of a failure');

/** Every field narrows the choice. */
export const taskResultGetRequestSchema = z.object({
  ...historyRequestShape,
  agent_id: agentIdSchema.nullish(),
  /** The exact text that the task, or its domain group, has: case and trailing dot count. */
  domain: domainSchema.nullish(),
  /** A `dns_response_status`. */
  status: cellStatusSchema.nullish(),
});
export type TaskResultGetRequest = z.infer<typeof taskResultGetRequestSchema>;

/**
 * A verbose row with the task and the nominal time that it was probed for. Its status may also be one of `runFailures`:
 * `LOST` or `EXPIRED`.
 */
export const taskResultSchema = z.object({
  ...verboseRowSchema.shape,
  task_id: z.string(),
  /** ISO 8601, UTC. */
  scheduled_at: z.string(),
  /** When the outcome, or that there is none, was known: ISO 8601, UTC. */
  finished_at: z.string().optional(),
  agent_id: z.string(),
  rtype: z.string(),
});
export type TaskResult = z.infer<typeof taskResultSchema>;

/**
 * Newest nominal time first, then by task, agent and cell, the largest first. A page may hold fewer rows than its limit,
 * and is the last one only when `next_cursor` is null.
 */
export const taskResultGetReplySchema = z.object({
  results: z.array(taskResultSchema),
  ...historyReplyShape,
});
export type TaskResultGetReply = z.infer<typeof taskResultGetReplySchema>;
