// What the computations of paths reply with (spec/async-job.rst).
import { z } from 'zod';

/** A segment of a list: a node, or a link. */
export const segmentIdSchema = z.object({ id: z.string(), ip: z.string().optional(), sid: z.int() });
export type SegmentId = z.infer<typeof segmentIdSchema>;

/** Nodes and links by turns: `["P1", "P1:30012", "P2"]`. */
export const hopsSchema = z.array(z.string());

/** Of several equal-cost paths the worst of each. */
export const pathAttributesSchema = z.object({
  igp: z.number(),
  te: z.number(),
  /** The sum over the links. */
  delay: z.number(),
  min_hop: z.int(),
  /** The smallest bandwidth; -1 when that of a link is not known. */
  max_min_band: z.number(),
});
export type PathAttributes = z.infer<typeof pathAttributesSchema>;

/** One segment list and what packets do with it. */
export const segmentListSchema = z.object({
  sids: z.array(segmentIdSchema),
  /** Every path that it may lead over. */
  paths: z.array(hopsSchema),
  /** Of each segment, its equal-cost paths. */
  segs: z.array(z.array(hopsSchema)),
  attr: pathAttributesSchema,
});
export type SegmentListReply = z.infer<typeof segmentListSchema>;

/** The best segment list, other ones, and the seconds that it took. `d_`: the second path of a policy with `disjoint`. */
export const policyPathSchema = segmentListSchema.extend({
  other: z.array(segmentListSchema),
  time: z.number(),
  d_sids: z.array(segmentIdSchema).optional(),
  d_paths: z.array(hopsSchema).optional(),
  d_segs: z.array(z.array(hopsSchema)).optional(),
  d_attr: z.union([pathAttributesSchema, z.object({})]).optional(),
  d_other: z.array(segmentListSchema).optional(),
});
export type PolicyPath = z.infer<typeof policyPathSchema>;

/** Why there is no path, or not for all. */
export const pathFaultCodes = ['NO_PATH', 'TOO_HARD', 'STILL_CONGESTED'] as const;
export const pathFaultSchema = z.object({
  code: z.enum(pathFaultCodes),
  message: z.string(),
  /** Ids of the policies, or of the links, that it is about. */
  policies: z.array(z.string()).optional(),
  links: z.array(z.string()).optional(),
});
export type PathFault = z.infer<typeof pathFaultSchema>;

const infoSchema = z.union([pathFaultSchema, z.object({}).strict()]);
const policyPathsSchema = z.array(z.object({ id: z.string(), data: policyPathSchema }));

/** What an algorithm found: for one policy its path, for several a list of them; `{}` when there is nothing. */
export const algorithmReplySchema = z.object({
  algo_type: z.union([z.literal(0), z.literal(1)]),
  status: z.boolean(),
  info: infoSchema,
  data: z.union([policyPathSchema, policyPathsSchema, z.object({}).strict()]),
});
export type AlgorithmReply = z.infer<typeof algorithmReplySchema>;

export const pathReplySchema = z.object({ info: z.object({}).strict(), data: z.array(algorithmReplySchema) });
export type PathReply = z.infer<typeof pathReplySchema>;
