// A first-in first-out queue that stays cheap at any length.

export type Fifo<T> = {
  readonly size: number;
  push(item: T): void;
  /** Takes the oldest item out; undefined when there is none. */
  shift(): T | undefined;
};

/** Consumed slots are dropped once there are this many and they make up half of the array. */
const compactAt = 64;

/** Creates an empty queue; `Array.prototype.shift` alone moves every item of a long queue each time. */
export function createFifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = [];
  let head = 0;
  let end = 0;
  return {
    get size() {
      return end - head;
    },
    push(item) {
      items[end++] = item;
    },
    shift() {
      if (head === end) return undefined;
      const item = items[head];
      items[head] = undefined;
      head++;
      if (head === end) {
        // A short array is kept: most queues hold one item, and a new array for each costs more than all the rest.
        if (end > compactAt) items = [];
        head = end = 0;
      } else if (head >= compactAt && head * 2 >= end) {
        items = items.slice(head, end);
        end -= head;
        head = 0;
      }
      return item;
    },
  };
}
