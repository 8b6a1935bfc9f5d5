import type { RingCell } from '../../../state/index.js';
import { comparableText } from '../../../util/json-text.js';

/** What is the same for equal values: of times, bytes and objects what they hold. */
export const sameFor = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? comparableText(value) : value;

/** The most frequent value of a ring; of several equally frequent ones the one that came last. Only the ring is state. */
export class RunningMode<V> {
  /** How often each value lies in the ring, in the order in which they last came. */
  private counts: Map<unknown, number> | undefined;

  constructor(private readonly ring: RingCell<V>) {}

  add(value: V): void {
    const counts = this.arranged();
    const size = this.ring.size;
    const pushedOut = this.ring.push(value);
    if (size > 0 && this.ring.size === size) {
      const gone = sameFor(pushedOut);
      const left = (counts.get(gone) as number) - 1;
      if (left === 0) counts.delete(gone);
      else counts.set(gone, left);
    }
    count(counts, value);
  }

  mode(): V | undefined {
    let most = 0;
    let mode: unknown;
    for (const [value, count] of this.arranged()) {
      if (count < most) continue;
      most = count;
      mode = value;
    }
    return most === 0 ? undefined : this.latest(mode);
  }

  /** The value itself, where what is counted is only the same for it. */
  private latest(same: unknown): V | undefined {
    const { ring } = this;
    if (typeof same !== 'string') return same as V;
    for (let i = ring.size - 1; i >= 0; i--) if (sameFor(ring.at(i)) === same) return ring.at(i);
    return undefined;
  }

  private arranged(): Map<unknown, number> {
    if (this.counts) return this.counts;
    this.counts = new Map();
    for (let i = 0; i < this.ring.size; i++) count(this.counts, this.ring.at(i));
    return this.counts;
  }
}

/** One more of a value, and to the end of the order. */
function count(counts: Map<unknown, number>, value: unknown): void {
  const same = sameFor(value);
  const before = counts.get(same) ?? 0;
  counts.delete(same);
  counts.set(same, before + 1);
}
