// Four buckets per octave: a quantile is at most 19 % too high, with 160 numbers at any load.
const PER_OCTAVE = 4;
const BUCKETS = 160;

/** The bin of a duration. */
export const binOf = (micros: number): number =>
  Math.min(BUCKETS - 1, Math.ceil(Math.log2(Math.max(1, micros)) * PER_OCTAVE));

/** A histogram of durations in milliseconds, from 0.001 ms up, cheap enough for every record. */
export class DurationHistogram {
  readonly counts = new Float64Array(BUCKETS);
  total = 0;
  sumMs = 0;

  record(durationMs: number, times = 1): void {
    const bucket = binOf(durationMs * 1_000);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + times;
    this.total += times;
    this.sumMs += durationMs * times;
  }

  /** The upper bound of the quantile's bucket; 0 if nothing was recorded. */
  quantileMs(q: number): number {
    let rest = q * this.total;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      rest -= this.counts[bucket] ?? 0;
      if (rest <= 0 && this.total > 0) return 2 ** (bucket / PER_OCTAVE) / 1_000;
    }
    return 0;
  }

  copy(): DurationHistogram {
    const copied = new DurationHistogram();
    copied.add(this);
    return copied;
  }

  /** What was recorded after `before`, an earlier copy of it. */
  since(before: DurationHistogram): DurationHistogram {
    const later = this.copy();
    for (let bucket = 0; bucket < BUCKETS; bucket++)
      later.counts[bucket] = (later.counts[bucket] ?? 0) - (before.counts[bucket] ?? 0);
    later.total -= before.total;
    later.sumMs -= before.sumMs;
    return later;
  }

  add(other: DurationHistogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++)
      this.counts[bucket] = (this.counts[bucket] ?? 0) + (other.counts[bucket] ?? 0);
    this.total += other.total;
    this.sumMs += other.sumMs;
  }
}
