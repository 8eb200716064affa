// What became of the slots of recurring tasks: probe.task.slot.get.
import { z } from 'zod';
import { historyReplyShape, historyRequestShape } from './history.ts';

/** Why a part of a slot, or all of it, was not planned. */
export const skipReasons = [
  /** The agent still has runs of an earlier slot of this task. */
  'OVERLAP',
  /** The agent matches, and was last heard of too long ago. */
  'AGENT_AWAY',
  /** No agent matches. */
  'NO_AGENTS',
  /** The task names a domain group that is gone. */
  'NO_DOMAIN_GROUP',
  /** More cells than a slot may have. */
  'PLAN_TOO_LARGE',
  /** The schedule of the task was changed, or the task deleted, when the slot was due and not planned yet. */
  'CHANGED',
  /** A fault of the scheduler; its log has the reason. */
  'INTERNAL',
] as const;
export type SkipReason = (typeof skipReasons)[number];

const count = z.int().min(0);

/** Ids of one skipped part at most: thousands of agents may be away in every slot. */
export const maxSkippedIds = 100;

/**
 * Agents of OVERLAP and AGENT_AWAY, domain groups of NO_DOMAIN_GROUP, else none: `count` of them, and the `ids` of the
 * first 100.
 */
export const skippedPartSchema = z.object({ reason: z.string(), count, ids: z.array(z.string()) });
/** As it is stored: without `count` in rows of earlier versions, which hold all ids. */
export type SkippedPart = Pick<z.infer<typeof skippedPartSchema>, 'reason' | 'ids'> & {
  count?: number | undefined;
};

/** Every field narrows the choice. */
export const taskSlotGetRequestSchema = z.object(historyRequestShape);
export type TaskSlotGetRequest = z.infer<typeof taskSlotGetRequestSchema>;

/** One nominal time of one task: what was planned for it, and what came of it so far. Times are ISO 8601, UTC. */
export const taskSlotSchema = z.object({
  task_id: z.string(),
  scheduled_at: z.string(),
  planned_at: z.string(),
  /** Runs that no agent has claimed by then are given up. */
  expires_at: z.string(),
  /** Earlier nominal times that this one stands for, because nobody was there to plan them. */
  missed: count,
  /** Agents, runs and cells that were planned. */
  agents: count,
  runs: count,
  cells: count,
  /** Cells with an outcome. */
  done: count,
  /** Those of `done` whose outcome came after `expires_at`. */
  late: count,
  /** Cells whose agents went away with them. */
  lost: count,
  /** Cells that no agent claimed in time. */
  expired: count,
  /** Cells of which nothing is known yet. */
  pending: count,
  /** What was not planned, and why. */
  skipped: z.array(skippedPartSchema),
});
export type TaskSlot = z.infer<typeof taskSlotSchema>;

/**
 * Newest nominal time first, then by task, the largest id first. A page may hold fewer slots than its limit, and is the
 * last one only when `next_cursor` is null.
 */
export const taskSlotGetReplySchema = z.object({ slots: z.array(taskSlotSchema), ...historyReplyShape });
export type TaskSlotGetReply = z.infer<typeof taskSlotGetReplySchema>;
