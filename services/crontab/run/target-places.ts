// How many calls one target has at once: the others wait for their turn, and their time does not run yet.

export type TargetPlaces = {
  /**
   * Offers a place when there is one, at once if there is one now; `take` returns false where none is wanted any more.
   * Whoever took one has to leave it.
   */
  enter(target: string, take: () => boolean): void;
  leave(target: string): void;
};

type Queue = { taken: number; waiting: (() => boolean)[]; nextWaiting: number };

/** Places are offered in the order in which they were asked for. */
export function createTargetPlaces(maxPerTarget: number): TargetPlaces {
  const queues = new Map<string, Queue>();

  return {
    enter(target, take) {
      const queue = queues.get(target) ?? { taken: 0, waiting: [], nextWaiting: 0 };
      if (queue.taken === maxPerTarget) {
        queue.waiting.push(take);
        return;
      }
      if (!take()) return;
      queue.taken += 1;
      queues.set(target, queue);
    },
    leave(target) {
      const queue = queues.get(target);
      if (queue === undefined) return;
      while (queue.nextWaiting < queue.waiting.length) {
        const take = queue.waiting[queue.nextWaiting];
        queue.nextWaiting += 1;
        // Where somebody always waits it would grow for ever: half of it at most is of those who have had their turn.
        if (2 * queue.nextWaiting >= queue.waiting.length) {
          queue.waiting = queue.waiting.slice(queue.nextWaiting);
          queue.nextWaiting = 0;
        }
        if (take?.()) return;
      }
      queue.taken -= 1;
      if (queue.taken === 0) queues.delete(target);
    },
  };
}
