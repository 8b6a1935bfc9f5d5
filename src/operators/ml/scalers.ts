import type { Cell, CellSpec, Problem } from '../../core/index.js';
import { layoutVersion } from '../../ml/features/plan.js';
import { type Float64Cell, float64Cell, type RingCell, ringCell } from '../../state/index.js';
import { momentsCell, RunningMoments } from '../quality/running/running-moments.js';
import { RunningQuantiles } from '../quality/running/running-quantiles.js';

/** Values that a robust scale looks back on, unless told otherwise. */
const WINDOW = 1001;

/** How one field is scaled. */
export type ScaleRule =
  | 'standard'
  | 'min-max'
  | 'robust'
  | { readonly use: 'robust'; readonly window?: number }
  | { readonly mean: number; readonly deviation: number }
  | { readonly min: number; readonly max: number };

/** Learns from a value that can be measured, then says where it stands. */
export type Scaler = (value: number) => number;

export interface ScalerSpec {
  readonly cell: CellSpec | undefined;
  readonly text: string;
  readonly problems: readonly Problem[];
  /** Takes the opened `cell`. */
  open(cell: Cell | undefined): Scaler;
}

/** A rule resolved: its cell, its text, what is wrong with it. */
export function scalerOf(rule: ScaleRule): ScalerSpec {
  if (rule === 'standard') return standard;
  if (rule === 'min-max') return minMax;
  if (rule === 'robust') return robust(WINDOW);
  if ('use' in rule) return robust(rule.window ?? WINDOW);
  if ('mean' in rule) return fixed(rule.mean, rule.deviation, `mean ${rule.mean}, deviation ${rule.deviation}`);
  return fixed(rule.min, rule.max - rule.min, `${rule.min} to ${rule.max}`);
}

const fixed = (from: number, width: number, text: string): ScalerSpec => ({
  cell: undefined,
  text,
  problems:
    width > 0 && Number.isFinite(from) ? [] : [{ message: `a scale of ${text}`, hint: 'give it a positive width' }],
  open: () => (value) => (value - from) / width,
});

/** Standard deviations from the mean of all values so far. */
const standard: ScalerSpec = {
  cell: momentsCell(),
  text: 'standard',
  problems: [],
  open(cell: Float64Cell) {
    const moments = new RunningMoments(cell);
    return (value) => {
      moments.add(value);
      const { deviation } = moments;
      return deviation > 0 ? (value - moments.mean) / deviation : 0;
    };
  },
};

/** Where a value stands between the least and the greatest so far: from 0 to 1. */
const minMax: ScalerSpec = {
  cell: float64Cell({ size: 3, block: 4, version: layoutVersion('min-max') }), // not the numbers of `standard`
  text: 'min-max',
  problems: [],
  open(cell: Float64Cell) {
    const state = cell.values as Float64Array & { 0: number; 1: number; 2: number }; // count, least, greatest
    return (value) => {
      if (state[0] === 0 || value < state[1]) state[1] = value;
      if (state[0] === 0 || value > state[2]) state[2] = value;
      state[0]++;
      cell.touch(0);
      return state[2] > state[1] ? (value - state[1]) / (state[2] - state[1]) : 0;
    };
  },
};

/** Interquartile ranges from the median of the last `window` values. */
function robust(window: number): ScalerSpec {
  const isWindow = Number.isInteger(window) && window >= 1;
  return {
    cell: ringCell<number>({ length: isWindow ? window : 1 }),
    text: `robust over the last ${window}`,
    problems: isWindow ? [] : [{ message: `robust over ${window} values`, hint: 'give `window` a positive integer' }],
    open(ring: RingCell<number>) {
      const running = new RunningQuantiles(ring, window);
      return (value) => {
        running.add(value);
        const range = (running.quantile(0.75) as number) - (running.quantile(0.25) as number);
        return range > 0 ? (value - (running.median() as number)) / range : 0;
      };
    },
  };
}
