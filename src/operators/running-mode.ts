import type { RingCell } from '../state/index.js';

/** The most frequent value of a ring; of several equally frequent ones the one that came last. Only the ring is state. */
export class RunningMode<V> {
  /** How often each value lies in the ring, in the order in which they last came. */
  private counts: Map<V, number> | undefined;

  constructor(private readonly ring: RingCell<V>) {}

  add(value: V): void {
    const counts = this.arranged();
    const size = this.ring.size;
    const pushedOut = this.ring.push(value);
    if (size > 0 && this.ring.size === size) {
      const left = (counts.get(pushedOut as V) as number) - 1;
      if (left === 0) counts.delete(pushedOut as V);
      else counts.set(pushedOut as V, left);
    }
    const count = counts.get(value) ?? 0;
    counts.delete(value); // and to the end of the order
    counts.set(value, count + 1);
  }

  mode(): V | undefined {
    let most = 0;
    let mode: V | undefined;
    for (const [value, count] of this.arranged()) {
      if (count < most) continue;
      most = count;
      mode = value;
    }
    return mode;
  }

  private arranged(): Map<V, number> {
    if (this.counts) return this.counts;
    this.counts = new Map();
    for (let i = 0; i < this.ring.size; i++) {
      const value = this.ring.at(i) as V;
      const count = this.counts.get(value) ?? 0;
      this.counts.delete(value);
      this.counts.set(value, count + 1);
    }
    return this.counts;
  }
}
