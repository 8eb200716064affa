// What the computations of paths are given: a network, policies, and how to look for paths (spec/async-job.rst).
import { z } from 'zod';
import { textSchema } from './text.ts';

/** Of one request. */
export const maxPathNodes = 20_000;
export const maxPathLinks = 100_000;
export const maxPathPolicies = 10_000;

const maxItems = 1000;
const maxMetric = 2 ** 32 - 1;
const maxAmount = 1e15;

const idSchema = textSchema(255).min(1, 'is empty');
const metricSchema = z.int().min(0, 'is negative').max(maxMetric);
const amountSchema = z.number().min(0, 'is negative').max(maxAmount);
const delaySchema = z.number().min(0, 'is negative').max(1e9);
const ipSchema = textSchema(64);
/** A label, or an index, of segment routing (RFC 8402). */
const sidSchema = z.int().min(0, 'is negative').max(maxMetric);
const wordSchema = z.int().min(0, 'is negative').max(maxMetric);

/** 32 bits: as a number, or as hexadecimal digits in a string. */
const bitsSchema = z.union(
  [
    wordSchema,
    z
      .string()
      .regex(/^(0x)?[0-9a-fA-F]{1,8}$/)
      .transform((text) => Number.parseInt(text, 16)),
  ],
  { error: 'expected 32 bits, as a number or as hexadecimal digits' },
);

/** What is left out, or null, has this value. */
function withDefault<Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>) {
  return schema
    .nullish()
    .meta({ default: value })
    .transform((given) => given ?? value);
}

/** A segment of RFC 8402: without a `sid` nothing can be led through it. */
export const pathNodeSchema = z.object({
  id: idSchema,
  ip: ipSchema.nullish(),
  sid: sidSchema.nullish(),
  /** SIDs of further algorithms (RFC 9350), for policies that name one. */
  prefix: withDefault(
    z
      .array(
        z.object({ prefix: ipSchema.nullish(), prefix_algorithm: z.int(), prefix_sid: sidSchema.nullish() }),
      )
      .max(256),
    [],
  ),
});
export type PathNode = z.infer<typeof pathNodeSchema>;

const qosClassSchema = z.object({
  class: idSchema,
  bandwidth_reserve: withDefault(amountSchema, 0),
  bandwidth_available: withDefault(z.number().max(maxAmount), 0),
  traffic_flow: withDefault(amountSchema, 0),
});

/** One direction. Amounts are in one unit, whichever the caller has. */
export const pathLinkSchema = z.object({
  id: idSchema,
  local: idSchema,
  remote: idSchema,
  ip: ipSchema.nullish(),
  sid: sidSchema.nullish(),
  igp: withDefault(metricSchema, 0),
  te: withDefault(metricSchema, 0),
  /** -1: not known. */
  bandwidth: withDefault(
    z.union([z.literal(-1), amountSchema], { error: 'expected -1, or no less than 0' }),
    -1,
  ),
  /** Administrative groups (RFC 5305). */
  affinity: withDefault(bitsSchema, 0),
  delay: withDefault(delaySchema, 1000),
  min_delay: withDefault(delaySchema, 1000),
  max_delay: withDefault(delaySchema, 1000),
  qos_class: withDefault(z.array(qosClassSchema).max(64), []),
  traffic_flow: withDefault(amountSchema, 0),
});
export type PathLink = z.infer<typeof pathLinkSchema>;

/** A way as replies have it in `segs`: of each segment, its equal-cost paths of nodes and links by turns. */
const wayObjectSchema = z.array(z.array(z.array(z.string()).max(20_000)).max(10_000)).max(maxItems);
export type Way = z.infer<typeof wayObjectSchema>;

const reservationShape = {
  path: withDefault(wayObjectSchema, []),
  bandwidth: withDefault(amountSchema, 0),
  class: idSchema.nullish(),
};

/** What has to hold of a path: from where to where, by which metric, with how much bandwidth, over and around what. */
export const srPolicySchema = z.object({
  id: idSchema,
  headend: idSchema,
  tailend: idSchema,
  metric: withDefault(z.enum(['igp', 'te', 'latency']), 'igp'),
  /** Which of the SIDs of nodes it uses: those of this algorithm, where a node has one. */
  algorithm: z.int().nullish(),
  affinity: bitsSchema.nullish(),
  mask: bitsSchema.nullish(),
  /** Ids of nodes and links, passed in this order. */
  include: withDefault(z.array(idSchema).max(maxItems), []),
  exclude: withDefault(z.array(idSchema).max(maxPathLinks), []),
  /** A second path is wanted that shares no node with the first, or else no link. */
  disjoint: withDefault(z.boolean(), false),
  /** 0: is not moved when links are relieved. */
  priority: withDefault(z.int().min(0, 'is negative').max(1000), 0),
  traffic_flow: withDefault(amountSchema, 0),
  ...reservationShape,
});
export type SrPolicy = z.infer<typeof srPolicySchema>;

const changedPolicySchema = srPolicySchema.extend({
  /** What it had before: its bandwidth is given back along its path first. */
  former: z.object(reservationShape),
});
export type ChangedPolicy = z.infer<typeof changedPolicySchema>;

/** How to look for paths. */
export const pathAlgorithmSchema = z
  .object({
    /** 0: shortest paths only; 1: also longer ones. */
    algo: z.union([z.literal(0), z.literal(1)], { error: 'expected 0 or 1' }),
    /** Which path is the best one: the least by the metric of the policy, the widest, the one of the fewest hops. */
    sorter: withDefault(z.enum(['metric', 'max_min_band', 'min_hop']), 'metric'),
    /** How many paths are looked at, the best first. */
    top: withDefault(z.int().min(1).max(100), 10),
    /** By the value that is sorted by: at most, of bandwidth at least; 0: none. */
    limit: withDefault(amountSchema, 0),
    /** Whether longer paths than the shortest are taken; left out, as `algo` says. */
    loose: z.boolean().nullish(),
  })
  .transform(({ loose, ...algorithm }) => ({ ...algorithm, loose: loose ?? algorithm.algo === 1 }));
export type PathAlgorithm = z.infer<typeof pathAlgorithmSchema>;

const ratioSchema = z.number().min(0, 'is negative').max(1000);
const shareSchema = z.number().gt(0, 'expected more than 0').max(1, 'expected at most 1');

const globalShape = {
  algorithm: z
    .array(pathAlgorithmSchema)
    .min(1, 'expected at least one algorithm')
    .max(10)
    .nullish()
    .transform((algorithms) => algorithms ?? [defaultAlgorithm(0), defaultAlgorithm(1)]),
  /** Links that carry more than `traffic_ratio` of their bandwidth are not taken. */
  real_traffic: withDefault(z.boolean(), false),
  traffic_ratio: withDefault(ratioSchema, 1),
  /** What is reserved, or counted as traffic, for each unit that a policy asks for. */
  flow_factor: withDefault(ratioSchema, 1),
};

function defaultAlgorithm(algo: 0 | 1): PathAlgorithm {
  return { algo, sorter: 'metric', top: 10, limit: 0, loose: algo === 1 };
}

const reoptShape = {
  ...globalShape,
  sorting: withDefault(
    z.enum(['bandwidth_desc', 'bandwidth_asc', 'priority_desc', 'priority_asc']),
    'bandwidth_desc',
  ),
  /** strict: all or nothing; loose: as far as it goes. */
  reopt_mode: withDefault(z.enum(['strict', 'loose']), 'strict'),
};

const congestionShape = {
  ...globalShape,
  reopt_mode: withDefault(z.enum(['strict', 'loose']), 'loose'),
  congest_threshold: withDefault(shareSchema, 0.8),
  target_threshold: withDefault(shareSchema, 0.7),
  /** Written so by those who send it. */
  prioriry_prefer: withDefault(z.enum(['HIGH', 'LOW']), 'HIGH'),
  traffic_prefer: withDefault(z.enum(['HIGH', 'LOW']), 'HIGH'),
  priority_weight: withDefault(ratioSchema, 0.5),
  bandwidth_weight: withDefault(ratioSchema, 0.5),
};

const networkShape = {
  nodes: z.array(pathNodeSchema).min(1, 'expected at least one node').max(maxPathNodes),
  links: z.array(pathLinkSchema).max(maxPathLinks),
};

/** `null`, or left out, is `{}`: everything has a default. */
function globalOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.object(shape);
  return schema.nullish().transform((given) => given ?? schema.parse({}));
}

const policiesSchema = z.array(srPolicySchema).min(1, 'expected at least one policy').max(maxPathPolicies);

/** The request of each type of job that computes paths. */
export const pathRequestSchemas = {
  bod_pasta: z.object({ ...networkShape, sr_policy: srPolicySchema, global: globalOf(globalShape) }),
  nonbod_pasta: z.object({ ...networkShape, sr_policy: srPolicySchema, global: globalOf(globalShape) }),
  bod_modified: z.object({ ...networkShape, sr_policy: changedPolicySchema, global: globalOf(globalShape) }),
  bod_reopt: z.object({ ...networkShape, sr_policy: policiesSchema, global: globalOf(reoptShape) }),
  nonbod_reopt: z.object({ ...networkShape, sr_policy: policiesSchema, global: globalOf(reoptShape) }),
  bod_congest_reopt: z.object({
    ...networkShape,
    congested_link: z.array(idSchema).min(1, 'expected at least one link').max(maxItems),
    sr_policy: policiesSchema,
    global: globalOf(congestionShape),
  }),
} as const;

export type PathJobType = keyof typeof pathRequestSchemas;
export type PathRequest<Type extends PathJobType> = z.infer<(typeof pathRequestSchemas)[Type]>;
