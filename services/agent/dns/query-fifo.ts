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
  return {
    get size() {
      return items.length - head;
    },
    push(item) {
      items.push(item);
    },
    shift() {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head++;
      if (head === items.length) {
        items.length = 0;
        head = 0;
      } else if (head >= compactAt && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}
