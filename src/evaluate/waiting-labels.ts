/** What waits until a time, taken in the order of the times; of equal times in the order in which it came. */
export interface WaitingLabels<T> {
  size(): number;
  add(timeMs: number, value: T): void;
  /** Takes all up to a time. */
  take(untilMs: number, use: (value: T) => void): void;
}

interface Entry<T> {
  readonly timeMs: number;
  readonly number: number;
  readonly value: T;
}

const isBefore = (a: Entry<unknown>, b: Entry<unknown>): boolean =>
  a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.number < b.number);

/**
 * Opens a queue of labels by the times at which they come (a binary heap).
 *
 * @example
 * const waiting = waitingLabels<string>();
 * waiting.add(5, 'late');
 * waiting.add(3, 'early');
 * waiting.take(4, (value) => console.log(value)); // early
 */
export function waitingLabels<T>(): WaitingLabels<T> {
  const heap: Entry<T>[] = [];
  let number = 0;
  const swap = (a: number, b: number): void => {
    const kept = heap[a] as Entry<T>;
    heap[a] = heap[b] as Entry<T>;
    heap[b] = kept;
  };
  const sink = (): void => {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      let least = at;
      for (const child of [left, left + 1])
        if (child < heap.length && isBefore(heap[child] as Entry<T>, heap[least] as Entry<T>)) least = child;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };
  return {
    size: () => heap.length,
    add(timeMs, value) {
      heap.push({ timeMs, number: number++, value });
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isBefore(heap[at] as Entry<T>, heap[parent] as Entry<T>)) return;
        swap(at, parent);
        at = parent;
      }
    },
    take(untilMs, use) {
      for (;;) {
        const first = heap[0];
        if (first === undefined || first.timeMs > untilMs) return;
        const last = heap.pop() as Entry<T>;
        if (heap.length > 0) {
          heap[0] = last;
          sink();
        }
        use(first.value);
      }
    },
  };
}
