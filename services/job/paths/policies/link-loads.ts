// How much traffic links may carry while congestion is relieved, and which of them carry too much.
import { scaleAmount } from './amounts.ts';
import type { CongestionRequest, PresentWays } from './present-ways.ts';

/** Links are meant by index. */
export type LinkLoads = {
  isCongested(link: number): boolean;
  /** Traffic by bandwidth. */
  ratio(link: number): number;
  /** The traffic beyond what a relieved link may have. */
  excess(link: number): number;
  /** Of these the one of the highest ratio, the first one of several. */
  mostLoaded(links: readonly number[]): number | undefined;
  /** By link: 1 where nothing with this much traffic may be put, and for those to avoid in any case. */
  blockFor(traffic: number, avoided: readonly number[]): Uint8Array;
};

/** Nothing is known of links of unknown bandwidth: they are never congested. */
export function createLinkLoads(
  { links, global }: Pick<CongestionRequest, 'links' | 'global'>,
  ways: Pick<PresentWays, 'trafficOn'>,
): LinkLoads {
  const limitsAt = (ratio: number): Float64Array =>
    Float64Array.from(links, ({ bandwidth }) =>
      bandwidth === -1 ? Number.POSITIVE_INFINITY : scaleAmount(bandwidth, ratio),
    );
  const limits = limitsAt(global.congest_threshold);
  const targets = limitsAt(global.target_threshold);
  const trusted = global.real_traffic ? limitsAt(global.traffic_ratio) : undefined;

  const isCongested = (link: number): boolean => ways.trafficOn(link) > (limits[link] as number);
  const ratio = (link: number): number => ways.trafficOn(link) / (links[link]?.bandwidth ?? 0);
  return {
    isCongested,
    ratio,
    excess: (link) => ways.trafficOn(link) - (targets[link] as number),
    mostLoaded(among) {
      let most: number | undefined;
      for (const link of among) if (most === undefined || ratio(link) > ratio(most)) most = link;
      return most;
    },
    blockFor(traffic, avoided) {
      const isBlocked = new Uint8Array(links.length);
      for (let link = 0; link < links.length; link += 1) {
        const carried = ways.trafficOn(link);
        // A sum that comes to the limit but for its binary noise is not beyond it.
        const isFull = carried + traffic > (limits[link] as number) * (1 + 1e-13);
        if (isFull || (trusted !== undefined && carried > (trusted[link] as number))) isBlocked[link] = 1;
      }
      for (const link of avoided) isBlocked[link] = 1;
      return isBlocked;
    },
  };
}
