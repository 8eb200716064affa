// Remembers for a while which servers refuse EDNS.

export type EdnsMemory = {
  /** Whether the server is to be asked without EDNS. */
  isPlain(serverKey: string): boolean;
  /** The server answers without EDNS and not with it. */
  rememberPlain(serverKey: string): void;
};

/** Servers do get updated: after this time EDNS is tried again. */
const keepMs = 10 * 60_000;
/** More servers than this are not remembered; they cost one more query each. */
const maxServers = 10_000;

/** Creates an empty memory on the clock `now` (milliseconds). */
export function createEdnsMemory(now: () => number): EdnsMemory {
  const plainUntil = new Map<string, number>();

  function isPlain(serverKey: string): boolean {
    if (plainUntil.size === 0) return false;
    const until = plainUntil.get(serverKey);
    if (until === undefined) return false;
    if (until > now()) return true;
    plainUntil.delete(serverKey);
    return false;
  }

  function rememberPlain(serverKey: string): void {
    // Not prolonged by the plain queries it leads to itself: a busy server would never be tried again.
    if (isPlain(serverKey)) return;
    if (plainUntil.size >= maxServers) {
      const [oldest] = plainUntil.keys();
      if (oldest !== undefined) plainUntil.delete(oldest);
    }
    plainUntil.set(serverKey, now() + keepMs);
  }

  return { isPlain, rememberPlain };
}
