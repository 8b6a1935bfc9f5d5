/** How long a batch takes by its number of rows, and which number is the best. */
export interface LatencyCurve {
  /** The expected time of a batch, in milliseconds. */
  ms(rows: number): number;
  /** What a batch costs beside its run, in milliseconds. */
  readonly overheadMs: number;
  /** What 99 of 100 batches of this size take at most. */
  p99Ms(rows: number): number;
  /** The smallest size that answers nearly as many rows a second as any other. */
  bestRows(): number;
  /** The run of a batch of `rows` rows took `ms`. */
  observe(rows: number, ms: number): void;
  /** How many times what was measured at first batches take now. */
  pace(): number;
  /** What was slow is over: batches are expected to take what was measured at first. */
  resetPace(): void;
}

/** The time of a run. */
export interface Point {
  readonly rows: number;
  readonly ms: number;
}

export interface CurveOptions {
  /** By rising sizes. Larger batches are run in parts of the last size, so their time is a multiple of its. */
  readonly points: readonly Point[];
  /** The largest batch. */
  readonly rowsMax: number;
  /** What a batch costs beside its run. */
  readonly overheadMs?: number;
}

/** A smaller batch is better where it answers this share of the rows a second: rows wait less, and less memory is used. */
const NEARLY = 0.98;
/** The share of a new time in the pace of all sizes: about the last 30 batches count. */
const FORGET = 1 / 30;
/** The share in the time of its own size, beside the pace: what a thousand batches of several sizes say. */
const LEARN = 1 / 1_000;
/** Batches after which the best size is looked for again. */
const LOOK_EVERY = 64;
/** The step by which the pad moves towards the 99th percentile. */
const STEP = 0.02;
const TAIL = 0.01;
/** One stalled batch (of a machine that sleeps) must not make the curve useless. */
const OUTLIER = 20;

/**
 * The latency curve of a model on a provider, from times measured at some sizes and kept up to date by each batch.
 *
 * It is straight between the sizes, and need not rise as they do. A busy machine makes all sizes slower, which is the *pace* and
 * changes no choice; only where sizes differ from it, the curve changes its shape: a batch between two sizes corrects the one that it
 * is nearer to. The 99th percentile is a factor on the curve, moved up by each batch that was slower and down by each that was not
 * (stochastic approximation, Robbins and Monro 1951), so it needs no sample.
 *
 * Memory: the sizes.
 */
export function latencyCurve({ points: measured, rowsMax, overheadMs = 0 }: CurveOptions): LatencyCurve {
  const points = measured.map(({ rows, ms }) => ({ rows, ms }));
  let pace = 1;
  let pad = 2;
  let best = bestSize();
  let observed = 0;

  function runMs(rows: number): number {
    // It is asked for each call, so it allocates nothing.
    let right = 0;
    while (right < points.length && (points[right] as Point).rows < rows) right++;
    const from = points[right - 1];
    const to = points[right];
    if (to === undefined) {
      const last = points.at(-1) as Point;
      return (last.ms * rows) / last.rows;
    }
    if (from === undefined) return to.ms;
    return from.ms + ((to.ms - from.ms) * (rows - from.rows)) / (to.rows - from.rows);
  }

  function bestSize(): number {
    const rate = (rows: number) => rows / (runMs(rows) + overheadMs);
    const sizes = measuredSizes(rowsMax);
    const most = Math.max(...sizes.map(rate));
    return sizes.find((rows) => rate(rows) >= NEARLY * most) ?? rowsMax;
  }

  const ms = (rows: number) => runMs(rows) * pace + overheadMs;

  return {
    overheadMs,
    ms,
    p99Ms: (rows) => ms(rows) * pad,
    bestRows: () => best,
    pace: () => pace,
    resetPace() {
      pace = 1;
    },
    observe(rows, taken) {
      const ratio = Math.min(taken / (runMs(rows) * pace), OUTLIER);
      pace *= 1 + (ratio - 1) * FORGET;
      pad = Math.max(1, pad + (ratio > pad ? STEP * (1 - TAIL) * pad : -STEP * TAIL * pad));
      const near = nearest(points, rows);
      near.ms *= 1 + (ratio - 1) * LEARN;
      if (++observed % LOOK_EVERY === 0) best = bestSize();
    },
  };
}

function nearest<P extends Point>(points: readonly P[], rows: number): P {
  const [first, ...others] = points as readonly [P, ...P[]];
  return others.reduce((a, b) => (Math.abs(b.rows - rows) < Math.abs(a.rows - rows) ? b : a), first);
}

/** The sizes at which a curve is measured: the powers of two up to the largest batch, and that. */
export function measuredSizes(rowsMax: number): number[] {
  const sizes: number[] = [];
  for (let rows = 1; rows < rowsMax; rows *= 2) sizes.push(rows);
  return [...sizes, rowsMax];
}
