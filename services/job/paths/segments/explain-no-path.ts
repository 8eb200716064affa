// Why there is no path, in a sentence that tells what to change.
import type { PathLink } from '../../../../contracts/path-request.ts';
import { distances } from '../network/distances.ts';
import { findBestPaths, type PathSearch, SearchTooHardError } from '../search/best-paths.ts';
import type { Network } from './network.ts';
import { hasAffinity, type LinkConstraint, type LinkDemand, linkConstraints } from './usable-links.ts';

export type VainSearch = { demand: LinkDemand; search: PathSearch };

/** Lifts one constraint after the other, to see which of them stands in the way alone. */
export function explainNoPath(network: Network, { demand, search }: VainSearch): string {
  const { topology, router, usableLinks } = network;
  const { head, tail, via } = search;
  const ends = `from ${topology.nodes[head]?.id} to ${topology.nodes[tail]?.id}`;
  if (router.distancesFrom(head)[tail] === Number.POSITIVE_INFINITY) return `no links lead ${ends}`;

  const isUsable = new Uint8Array(topology.links.length);
  const isThereWithout = (lifted: readonly LinkConstraint[], itsVia = via): boolean => {
    usableLinks.mark(demand, isUsable, lifted);
    return isThere({ ...search, isUsable, via: itsVia });
  };
  if (!isThereWithout(linkConstraints, []))
    return `every way ${ends} leads over nodes or links without a SID`;
  const ofClass = demand.requiredBandwidth > 0 ? demand.policy.class : undefined;
  if (ofClass != null && !topology.links.some((link) => hasClass(link, ofClass)))
    return `no link has the class ${ofClass}`;

  const constraints = linkConstraints.filter((each) => isAsked(demand, each));
  const helpful = constraints.filter((each) => isThereWithout([each])).map((each) => nameOf(demand, each));
  if (via.length > 0 && isThereWithout([], [])) helpful.push(whatIsIncluded);
  if (helpful.length > 0) {
    return `no path ${ends} keeps to all that is asked; there would be one without ${helpful.join(', or without ')}`;
  }
  const all = constraints.map((each) => nameOf(demand, each));
  if (via.length > 0) all.push(whatIsIncluded);
  return `no path ${ends} keeps to all that is asked, nor would one without any one of these: ${all.join(', ')}`;
}

function hasClass(link: PathLink, name: string): boolean {
  return link.qos_class.some((each) => each.class === name);
}

const whatIsIncluded = 'what is to be included';

function isAsked({ policy, requiredBandwidth, isBlocked }: LinkDemand, constraint: LinkConstraint): boolean {
  switch (constraint) {
    case 'bandwidth':
      return requiredBandwidth > 0;
    case 'affinity':
      return hasAffinity(policy);
    case 'exclude':
      return policy.exclude.length > 0;
    case 'traffic':
      return isBlocked?.includes(1) ?? false;
  }
}

function nameOf({ requiredBandwidth }: LinkDemand, constraint: LinkConstraint): string {
  switch (constraint) {
    case 'bandwidth':
      return `the bandwidth of ${requiredBandwidth}`;
    case 'affinity':
      return 'the affinity';
    case 'exclude':
      return 'what is to be excluded';
    case 'traffic':
      return 'regard to the traffic on links';
  }
}

/** A search that is too hard counts as vain: no advice is given that was not tried. */
function isThere(search: PathSearch): boolean {
  const { topology, costs, head, tail, via, isUsable } = search;
  if (via.length === 0) {
    const reached = distances(topology, costs, { origin: head, direction: 'from', isUsable });
    return reached[tail] !== Number.POSITIVE_INFINITY;
  }
  try {
    for (const _path of findBestPaths({ ...search, sorter: 'metric', onlyShortest: false })) return true;
  } catch (error) {
    if (!(error instanceof SearchTooHardError)) throw error;
  }
  return false;
}
