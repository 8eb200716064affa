// The requests that are in hand: until the reply is sent, and until their handler is done even when the caller left.

export type InHand = {
  size(): number;
  /** Counts the request; each hold has to be let go once. A request with several holds counts once. */
  hold(request: object): () => void;
  /** Calls back when all holds of the request, which has at least one now, have been let go. */
  whenLetGo(request: object, callback: () => void): void;
  /** Resolves when none is in hand. */
  whenEmpty(): Promise<void>;
};

type Held = { holds: number; callbacks: (() => void)[] };

export function createInHand(): InHand {
  const requests = new Map<object, Held>();
  let waiting: (() => void)[] = [];

  function letGo(request: object, held: Held): void {
    held.holds -= 1;
    if (held.holds > 0) return;
    requests.delete(request);
    for (const callback of held.callbacks) callback();
    if (requests.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    size: () => requests.size,
    hold(request) {
      const held = requests.get(request) ?? { holds: 0, callbacks: [] };
      requests.set(request, held);
      held.holds += 1;
      return () => letGo(request, held);
    },
    whenLetGo(request, callback) {
      const held = requests.get(request);
      if (held === undefined) callback();
      else held.callbacks.push(callback);
    },
    whenEmpty: () =>
      requests.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
  };
}
