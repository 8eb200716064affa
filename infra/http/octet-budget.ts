// Bounds the octets of what is large and in memory at once: bodies of requests, or of replies.

export type OctetBudget = {
  /** Gives what lets go of them, however often it is called; undefined where others have too many. */
  take(octets: number): (() => void) | undefined;
  /** Octets that are taken. */
  held(): number;
};

/** Many small ones harm nobody. */
const smallOctets = 64 * 1024;

/** What is below 64 KiB is not counted, and what is larger than the whole budget is let in when nothing else is. */
export function createOctetBudget(maxOctets: number): OctetBudget {
  let held = 0;
  return {
    take(octets) {
      if (octets < smallOctets) return () => undefined;
      if (held > 0 && held + octets > maxOctets) return undefined;
      held += octets;
      let isHeld = true;
      return () => {
        if (isHeld) held -= octets;
        isHeld = false;
      };
    },
    held: () => held,
  };
}
