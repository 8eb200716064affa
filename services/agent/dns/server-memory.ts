// Remembers for a while one peculiarity of servers, so that each query need not find it out anew.

export type ServerMemory = {
  has(serverKey: string): boolean;
  remember(serverKey: string): void;
};

/** Servers do get updated: after this time they are treated like any other again. */
const keepMs = 10 * 60_000;
/** More servers than this are not remembered; they cost one more query each. */
const maxServers = 10_000;

/** Creates an empty memory on the clock `now` (milliseconds). */
export function createServerMemory(now: () => number): ServerMemory {
  const keptUntil = new Map<string, number>();

  function has(serverKey: string): boolean {
    if (keptUntil.size === 0) return false;
    const until = keptUntil.get(serverKey);
    if (until === undefined) return false;
    if (until > now()) return true;
    keptUntil.delete(serverKey);
    return false;
  }

  function remember(serverKey: string): void {
    // Not prolonged by the queries it leads to itself: a busy server would never be tried otherwise again.
    if (has(serverKey)) return;
    if (keptUntil.size >= maxServers) {
      const [oldest] = keptUntil.keys();
      if (oldest !== undefined) keptUntil.delete(oldest);
    }
    keptUntil.set(serverKey, now() + keepMs);
  }

  return { has, remember };
}
