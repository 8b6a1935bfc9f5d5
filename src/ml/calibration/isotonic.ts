import { MillraceError } from '../../core/errors.js';
import { requirePositive } from '../check-options.js';
import { wholeProblems } from '../metrics/metric.js';
import type { Calibrator } from './calibrator.js';

/** How fine a calibration is, and how fast it changes. */
export interface IsotonicOptions {
  /** Bins of what the model says; 20 by default, 1,000 at most. */
  readonly bins?: number;
  /** About how many of the newest labels it is made of; 10,000 by default. */
  readonly labels?: number;
}

/** Of a bin: the weight of its labels, of true ones, and the sum of what was said. */
const BIN = 3;

/**
 * Isotonic regression by bins: how often labels were true by what the model says, forced to rise. It mends any bend that keeps the order, and
 * needs more labels than `platt`.
 *
 * @example calibrated(hoeffdingTree({ classes: [false, true] }), isotonic({ bins: 50 }));
 *
 * Bins of equal width begin with one label that agrees with their middle. Neighbours that do not rise are pooled; between the means of bins it
 * is a straight line, so predictions of a bin keep their order. Memory: three numbers a bin. Cost: the bins, after each update.
 * Source: Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002; pooling as in Ayer
 * et al., 1955.
 * @throws MillraceError `config` where an option is out of range
 */
export function isotonic({ bins = 20, labels = 10_000 }: IsotonicOptions = {}): Calibrator {
  requirePositive('isotonic', { labels });
  const [problem] = wholeProblems('bins', bins, 2, 1_000);
  if (problem)
    throw new MillraceError('config', `isotonic: ${problem.message}`, { where: 'isotonic.bins', hint: problem.hint });
  const kept = Math.max(0, 1 - 1 / labels);
  return Object.freeze({
    kind: 'isotonic',
    settings: Object.freeze({ bins, labels }),
    structure: Object.freeze({ bins }),
    size: BIN * bins,
    open(values: Float64Array) {
      const said = new Float64Array(bins);
      const happened = new Float64Array(bins);
      let isFresh = false;
      const refit = (): void => {
        if (isFresh) return;
        isFresh = true;
        const weights = new Float64Array(bins);
        for (let bin = 0; bin < bins; bin++) {
          const middle = (bin + 0.5) / bins;
          const weight = 1 + (values[BIN * bin] as number);
          weights[bin] = weight;
          happened[bin] = (middle + (values[BIN * bin + 1] as number)) / weight;
          said[bin] = (middle + (values[BIN * bin + 2] as number)) / weight;
        }
        poolRising(happened, weights);
      };
      return {
        calibrate(p: number) {
          refit();
          return between(said, happened, p);
        },
        learn(p: number, isTrue: boolean, weight: number) {
          isFresh = false;
          for (let i = 0; i < values.length; i++) values[i] = kept * (values[i] as number);
          const at = BIN * Math.max(0, Math.min(bins - 1, Math.floor(p * bins)));
          values[at] = (values[at] as number) + weight;
          values[at + 1] = (values[at + 1] as number) + (isTrue ? weight : 0);
          values[at + 2] = (values[at + 2] as number) + weight * p;
        },
        refresh() {
          isFresh = false;
        },
      };
    },
  });
}

/**
 * Makes numbers rise by the least change, by weight: neighbours that fall become their mean (pool adjacent violators).
 *
 * @example poolRising(Float64Array.of(1, 3, 2), Float64Array.of(1, 1, 1)); // 1, 2.5, 2.5
 */
export function poolRising(numbers: Float64Array, weights: ArrayLike<number>): void {
  const starts: number[] = [];
  const means: number[] = [];
  const sums: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    let [start, mean, weight] = [i, numbers[i] as number, weights[i] as number];
    while (means.length > 0 && (means.at(-1) as number) >= mean) {
      const before = sums.pop() as number;
      mean = (mean * weight + (means.pop() as number) * before) / (weight + before);
      weight += before;
      start = starts.pop() as number;
    }
    starts.push(start);
    means.push(mean);
    sums.push(weight);
  }
  starts.forEach((start, block) => {
    numbers.fill(means[block] as number, start, starts[block + 1] ?? numbers.length);
  });
}

/** The height of a line through points at a place; beyond the last points their height. */
function between(xs: Float64Array, heights: Float64Array, x: number): number {
  const last = xs.length - 1;
  if (!(x > (xs[0] as number))) return heights[0] as number;
  if (x >= (xs[last] as number)) return heights[last] as number;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  const [from, to] = [xs[low] as number, xs[high] as number];
  const [bottom, top] = [heights[low] as number, heights[high] as number];
  return to > from ? bottom + ((top - bottom) * (x - from)) / (to - from) : top;
}
