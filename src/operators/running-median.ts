import type { RingCell } from '../state/index.js';

/**
 * The exact median of the values in a ring, kept as a sorted array beside it: a new value costs two binary searches and
 * one move of memory between the places of the old and the new one. The array follows from the ring, so only the
 * ring is state.
 */
export class RunningMedian {
  private readonly sorted: Float64Array;

  constructor(
    private readonly ring: RingCell<number>,
    length: number,
  ) {
    this.sorted = new Float64Array(length);
    for (let i = 0; i < ring.size; i++) this.sorted[i] = ring.at(i) as number;
    this.sorted.subarray(0, ring.size).sort();
  }

  /** Takes a finite number. */
  add(value: number): void {
    const number = value + 0; // -0 becomes 0: sorting would tell them apart, comparing does not
    const size = this.ring.size;
    const pushedOut = this.ring.push(number);
    const from = pushedOut === undefined ? size : this.placeOf(pushedOut, size);
    let to = this.placeOf(number, size);
    if (to > from) {
      to--; // the values between move down by one
      this.sorted.copyWithin(from, from + 1, to + 1);
    } else {
      this.sorted.copyWithin(to + 1, to, from);
    }
    this.sorted[to] = number;
  }

  /** The middle value, or the mean of the two; `undefined` of none. */
  median(): number | undefined {
    const size = this.ring.size;
    if (size === 0) return undefined;
    const low = this.sorted[(size - 1) >> 1] as number;
    const high = this.sorted[size >> 1] as number;
    return low === high ? low : low / 2 + high / 2; // halves first: the sum could overflow
  }

  /** The first place among `size` values that is not below `value`. */
  private placeOf(value: number, size: number): number {
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
