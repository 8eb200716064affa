// What a segment list costs and holds: of each value the worst over all paths that it may lead over.
import type { PathAttributes } from '../../../../contracts/path-reply.ts';
import type { Topology } from '../network/topology.ts';
import type { Path } from './expand-segments.ts';

/**
 * Of a list's segments with the equal-cost paths of each. Sums are largest where that of every segment is; the least
 * bandwidth (-1: not known) is that of the narrowest link. `delay` is rounded to 6 decimals.
 */
export function attributesOf(
  { links }: Topology,
  segments: readonly Path[][],
  bandwidths: Float64Array,
): PathAttributes {
  let [igp, te, delay, hops, bandwidth] = [0, 0, 0, 0, Infinity];
  for (const paths of segments) {
    const most = { igp: 0, te: 0, delay: 0, hops: 0 };
    for (const path of paths) {
      const sum = { igp: 0, te: 0, delay: 0 };
      for (const index of path) {
        const link = links[index];
        if (link === undefined) continue;
        sum.igp += link.igp;
        sum.te += link.te;
        sum.delay += link.delay;
        bandwidth = Math.min(bandwidth, bandwidths[index] as number);
      }
      most.igp = Math.max(most.igp, sum.igp);
      most.te = Math.max(most.te, sum.te);
      most.delay = Math.max(most.delay, sum.delay);
      most.hops = Math.max(most.hops, path.length);
    }
    igp += most.igp;
    te += most.te;
    delay += most.delay;
    hops += most.hops;
  }
  return { igp, te, delay: Number(delay.toFixed(6)), min_hop: hops, max_min_band: bandwidth };
}
