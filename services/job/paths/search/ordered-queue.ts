// A binary heap of items that one number does not put in order.

export type OrderedQueue<Item> = {
  push(item: Item): void;
  /** Takes out the item that comes before all others. */
  pop(): Item | undefined;
};

/** `compare` is negative where the first of its two comes before the second. */
export function createOrderedQueue<Item>(compare: (one: Item, other: Item) => number): OrderedQueue<Item> {
  const items: Item[] = [];
  return {
    push(item) {
      let place = items.length;
      while (place > 0) {
        const above = (place - 1) >> 1;
        const parent = items[above];
        if (parent === undefined || compare(item, parent) >= 0) break;
        items[place] = parent;
        place = above;
      }
      items[place] = item;
    },
    pop() {
      const top = items[0];
      const last = items.pop();
      if (last === undefined || items.length === 0) return top;
      let place = 0;
      for (;;) {
        let below = 2 * place + 1;
        let child = items[below];
        if (child === undefined) break;
        const sibling = items[below + 1];
        if (sibling !== undefined && compare(sibling, child) < 0) {
          below += 1;
          child = sibling;
        }
        if (compare(child, last) >= 0) break;
        items[place] = child;
        place = below;
      }
      items[place] = last;
      return top;
    },
  };
}
