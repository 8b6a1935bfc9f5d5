import type { RingCell } from '../../../state/index.js';

/** Values between two questions from which on it costs less to look for a median than to keep the values in order. */
const RARELY = 32;

/**
 * The exact median and quantiles of the values in a ring. As long as they are asked for often, a sorted array is kept beside the
 * ring: a new value costs two binary searches and one move of memory. Asked for rarely, a median is selected from the ring
 * each time, and a new value costs nothing but its place there. Both give the same number; only the ring is state.
 */
export class RunningQuantiles {
  private readonly values: Float64Array;
  private isSorted = false;
  /** Values added since somebody last asked. */
  private unasked = 0;

  constructor(
    private readonly ring: RingCell<number>,
    length: number,
  ) {
    this.values = new Float64Array(length);
  }

  /** Takes a finite number. */
  add(value: number): void {
    const number = value + 0; // -0 becomes 0: sorting would tell them apart, comparing does not
    const size = this.ring.size;
    const pushedOut = this.ring.push(number);
    if (++this.unasked > RARELY) this.isSorted = false;
    if (this.isSorted) this.replace(pushedOut, number, size);
  }

  /** The middle value, or the mean of the two; `undefined` of none. */
  median(): number | undefined {
    const { ring, values } = this;
    const size = ring.size;
    if (size === 0) return undefined;
    if (!this.isSorted) this.arrange(size);
    this.unasked = 0;
    const low = values[(size - 1) >> 1] as number;
    const high = values[size >> 1] as number;
    return low === high ? low : low / 2 + high / 2; // halves first: the sum could overflow
  }

  /**
   * The value below which a share `q` of the values lies, between two of them by their distance (as numpy's and R's default);
   * `undefined` of none.
   */
  quantile(q: number): number | undefined {
    const { ring, values } = this;
    const { size } = ring;
    if (size === 0) return undefined;
    this.sort(size);
    const at = (size - 1) * q;
    const below = Math.floor(at);
    const low = values[below] as number;
    const high = values[Math.min(below + 1, size - 1)] as number;
    return low === high ? low : low * (1 - (at - below)) + high * (at - below); // no difference: it could overflow
  }

  /** The median distance of the values from a center that lies among them; `undefined` of none. */
  medianDistance(center: number): number | undefined {
    const { ring, values } = this;
    const { size } = ring;
    if (size === 0) return undefined;
    this.sort(size);
    // Distances grow to both sides of the center: merge the two until half of them are passed.
    let above = this.placeOf(center, size);
    let below = above - 1;
    let [last, nearest] = [0, 0];
    for (let passed = 0; passed <= size >> 1; passed++) {
      const down = below >= 0 ? center - (values[below] as number) : Number.POSITIVE_INFINITY;
      const up = above < size ? (values[above] as number) - center : Number.POSITIVE_INFINITY;
      last = nearest;
      nearest = Math.min(down, up);
      if (down < up) below--;
      else above++;
    }
    return size % 2 === 1 || last === nearest ? nearest : last / 2 + nearest / 2;
  }

  private sort(size: number): void {
    this.unasked = 0;
    if (!this.isSorted) this.arrange(size);
  }

  /** Takes the ring's values, and puts the middle ones, or all, where they belong. */
  private arrange(size: number): void {
    const { ring, values } = this;
    ring.copyTo(values);
    if (this.unasked <= RARELY) {
      values.subarray(0, size).sort();
      this.isSorted = true;
      return;
    }
    select(values, size, size >> 1);
    if (size % 2 === 0) select(values, size >> 1, (size >> 1) - 1); // among those below
  }

  private replace(pushedOut: number | undefined, number: number, size: number): void {
    const from = pushedOut === undefined ? size : this.placeOf(pushedOut, size);
    let to = this.placeOf(number, size);
    if (to > from) {
      to--; // the values between move down by one
      this.values.copyWithin(from, from + 1, to + 1);
    } else {
      this.values.copyWithin(to + 1, to, from);
    }
    this.values[to] = number;
  }

  /** The first place among `size` sorted values that is not below `value`. */
  private placeOf(value: number, size: number): number {
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.values[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Puts the value that sorting would put at `place` there, none above it before it and none below it behind it.
 * Source: Hoare, "Algorithm 65: find", CACM 1961.
 */
function select(values: Float64Array, size: number, place: number): void {
  let low = 0;
  let high = size - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let up = low;
    let down = high;
    while (up <= down) {
      while ((values[up] as number) < pivot) up++;
      while ((values[down] as number) > pivot) down--;
      if (up > down) break;
      const swapped = values[up] as number;
      values[up++] = values[down] as number;
      values[down--] = swapped;
    }
    if (place <= down) high = down;
    else if (place >= up) low = up;
    else return;
  }
}
