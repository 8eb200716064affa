// The computations of paths by the type of their job.
import type { AlgorithmReply, PathReply } from '../../../contracts/path-reply.ts';
import type { PathJobType, PathRequest } from '../../../contracts/path-request.ts';
import { computeModified, computeReserved, computeUnreserved } from './policies/compute-one.ts';
import type { ComputeDeps } from './policies/place-policy.ts';
import { relieveLinks } from './policies/relieve-links.ts';
import { reoptimiseReserved, reoptimiseUnreserved } from './policies/reoptimise.ts';

export { findPathRequestFaults } from './check/find-path-request-faults.ts';

type Computations = {
  [Type in PathJobType]: (request: PathRequest<Type>, deps: ComputeDeps) => AlgorithmReply[];
};

const computations: Computations = {
  bod_pasta: computeReserved,
  nonbod_pasta: computeUnreserved,
  bod_modified: computeModified,
  bod_reopt: reoptimiseReserved,
  nonbod_reopt: reoptimiseUnreserved,
  bod_congest_reopt: relieveLinks,
};

/**
 * Computes what the type of job asks for, by each algorithm of the request in its order; all of them start from the
 * same state. That there is no path is told in the reply. Expects a request without faults (`findPathRequestFaults`).
 * `now`: a clock in milliseconds that only goes on.
 */
export function computePaths<Type extends PathJobType>(
  type: Type,
  request: PathRequest<Type>,
  deps: ComputeDeps,
): PathReply {
  const compute: Computations[Type] = computations[type];
  return { info: {}, data: compute(request, deps) };
}
