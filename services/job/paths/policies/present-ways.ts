// What congestion relief moves about: where each policy runs at present, and what links carry and have left by that.
import type { PathRequest, SrPolicy } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';
import { roundAmount, scaleAmount } from './amounts.ts';
import { type Books, createBooks, linkDecimals } from './bandwidths.ts';
import { type Share, sharesOf } from './way-shares.ts';

export type CongestionRequest = PathRequest<'bod_congest_reopt'>;

/** Policies and links are meant by index. */
export type PresentWays = {
  books: Books;
  /** Never below 0, also where policies claim to have more traffic than a link reports. */
  trafficOn(link: number): number;
  /** What one policy carries, and the bandwidth that it takes. */
  trafficOf(policy: number): number;
  demandOf(policy: number): number;
  /** None for a policy that is nowhere. */
  sharesOf(policy: number): readonly Share[];
  /** Gives back what the policy takes and carries, and takes it for the new way; no shares: it is nowhere then. */
  move(policy: number, shares: readonly Share[]): void;
};

/** At first policies run where the request says; its amounts of links have them in already. */
export function createPresentWays(
  topology: Pick<Topology, 'links' | 'linkIndex'>,
  { sr_policy: policies, global }: Pick<CongestionRequest, 'sr_policy' | 'global'>,
): PresentWays {
  const { links } = topology;
  const traffics = policies.map((policy) => scaleAmount(policy.traffic_flow, global.flow_factor));
  const demands = policies.map((policy) => scaleAmount(policy.bandwidth, global.flow_factor));
  const present: (readonly Share[])[] = policies.map(({ path }) => sharesOf(topology, path));
  const largest = new Map<number, number>();
  for (const [policy, shares] of present.entries()) {
    const amount = Math.max(traffics[policy] as number, demands[policy] as number);
    for (const { link } of shares) largest.set(link, Math.max(largest.get(link) ?? 0, amount));
  }
  const decimals = linkDecimals(links, largest);
  const books = createBooks(topology, 'bandwidth_available', decimals);
  const carried = Float64Array.from(links, ({ traffic_flow }, link) =>
    roundAmount(traffic_flow, decimals[link] as number),
  );

  const carry = (shares: readonly Share[], amount: number): void => {
    for (const { link, part } of shares) {
      const places = decimals[link] as number;
      const change = roundAmount(amount * part, places);
      carried[link] = roundAmount((carried[link] as number) + change, places);
    }
  };
  return {
    books,
    trafficOn: (link) => Math.max(0, carried[link] as number),
    trafficOf: (policy) => traffics[policy] as number,
    demandOf: (policy) => demands[policy] as number,
    sharesOf: (policy) => present[policy] as readonly Share[],
    move(policy, shares) {
      const { class: className } = policies[policy] as SrPolicy;
      const before = present[policy] as readonly Share[];
      books.giveBack(className, before, demands[policy] as number);
      carry(before, -(traffics[policy] as number));
      books.take(className, shares, demands[policy] as number);
      carry(shares, traffics[policy] as number);
      present[policy] = shares;
    },
  };
}
