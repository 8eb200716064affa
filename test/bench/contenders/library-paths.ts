// The shortest path as a well-kept library of graphs finds it, on the same network.
import { DirectedGraph } from 'graphology';
import { dijkstra } from 'graphology-shortest-path';
import type { PathLink } from '../../../contracts/path-request.ts';
import type { RandomNetwork } from '../../helpers/random-network.ts';

export type LibraryPaths = {
  /** Least sum of `igp` from one node to another, both by id; Infinity where there is no way. */
  findLeastCost(from: string, to: string): number;
};

/** Of networks with one link at most from a node to another. */
export function createLibraryPaths({ nodes, links }: RandomNetwork): LibraryPaths {
  const graph = new DirectedGraph<object, Pick<PathLink, 'igp'>>();
  for (const { id } of nodes) graph.addNode(id);
  for (const { local, remote, igp } of links) graph.addEdge(local, remote, { igp });
  return {
    findLeastCost(from, to) {
      // From both ends at once, which is the faster of its two for one pair; null where there is no way.
      const path: string[] | null = dijkstra.bidirectional(graph, from, to, 'igp');
      if (path === null) return Number.POSITIVE_INFINITY;
      return path
        .slice(1)
        .reduce((sum, node, index) => sum + graph.getEdgeAttribute(path[index], node, 'igp'), 0);
    },
  };
}
