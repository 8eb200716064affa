// The bandwidth of the links itself, for policies that reserve none of it.
import type { PathLink } from '../../../../contracts/path-request.ts';

/** By link; -1 where it is not known. */
export function linkBandwidths(links: readonly PathLink[]): Float64Array {
  return Float64Array.from(links, ({ bandwidth }) => bandwidth);
}
