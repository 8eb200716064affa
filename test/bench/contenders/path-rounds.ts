// What a process that computes paths is told, and what it tells: ours and a library's, by turns on the same pairs of nodes.
import { z } from 'zod';
import type { RandomNetwork } from '../../helpers/random-network.ts';
import { createRandomNetwork } from '../../helpers/random-network.ts';

const networkSeed = 7;
export const nodeCount = 1000;
export const linkCount = 4000;

export function createBenchNetwork(): RandomNetwork {
  return createRandomNetwork(networkSeed, { nodeCount, pairCount: linkCount / 2 });
}

const algorithmShape = { algo: z.union([z.literal(0), z.literal(1)]), seed: z.int() };

/** `pairs`: one path after the other; `reoptimisation`: all policies in one request, of which a few find no room. */
export const pathRoundSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('pairs'),
    ...algorithmShape,
    count: z.int(),
    /** Each path has the network, or the graph, built for it. */
    isCold: z.boolean(),
  }),
  z.object({ kind: z.literal('reoptimisation'), ...algorithmShape, policies: z.int() }),
]);
export type PathRound = z.infer<typeof pathRoundSchema>;

export const timedPathsSchema = z.object({
  /** Milliseconds: the median of a pair's, or of the whole. */
  oursMs: z.number(),
  besideMs: z.number(),
  /** What was not right, of the first of all. */
  faults: z.array(z.string()),
  /** How many policies have a path. */
  placed: z.int(),
});
export type TimedPaths = z.infer<typeof timedPathsSchema>;
