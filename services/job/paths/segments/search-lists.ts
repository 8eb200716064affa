// Best paths → segment lists: the best first, each one for paths that those before it do not lead over.
import type { PathAlgorithm, SrPolicy } from '../../../../contracts/path-request.ts';
import { metricOf, metricScales } from '../network/link-costs.ts';
import type { Topology } from '../network/topology.ts';
import { type FoundPath, findBestPaths, type PathSearch } from '../search/best-paths.ts';
import { expandSegments, joinSegments, type Path } from './expand-segments.ts';
import type { Network } from './network.ts';
import type { Segment } from './segments.ts';

export type FoundList = {
  segments: Segment[];
  /** Of each segment its equal-cost paths. */
  segmentPaths: Path[][];
  /** All paths that the list may lead over. */
  paths: Path[];
};

export type ListSearch = PathSearch & { metric: SrPolicy['metric'] } & Pick<PathAlgorithm, 'top' | 'limit'>;

export type SearchedLists = {
  lists: FoundList[];
  /** The value of the first path that was beyond the limit. */
  beyondLimit?: number;
};

/** Looks at `top` paths at most; throws what `findBestPaths` does. */
export function searchLists({ encoder, router }: Network, search: ListSearch): SearchedLists {
  const lists: FoundList[] = [];
  const covered = new Set<string>();
  let looked = 0;
  for (const candidate of findBestPaths(search)) {
    const value = sortedValue(search, candidate);
    // Those that follow are no better.
    if (isBeyond(search, value)) return { lists, beyondLimit: value };
    if (!covered.has(candidate.links.join())) {
      const segments = encoder.encode(search, candidate);
      const segmentPaths = expandSegments(router, search.head, segments);
      const paths = joinSegments(segmentPaths);
      for (const path of paths) covered.add(path.join());
      lists.push({ segments, segmentPaths, paths });
    }
    looked += 1;
    if (looked >= search.top) break;
  }
  return { lists };
}

/** By which paths are sorted, in the units of the request. */
function sortedValue(
  { topology, sorter, metric }: ListSearch,
  { links, hops, bandwidth }: FoundPath,
): number {
  if (sorter === 'min_hop') return hops;
  return sorter === 'max_min_band' ? bandwidth : sumOf(topology, links, metric);
}

function isBeyond({ limit, sorter }: ListSearch, value: number): boolean {
  if (limit === 0) return false;
  return sorter === 'max_min_band' ? value < limit : value > limit;
}

/** Rounded as the costs are, so that the order of the sums is that of the paths. */
function sumOf({ links }: Topology, path: Path, metric: SrPolicy['metric']): number {
  let sum = 0;
  for (const index of path) {
    const link = links[index];
    if (link !== undefined) sum += metricOf(link, metric);
  }
  return sum / metricScales[metric];
}
