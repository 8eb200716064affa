// What became of the slots of recurring tasks: probe.task.slot.get.
import { z } from 'zod';

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
  /** A fault of the scheduler; its log has the reason. */
  'INTERNAL',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** `ids`: agents of OVERLAP and AGENT_AWAY, domain groups of NO_DOMAIN_GROUP, else none. */
export const skippedPartSchema = z.object({ reason: z.string(), ids: z.array(z.string()) });
export type SkippedPart = z.infer<typeof skippedPartSchema>;
