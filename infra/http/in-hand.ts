// The requests that are in hand: until the reply is sent, and until their handler is done even when the caller left.

export type InHand = {
  size(): number;
  /** Counts the request; each hold has to be let go once. A request with several holds counts once. */
  hold(request: object): () => void;
  /** Resolves when none is in hand. */
  whenEmpty(): Promise<void>;
};

export function createInHand(): InHand {
  const holds = new Map<object, number>();
  let waiting: (() => void)[] = [];

  return {
    size: () => holds.size,
    hold(request) {
      holds.set(request, (holds.get(request) ?? 0) + 1);
      return () => {
        const left = (holds.get(request) ?? 0) - 1;
        if (left > 0) holds.set(request, left);
        else holds.delete(request);
        if (holds.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      };
    },
    whenEmpty: () =>
      holds.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
  };
}
