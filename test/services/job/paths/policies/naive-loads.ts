// What policies put on links, added up straight from its segments.
import type { PathLink, SrPolicy, Way } from '../../../../../contracts/path-request.ts';

/** By link: the part of a policy that goes over it. */
export function naiveParts(way: Way): Map<string, number> {
  const parts = new Map<string, number>();
  for (const paths of way) {
    for (const hops of paths) {
      for (const link of hops.filter((_, place) => place % 2 === 1)) {
        parts.set(link, (parts.get(link) ?? 0) + 1 / paths.length);
      }
    }
  }
  return parts;
}

/** What is left of `bandwidth_reserve`, as links that have it available. */
export function createNaiveLeft(links: readonly PathLink[]) {
  const taken = new Map<string, number>();
  // Nine decimals: rougher than the binary noise, finer than any amount drawn.
  const leftOf = (key: string, reserve: number): number => +(reserve - (taken.get(key) ?? 0)).toFixed(9);
  const current = () =>
    links.map((link) => ({
      ...link,
      qos_class: link.qos_class.map((one) => ({
        ...one,
        bandwidth_available: leftOf(`${link.id} ${one.class}`, one.bandwidth_reserve),
      })),
    }));
  return {
    links: current,
    /** The least of all classes and links. */
    least: () =>
      Math.min(...current().flatMap(({ qos_class }) => qos_class.map((one) => one.bandwidth_available))),
    take(policy: SrPolicy, way: Way, factor: number): void {
      for (const [link, part] of naiveParts(way)) {
        const key = `${link} ${policy.class}`;
        taken.set(key, (taken.get(key) ?? 0) + part * policy.bandwidth * factor);
      }
    },
  };
}
