/** How long a batch takes by its number of rows, and which number is the best. */
export interface LatencyCurve {
  /** The expected time of a batch, in milliseconds: straight between the measured sizes. */
  ms(rows: number): number;
  /** What 99 of 100 batches of this size take at most. */
  p99Ms(rows: number): number;
  /** The smallest size that answers nearly as many rows a second as any other. */
  bestRows(): number;
  /** A batch of `rows` rows took `ms`. */
  observe(rows: number, ms: number): void;
}

export interface Point {
  readonly rows: number;
  readonly ms: number;
}

/** A smaller batch is better where it answers this share of the rows a second: rows wait less, and less memory is used. */
const NEARLY = 0.95;
/** The share of a new time in the mean of a size: about the last 30 batches count. */
const FORGET = 1 / 30;
/** The step by which the pad moves towards the 99th percentile; also the largest share of a second that it may miss. */
const STEP = 0.02;
const TAIL = 0.01;
/** One stalled batch (of a machine that sleeps) must not make the curve useless. */
const OUTLIER = 20;

/**
 * The latency curve of a model on a provider, from times measured at some sizes and kept up to date by each batch.
 *
 * It is not assumed that larger batches are better: trees are the fastest at about 8 rows, and kernels change their loops with the
 * size. A batch between two sizes corrects the one that it is nearer to. The 99th percentile is a factor on the curve, moved up by
 * each batch that was slower and down by each that was not (stochastic approximation, Robbins and Monro 1951), so it needs no sample.
 *
 * Memory: the sizes.
 */
export function latencyCurve(measured: readonly Point[]): LatencyCurve {
  const points = measured.map(({ rows, ms }) => ({ rows, ms }));
  let pad = 2;
  let best = bestOf(points);

  function ms(rows: number): number {
    const right = points.findIndex((point) => point.rows >= rows);
    const [from, to] = [points[right - 1], points[right]];
    if (to === undefined) {
      const last = points.at(-1) as Point;
      return (last.ms * rows) / last.rows;
    }
    if (from === undefined) return to.ms;
    return from.ms + ((to.ms - from.ms) * (rows - from.rows)) / (to.rows - from.rows);
  }

  return {
    ms,
    p99Ms: (rows) => ms(rows) * pad,
    bestRows: () => best,
    observe(rows, taken) {
      const ratio = Math.min(taken / ms(rows), OUTLIER);
      pad = Math.max(1, pad + (ratio > pad ? STEP * (1 - TAIL) * pad : -STEP * TAIL * pad));
      const [first, ...others] = points;
      if (first === undefined) return;
      const near = others.reduce((a, b) => (Math.abs(b.rows - rows) < Math.abs(a.rows - rows) ? b : a), first);
      near.ms *= 1 + (ratio - 1) * FORGET;
      best = bestOf(points);
    },
  };
}

function bestOf(points: readonly Point[]): number {
  const rate = ({ rows, ms }: Point) => rows / ms;
  const most = Math.max(...points.map(rate));
  return points.find((point) => rate(point) >= NEARLY * most)?.rows ?? 1;
}

/** The sizes at which a curve is measured: the powers of two up to `batchMax`, and `batchMax` itself. */
export function measuredSizes(batchMax: number): number[] {
  const sizes: number[] = [];
  for (let rows = 1; rows < batchMax; rows *= 2) sizes.push(rows);
  return [...sizes, batchMax];
}
