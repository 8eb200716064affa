// A network and what is worked out about it once, for all policies that are led over it.
import type { PathLink, PathNode, SrPolicy } from '../../../../contracts/path-request.ts';
import { linkCosts } from '../network/link-costs.ts';
import { createRouter, type Router } from '../network/router.ts';
import { createTopology, type Topology } from '../network/topology.ts';
import { createPathEncoder, type PathEncoder } from './encode-path.ts';
import { createUsableLinks, type UsableLinks } from './usable-links.ts';

export type Network = {
  topology: Topology;
  router: Router;
  encoder: PathEncoder;
  usableLinks: UsableLinks;
  /** By link. */
  costsOf(metric: SrPolicy['metric']): Float64Array;
};

/** Expects what `findPathRequestFaults` finds no fault in. For one search at a time: they share memory. */
export function createNetwork(nodes: readonly PathNode[], links: readonly PathLink[]): Network {
  const topology = createTopology(nodes, links);
  const router = createRouter(topology);
  const costs = new Map<SrPolicy['metric'], Float64Array>([['igp', router.costs]]);
  return {
    topology,
    router,
    encoder: createPathEncoder(router),
    usableLinks: createUsableLinks(topology),
    costsOf(metric) {
      const known = costs.get(metric) ?? linkCosts(topology, metric);
      costs.set(metric, known);
      return known;
    },
  };
}
