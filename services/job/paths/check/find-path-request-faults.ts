// What no schema sees of a request for paths, by the type of its job.
import type { Fault } from '../../../../contracts/errors.ts';
import type { PathJobType, PathRequest } from '../../../../contracts/path-request.ts';
import { scaleAmount } from '../policies/amounts.ts';
import type { CongestionRequest } from '../policies/present-ways.ts';
import { collectIds, findNetworkFaults, type NetworkIds } from './find-network-faults.ts';
import { findPoliciesFaults, findPolicyFaults } from './find-policy-faults.ts';
import { findWayFaults } from './find-way-faults.ts';

type Checks = { [Type in PathJobType]: (request: PathRequest<Type>, ids: NetworkIds) => Fault[] };

const checks: Checks = {
  bod_pasta: checkOne,
  nonbod_pasta: checkOne,
  bod_modified: (request, ids) => [
    ...checkOne(request, ids),
    ...findWayFaults(request.sr_policy.former.path, 'sr_policy.former.path', ids),
  ],
  bod_reopt: checkAll,
  nonbod_reopt: checkAll,
  bod_congest_reopt: (request, ids) => [
    ...checkAll(request, ids),
    ...request.sr_policy.flatMap(({ path }, index) => findWayFaults(path, `sr_policy.${index}.path`, ids)),
    ...findCongestionFaults(request, ids),
  ],
};

/**
 * Every fault of a request that fits its schema, in the order network, policies, the rest; paths with dots as those of
 * the schema's faults. Ways of policies count where the computation goes by them only. Takes time in proportion to the
 * request.
 */
export function findPathRequestFaults<Type extends PathJobType>(
  type: Type,
  request: PathRequest<Type>,
): Fault[] {
  const check: Checks[Type] = checks[type];
  return check(request, collectIds(request));
}

function checkOne(request: PathRequest<'nonbod_pasta'>, ids: NetworkIds): Fault[] {
  const { sr_policy: policy } = request;
  return [...findNetworkFaults(request, ids, [policy.metric]), ...findPolicyFaults(policy, 'sr_policy', ids)];
}

function checkAll(
  request: Pick<PathRequest<'nonbod_reopt'>, 'nodes' | 'links' | 'sr_policy'>,
  ids: NetworkIds,
): Fault[] {
  const { sr_policy: policies } = request;
  const metrics = new Set(policies.map(({ metric }) => metric));
  return [...findNetworkFaults(request, ids, metrics), ...findPoliciesFaults(policies, ids)];
}

function findCongestionFaults({ congested_link, global }: CongestionRequest, { links }: NetworkIds): Fault[] {
  const { congest_threshold, target_threshold } = global;
  const faults: Fault[] = [];
  if (target_threshold > congest_threshold) {
    const reason = `${target_threshold} is more than the congest_threshold, ${congest_threshold}`;
    faults.push({ path: 'global.target_threshold', reason });
  }
  for (const [index, id] of congested_link.entries()) {
    const reason = findCongestedLinkFault(id, links, congest_threshold);
    if (reason !== undefined) faults.push({ path: `congested_link.${index}`, reason });
  }
  return faults;
}

function findCongestedLinkFault(
  id: string,
  links: NetworkIds['links'],
  threshold: number,
): string | undefined {
  const link = links.get(id);
  if (link === undefined) return `there is no link ${id}`;
  const { bandwidth, traffic_flow } = link;
  if (bandwidth <= 0) return `the bandwidth of ${id} is not known, or 0`;
  if (traffic_flow >= scaleAmount(bandwidth, threshold)) return undefined;
  return `${id} carries ${traffic_flow} of ${bandwidth}, less than the congest_threshold, ${threshold}`;
}
