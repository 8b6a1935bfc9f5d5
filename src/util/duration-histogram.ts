// Four buckets per octave: a quantile is at most 19 % too high, with 160 numbers at any load.
const PER_OCTAVE = 4;
const BUCKETS = 160;

/** A histogram of durations in milliseconds, from 0.001 ms up, cheap enough for every record. */
export class DurationHistogram {
  readonly counts = new Float64Array(BUCKETS);
  total = 0;
  sumMs = 0;

  record(durationMs: number, times = 1): void {
    const micros = Math.max(1, durationMs * 1_000);
    const bucket = Math.min(BUCKETS - 1, Math.ceil(Math.log2(micros) * PER_OCTAVE));
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

  add(other: DurationHistogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++)
      this.counts[bucket] = (this.counts[bucket] ?? 0) + (other.counts[bucket] ?? 0);
    this.total += other.total;
    this.sumMs += other.sumMs;
  }
}
