import type { Transformer } from '../../core/learner.js';
import { type ScaleRule, type ScalerCells, scaler } from './scaler.js';

/** Numbers kept a quantile: the heights of five markers and the positions of the inner three. */
const MARKERS = 5;
const QUANTILE = MARKERS + 3;
const QUARTILES = [0.25, 0.5, 0.75] as const;
/** The count of values, then the quantiles. */
const WIDTH = 1 + QUARTILES.length * QUANTILE;

/** Inserts a value among the `count` sorted heights at `state[at...]`. */
function insert(state: Float64Array, at: number, count: number, x: number): void {
  let place = at + count;
  for (; place > at && (state[place - 1] as number) > x; place--) state[place] = state[place - 1] as number;
  state[place] = x;
}

/** Takes value number `n`, from the sixth on, into the markers of quantile `q`. */
function moveMarkers(state: Float64Array, at: number, q: number, x: number, n: number): void {
  let cell = 0;
  if (x < (state[at] as number)) state[at] = x;
  else {
    while (cell < MARKERS - 2 && x >= (state[at + cell + 1] as number)) cell++;
    if (x > (state[at + MARKERS - 1] as number)) state[at + MARKERS - 1] = x;
  }
  const inner = at + MARKERS - 1;
  // A marker above the value has one value more below it. The outer markers lie at 1 and at n.
  for (let i = cell + 1; i < MARKERS - 1; i++) state[inner + i] = (state[inner + i] as number) + 1;
  for (let i = 1; i < MARKERS - 1; i++) {
    const below = i === 1 ? 1 : (state[inner + i - 1] as number);
    const above = i === MARKERS - 2 ? n : (state[inner + i + 1] as number);
    const position = state[inner + i] as number;
    const share = i === 1 ? q / 2 : i === 2 ? q : (1 + q) / 2;
    const off = 1 + (n - 1) * share - position;
    if (!((off >= 1 && above - position > 1) || (off <= -1 && below - position < -1))) continue;
    const d = off > 0 ? 1 : -1;
    const [low, height, high] = [state[at + i - 1], state[at + i], state[at + i + 1]] as [number, number, number];
    const parabolic =
      height +
      (d / (above - below)) *
        (((position - below + d) * (high - height)) / (above - position) +
          ((above - position - d) * (height - low)) / (position - below));
    const [towards, towardsPosition] = d > 0 ? [high, above] : [low, below];
    state[at + i] =
      low < parabolic && parabolic < high
        ? parabolic
        : height + (d * (towards - height)) / (towardsPosition - position);
    state[inner + i] = position + d;
  }
}

/** The estimate of quantile number `k` after `n` values. */
function quantile(state: Float64Array, at: number, k: number, n: number): number {
  const first = at + 1 + k * QUANTILE;
  const place = n > MARKERS ? 2 : Math.floor(Math.min(Math.max(n - 1, 0), n * (QUARTILES[k] as number)));
  return state[first + place] as number;
}

const robust: ScaleRule = {
  width: WIDTH,
  learn(state, row, size) {
    for (let i = 0, at = 1; i < size; i++, at += WIDTH) {
      const n = (state[at] as number) + 1;
      state[at] = n;
      for (let k = 0; k < QUARTILES.length; k++) {
        const first = at + 1 + k * QUANTILE;
        if (n > MARKERS) moveMarkers(state, first, QUARTILES[k] as number, row[i] as number, n);
        else {
          insert(state, first, n - 1, row[i] as number);
          if (n === MARKERS) for (let m = 1; m <= 3; m++) state[first + MARKERS - 1 + m] = m + 1;
        }
      }
    }
  },
  scale(state, row, size, into) {
    for (let i = 0, at = 1; i < size; i++, at += WIDTH) {
      const n = state[at] as number;
      const range = quantile(state, at, 2, n) - quantile(state, at, 0, n);
      into[i] = range > 0 ? ((row[i] as number) - quantile(state, at, 1, n)) / range : 0;
    }
  },
};

/**
 * Scales each dense feature to interquartile ranges from its median, so that extreme values do not squeeze the others; 0 while
 * the quartiles are equal. Quartiles are estimates over all rows, of fixed size. A row counts once, whatever its weight.
 *
 * Memory: 25 numbers a feature. Source: Jain and Chlamtac, "The P² Algorithm for Dynamic Calculation of Quantiles and
 * Histograms Without Storing Observations", CACM 28 (1985).
 *
 * @example pipe(robustScaler(), linearRegression({ optimizer: sgd({ rate: 0.01 }) }));
 */
export const robustScaler = (): Transformer<ScalerCells> => scaler('robust-scaler', robust);
