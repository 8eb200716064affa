// The due times of all queries in one binary heap over a single timer.

/** Something that happens at a time; `heapIndex` belongs to the heap and is -1 while the entry is not in it. */
export type TimerEntry = { dueAt: number; heapIndex: number; onDue(): void };

export type TimerHeap<Entry extends TimerEntry> = {
  /** (Re)schedules an entry for `dueAt`, in milliseconds of the heap's clock. */
  set(entry: Entry, dueAt: number): void;
  /** Takes an entry out; no effect when it is not in. */
  clear(entry: Entry): void;
  /** Takes all entries out without calling them, and returns them. */
  stop(): Entry[];
};

/** Longest wait of the one timer; Node turns waits past 2^31 ms into 1 ms. */
const maxWaitMs = 60_000;
/** One turn of the event loop calls entries for this long: replies that arrive meanwhile would be measured late. */
const batchMs = 0.25;
/** A timer that is this late says that the event loop stalled, */
const stallMs = 20;
/**
 * and so many turns may read what arrived meanwhile before anything is given up, each about 32 datagrams of a socket.
 * Not counted in milliseconds: a process that was kept from running once may well be again.
 */
const maxDrainTurns = 16;

/**
 * Creates a heap on the clock `now` (milliseconds). Entries come due in order of `dueAt`, never early and as a
 * rule within 2 ms. After a stall they wait for as long as `readCount` (messages read so far) keeps growing. The timer does not keep the process alive: what waits for a reply holds a socket that does.
 */
export function createTimerHeap<Entry extends TimerEntry>(
  now: () => number,
  readCount: () => number,
): TimerHeap<Entry> {
  const heap: Entry[] = [];
  let timer: NodeJS.Timeout | null = null;
  let armedFor = Infinity;
  let expiry: NodeJS.Immediate | null = null;

  function set(entry: Entry, dueAt: number): void {
    const index = entry.heapIndex;
    if (index < 0) {
      entry.dueAt = dueAt;
      heap.push(entry);
      siftUp(entry, heap.length - 1);
    } else {
      const isLater = dueAt > entry.dueAt;
      entry.dueAt = dueAt;
      if (isLater) siftDown(entry, index);
      else siftUp(entry, index);
    }
    arm();
  }

  function clear(entry: Entry): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = heap.pop();
    if (last === undefined || last === entry) return;
    if (last.dueAt < entry.dueAt) siftUp(last, index);
    else siftDown(last, index);
  }

  function siftUp(entry: Entry, start: number): void {
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.dueAt <= entry.dueAt) break;
      place(parent, index);
      index = parentIndex;
    }
    place(entry, index);
  }

  function siftDown(entry: Entry, start: number): void {
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const sibling = heap[childIndex + 1];
      if (sibling !== undefined && sibling.dueAt < child.dueAt) {
        child = sibling;
        childIndex++;
      }
      if (child.dueAt >= entry.dueAt) break;
      place(child, index);
      index = childIndex;
    }
    place(entry, index);
  }

  function place(entry: Entry, index: number): void {
    heap[index] = entry;
    entry.heapIndex = index;
  }

  // A timer that is armed too early (its entry was cleared) is left to fire: most entries are cleared within a
  // millisecond of being set, and one idle firing is cheaper than re-arming for each of them.
  function arm(): void {
    const head = heap[0];
    if (head === undefined || head.dueAt >= armedFor || expiry !== null) return;
    if (timer !== null) clearTimeout(timer);
    armedFor = head.dueAt;
    const waitMs = Math.ceil(head.dueAt - now());
    timer = setTimeout(onTimer, Math.min(Math.max(waitMs, 1), maxWaitMs));
    timer.unref();
  }

  // After a stall of the event loop timers run before sockets are read. Expiring one phase later lets replies
  // that arrived in time be seen before their queries are given up.
  function onTimer(): void {
    const hasStalled = now() - armedFor > stallMs;
    timer = null;
    armedFor = Infinity;
    expiry = hasStalled ? setImmediate(drain, readCount(), maxDrainTurns) : setImmediate(expire);
  }

  function drain(countBefore: number, turnsLeft: number): void {
    const count = readCount();
    if (count === countBefore || turnsLeft === 0) expire();
    else expiry = setImmediate(drain, count, turnsLeft - 1);
  }

  function expire(): void {
    const time = now();
    for (let head = heap[0]; head !== undefined && head.dueAt <= time; head = heap[0]) {
      clear(head);
      head.onDue();
      if (now() - time >= batchMs) {
        expiry = setImmediate(expire);
        return;
      }
    }
    expiry = null;
    arm();
  }

  function stop(): Entry[] {
    if (timer !== null) clearTimeout(timer);
    if (expiry !== null) clearImmediate(expiry);
    timer = null;
    expiry = null;
    armedFor = Infinity;
    for (const entry of heap) entry.heapIndex = -1;
    return heap.splice(0);
  }

  return { set, clear, stop };
}
