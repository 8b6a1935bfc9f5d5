/** An entry of an `AgedMap`, linked to its neighbours in the order of writing. */
export interface Entry<K, V> {
  readonly key: K;
  value: V;
  /** Time of its write, counted from the start of its segment: a small integer, which V8 keeps without an allocation. */
  offsetMs: number;
  readonly segment: Segment<K, V>;
  previous: Entry<K, V> | undefined;
  next: Entry<K, V> | undefined;
}

/** A run of entries written within the same slice of time: one bucket of the changelog. */
export class Segment<K, V> {
  head: Entry<K, V> | undefined;
  tail: Entry<K, V> | undefined;
  size = 0;
  /** Differs from what was last handed to the changelog. */
  changed = false;
  /** The changelog knows it, so its end must be told too. */
  stored = false;

  constructor(
    readonly id: number,
    readonly startMs: number,
    readonly spanMs: number,
  ) {}

  clear(): void {
    this.head = undefined;
    this.tail = undefined;
    this.size = 0;
  }
}

export function append<K, V>(segment: Segment<K, V>, key: K, value: V, offsetMs: number): Entry<K, V> {
  const entry: Entry<K, V> = { key, value, offsetMs, segment, previous: segment.tail, next: undefined };
  if (segment.tail) segment.tail.next = entry;
  else segment.head = entry;
  segment.tail = entry;
  segment.size++;
  return entry;
}

export function unlink<K, V>(entry: Entry<K, V>): void {
  const { segment, previous, next } = entry;
  if (previous) previous.next = next;
  else segment.head = next;
  if (next) next.previous = previous;
  else segment.tail = previous;
  segment.size--;
}
