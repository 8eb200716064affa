// How wide the widest way to the end of a stage is: Dijkstra's algorithm, with the least bandwidth in place of the sum.
import FlatQueue from 'flatqueue';
import type { Topology } from '../network/topology.ts';
import type { Stage } from './plan-stages.ts';

export type WidthSearch = {
  topology: Topology;
  bandwidths: Float64Array;
  stage: Stage;
  isOpen: (link: number) => boolean;
  /** Where only the ways from this node are wanted. */
  start?: number;
};

/** By node; -Infinity where there is no way. With a `start`, that of this node alone is the final one. */
export function findWidths({ topology, bandwidths, stage, isOpen, start }: WidthSearch): Float64Array {
  const { from, incoming } = topology;
  const { offsets, links } = incoming;
  const widthOf = new Float64Array(topology.nodes.length).fill(Number.NEGATIVE_INFINITY);
  const queue = new FlatQueue<number>();
  widthOf[stage.to] = Number.POSITIVE_INFINITY;
  queue.push(stage.to, Number.NEGATIVE_INFINITY);
  for (;;) {
    const narrowness = queue.peekValue();
    const node = queue.pop();
    if (node === undefined || narrowness === undefined || node === start) return widthOf;
    if (-narrowness < (widthOf[node] as number)) continue;
    const end = offsets[node + 1] as number;
    for (let place = offsets[node] as number; place < end; place += 1) {
      const link = links[place] as number;
      const before = from[link] as number;
      const width = Math.min(-narrowness, bandwidths[link] as number);
      if (width <= (widthOf[before] as number) || stage.isUsable[link] === 0 || !isOpen(link)) continue;
      widthOf[before] = width;
      queue.push(before, -width);
    }
  }
}
