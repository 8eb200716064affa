// Links that are out for the traffic they carry (`real_traffic`).
import type { PathLink } from '../../../../contracts/path-request.ts';
import { scaleAmount } from './amounts.ts';

type TrafficRule = { real_traffic: boolean; traffic_ratio: number };

/**
 * By link: 1 where it carries more than `traffic_ratio` of its bandwidth; links of unknown bandwidth stay. Nothing when
 * the request does not ask for it.
 */
export function blockLoadedLinks(
  links: readonly PathLink[],
  { real_traffic, traffic_ratio }: TrafficRule,
): Uint8Array | undefined {
  if (!real_traffic) return undefined;
  return Uint8Array.from(links, ({ bandwidth, traffic_flow }) =>
    bandwidth !== -1 && traffic_flow > scaleAmount(bandwidth, traffic_ratio) ? 1 : 0,
  );
}
