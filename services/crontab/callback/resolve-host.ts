// Addresses of host names, kept for a few seconds.
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';

export type ResolveHost = (name: string) => Promise<LookupAddress[]>;

/** Every new connection asks, and only few questions of a process are asked at a time: a slow name delays all others. */
const keptMs = 5000;
const maxKeptNames = 1000;

/** All addresses of a name, in the order of the system; one question at a time for each name. Failures are not kept. */
export function createHostResolver(): ResolveHost {
  const kept = new Map<string, { addresses: Promise<LookupAddress[]>; untilMs: number }>();
  return (name) => {
    const known = kept.get(name);
    if (known !== undefined && performance.now() < known.untilMs) return known.addresses;
    const addresses = lookup(name, { all: true });
    const entry = { addresses, untilMs: Infinity };
    kept.delete(name);
    kept.set(name, entry);
    if (kept.size > maxKeptNames) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    addresses.then(
      () => {
        entry.untilMs = performance.now() + keptMs;
      },
      () => {
        if (kept.get(name) === entry) kept.delete(name);
      },
    );
    return addresses;
  };
}
